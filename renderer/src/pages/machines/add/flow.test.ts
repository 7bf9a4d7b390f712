import { describe, expect, it } from 'vitest'
import { shallowRef } from 'vue'
import { ContractError } from '../../../../../electron/contracts/protocol.ts'
import type { Face } from '../../../face/face.ts'
import { useAddFlow, type Check, type HostKey } from './flow.ts'
import { addArg, emptyForm, formErrors, nodeName, parseLabels } from './form.ts'

const KEY: HostKey = { key: 'ssh-ed25519 AAAA', fingerprint: 'SHA256:abc', state: 'unknown' }
const CHECKS: Check[] = [{ name: 'os', state: 'ok', found: 'Debian 12' }]

/** Answers by method; what is a function is called with the argument. */
function faceOf(answers: Partial<Record<string, unknown>>): { face: Face; calls: { method: string; arg: unknown }[] } {
  const calls: { method: string; arg: unknown }[] = []
  const face = {
    state: shallowRef({ phase: 'open' as const }),
    call: async (method: string, arg: unknown) => {
      calls.push({ method, arg })
      const answer = answers[method]
      return typeof answer === 'function' ? (answer as (a: unknown) => unknown)(arg) : answer
    },
  } as unknown as Face
  return { face, calls }
}

function filled(face: Face) {
  const flow = useAddFlow(face, () => ['taken'])
  Object.assign(flow.form, { host: '192.168.1.57', user: 'mira', name: 'tender' })
  return flow
}

describe('adding a machine', () => {
  it('says which fields are missing before it connects to anything', async () => {
    const { face, calls } = faceOf({})
    const flow = useAddFlow(face, () => [])
    await flow.connect()
    expect(Object.keys(flow.errors.value)).toEqual(['host', 'user', 'name'])
    expect(calls).toEqual([])
  })

  it('stops at a key that nobody has confirmed, and goes on only when it is', async () => {
    const { face, calls } = faceOf({ 'machines.scanHostKey': KEY, 'machines.preflight': CHECKS, 'machines.add': { name: 'tender' } })
    const flow = filled(face)
    await flow.connect()
    expect(flow.stage.value).toBe('confirm')
    expect(flow.asking.value).toMatchObject({ of: 'host', key: { fingerprint: 'SHA256:abc' } })
    await flow.trust()
    expect(flow.stage.value).toBe('checked')
    expect(await flow.add()).toBe('tender')
    expect(calls.map((c) => c.method)).toEqual(['machines.scanHostKey', 'machines.preflight', 'machines.add'])
    expect(calls[2]?.arg).toMatchObject({ hostKey: 'ssh-ed25519 AAAA', credentials: { useAgent: true } })
  })

  it('does not ask about a key that is known', async () => {
    const { face } = faceOf({ 'machines.scanHostKey': { ...KEY, state: 'known' }, 'machines.preflight': CHECKS })
    const flow = filled(face)
    await flow.connect()
    expect(flow.stage.value).toBe('checked')
  })

  it('asks about the jump host first, and reaches the machine through it', async () => {
    const { face, calls } = faceOf({ 'machines.scanHostKey': KEY, 'machines.preflight': CHECKS })
    const flow = filled(face)
    Object.assign(flow.form, { useJump: true, jumpHost: 'gate', jumpUser: 'mira' })
    await flow.connect()
    expect(flow.asking.value?.of).toBe('jump')
    await flow.trust()
    expect(flow.asking.value?.of).toBe('host')
    expect(calls[1]?.arg).toMatchObject({ host: '192.168.1.57', jump: { host: 'gate', port: 22, user: 'mira' } })
    await flow.trust()
    expect(calls[2]?.arg).toMatchObject({ jump: { hostKey: 'ssh-ed25519 AAAA' } })
  })

  it('comes back to the fields with what, why and next when the host refuses', async () => {
    const refused = new ContractError({
      code: 'SSH_AUTH_FAILED',
      what: 'Could not sign in.',
      why: 'The password was refused.',
      next: 'Check it.',
    })
    const { face } = faceOf({
      'machines.scanHostKey': { ...KEY, state: 'known' },
      'machines.preflight': () => {
        throw refused
      },
    })
    const flow = filled(face)
    await flow.connect()
    expect(flow.stage.value).toBe('form')
    expect(flow.failure.value).toMatchObject({ code: 'SSH_AUTH_FAILED', next: 'Check it.' })
  })

  it('is blocked by a failed check', async () => {
    const { face } = faceOf({
      'machines.scanHostKey': { ...KEY, state: 'known' },
      'machines.preflight': [{ name: 'disk', state: 'fail', found: '0.2 Gi free' }],
    })
    const flow = filled(face)
    await flow.connect()
    expect(flow.blocked.value).toBe(true)
  })

  it('is looked at as it will be set up: with what is installed, and the address that it gets', async () => {
    const { face, calls } = faceOf({ 'machines.scanHostKey': { ...KEY, state: 'known' }, 'machines.preflight': CHECKS })
    const flow = filled(face)
    flow.form.nodeIP = '10.1.2.3'
    await flow.connect()
    expect(calls[1]?.arg).toMatchObject({ installRuntime: true, nodeIP: '10.1.2.3' })
    flow.form.installRuntime = false
    await flow.check()
    expect(calls[2]?.arg).toMatchObject({ installRuntime: false })
  })

  it('forgets the secrets once the work has begun', async () => {
    const { face } = faceOf({
      'machines.scanHostKey': { ...KEY, state: 'known' },
      'machines.preflight': CHECKS,
      'machines.add': { name: 'tender' },
    })
    const flow = filled(face)
    Object.assign(flow.form, { auth: 'password', password: 'secret', sudoPassword: 'secret' })
    await flow.connect()
    await flow.add()
    expect([flow.form.password, flow.form.sudoPassword]).toEqual(['', ''])
  })
})

describe('the form', () => {
  it('names the node after the host unless that is an address', () => {
    expect([
      nodeName({ name: '', host: 'Skiff.local' }),
      nodeName({ name: '', host: '10.0.0.1' }),
      nodeName({ name: 'x', host: 'y' }),
    ]).toEqual(['skiff', '', 'x'])
  })
  it('reads labels, and refuses what is none', () => {
    expect(parseLabels('zone=attic, disk=ssd')).toEqual({ zone: 'attic', disk: 'ssd' })
    expect([parseLabels(''), parseLabels('nope'), parseLabels('a=b c')]).toEqual([{}, null, null])
  })
  it('refuses a name that is taken and a port that is none', () => {
    const form = { ...emptyForm(), host: 'h', user: 'u', name: 'taken', port: '70000' }
    expect(formErrors(form, ['taken'])).toMatchObject({ name: expect.stringContaining('taken'), port: expect.any(String) })
  })
  it('sends only the secret of the chosen way to sign in', () => {
    const form = { ...emptyForm(), host: 'h', user: 'u', auth: 'key' as const, password: 'left over' }
    expect(addArg(form, 'k', undefined).credentials).toEqual({ keyFile: '~/.ssh/id_ed25519' })
  })
})
