import { describe, expect, it } from 'vitest'
import type { Loose } from '../../testing/objects.ts'
import { created, row, stored, updated } from '../../testing/rules.ts'
import { machine } from './machine.ts'

const KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIG'
const ssh = (more: Loose = {}): Loose => ({ host: '192.0.2.1', port: 22, user: 'root', hostKey: KEY, auth: 'agent', ...more })
const virtual = (more: Loose = {}): Loose => ({ cpus: 1, memoryBytes: 2 ** 29, diskBytes: 2 ** 33, power: 'On', ...more })
const of = (more: Loose = {}): Loose => ({ spec: { provider: 'ssh', ssh: ssh(), ...more } })

describe('a machine', () => {
  it('waits, whatever is said of it', () => {
    expect(created(machine, { ...of(), status: { phase: 'Ready' } }).object.status).toEqual({ phase: 'Pending' })
  })

  it.each<[what: string, spec: Loose, errors: string[]]>([
    ['an ordinary one', { nodeIP: '10.0.0.1', labels: { a: 'b' } }, []],
    ['one by way of another', { ssh: ssh({ jump: { host: 'a.b', port: 22, user: 'me', hostKey: KEY } }) }, []],
    ['a virtual machine', { provider: 'qemu', ssh: undefined, qemu: virtual() }, []],
    [
      'a virtual machine that is too small',
      { provider: 'qemu', ssh: undefined, qemu: virtual({ cpus: 0, memoryBytes: 1024, diskBytes: 1 }) },
      [
        'spec.qemu.cpus: Invalid value: 0: must be at least 1',
        'spec.qemu.memoryBytes: Invalid value: 1024: must be at least 402653184',
        'spec.qemu.diskBytes: Invalid value: 1: must be at least 4294967296',
      ],
    ],
    [
      'a virtual machine of an image without checksum',
      { provider: 'qemu', ssh: undefined, qemu: virtual({ image: { url: 'file:///x', sha256: 'x' } }) },
      [
        'spec.qemu.image.url: Invalid value: "file:///x": must be an http or https URL',
        'spec.qemu.image.sha256: Invalid value: "x": must be a SHA-256 checksum of 64 hexadecimal digits',
      ],
    ],
    ['iron that is virtual', { qemu: virtual() }, ["spec.qemu: Forbidden: may only be used when `provider` is 'qemu'"]],
    ['a sandbox', { provider: 'sandbox', ssh: undefined, sandbox: { memoryBytes: 2 ** 30 } }, []],
    ['of nobody', { provider: '' }, ['spec.provider: Required value']],
    [
      'of another provider',
      { provider: 'cloud' },
      ['spec.provider: Unsupported value: "cloud": supported values: "qemu", "sandbox", "ssh"'],
    ],
    ['that cannot be reached', { ssh: undefined }, ["spec.ssh: Required value: must be specified when `provider` is 'ssh'"]],
    [
      'with half of an address',
      { ssh: ssh({ host: 'me@host', port: 0, user: '', hostKey: 'AAAA', auth: 'magic' }) },
      [
        'spec.ssh.host: Invalid value: "me@host": must be a host name or an IP address',
        'spec.ssh.port: Invalid value: 0: must be between 1 and 65535, inclusive',
        'spec.ssh.user: Required value',
        'spec.ssh.hostKey: Invalid value: "AAAA": must be a key type and a key in base64, as in known_hosts (e.g. \'ssh-ed25519 AAAA…\')',
        'spec.ssh.auth: Unsupported value: "magic": supported values: "agent", "key", "password"',
      ],
    ],
    [
      'that trusts whoever stands between',
      { ssh: ssh({ jump: { host: 'a.b', port: 22, user: 'me', hostKey: '' } }) },
      ['spec.ssh.jump.hostKey: Required value'],
    ],
    ['of iron in a sandbox', { sandbox: {} }, ["spec.sandbox: Forbidden: may only be used when `provider` is 'sandbox'"]],
    [
      'too small',
      { provider: 'sandbox', sandbox: { memoryBytes: 1024 } },
      ['spec.sandbox.memoryBytes: Invalid value: 1024: must be at least 67108864'],
    ],
    ['at no address', { nodeIP: 'x' }, ['spec.nodeIP: Invalid value: "x": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)']],
  ])('%s', (_, spec, errors) => {
    expect(created(machine, of(spec)).errors).toEqual(errors)
  })

  it('stays what it is, and may move', () => {
    const outcome = updated(machine, stored(machine, of()), ({ spec }) => {
      Object.assign(spec, { provider: 'sandbox', ssh: ssh({ host: '192.0.2.2' }) })
    })
    expect(outcome.errors).toEqual(['spec.provider: Invalid value: "sandbox": field is immutable'])
  })

  it.each<[status: Loose, expected: Loose]>([
    [{}, { Provider: 'ssh', Phase: 'Pending', Address: '192.0.2.1', Link: '<none>', Age: '60m' }],
    [
      { phase: 'Ready', address: '10.0.0.1', link: { connected: true, since: '2026-01-01T00:55:00Z' } },
      { Phase: 'Ready', Address: '10.0.0.1', Link: 'Up 5m' },
    ],
    [{ phase: 'Unreachable', link: { connected: false, since: '2026-01-01T00:59:30Z' } }, { Link: 'Down 30s' }],
  ])('%j is shown', (status, expected) => {
    expect(row(machine, stored(machine, { ...of(), status }))).toMatchObject(expected)
  })

  it('is found by what it is and how it does', () => {
    const object = stored(machine, { ...of(), status: { phase: 'Failed' } })
    expect(Object.entries(machine.selectableFields).map(([name, read]) => [name, read(object)])).toEqual([
      ['spec.provider', 'ssh'],
      ['status.phase', 'Failed'],
    ])
  })
})
