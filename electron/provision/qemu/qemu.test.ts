import { describe, expect, it } from 'vitest'
import { findAccelerator } from './accelerator.ts'
import { kernelAppend, qemuArguments, type QemuMachine } from './command-line.ts'
import { smbiosCredentials } from './credentials.ts'
import { isoImage } from './iso9660.ts'
import { virtualNames } from './paths.ts'
import { seedFiles, seedImage } from './seed.ts'

const IDENTITY = {
  name: 'node-1',
  authorizedKey: 'ssh-ed25519 AAAA',
  privateHostKey: 'SECRET\n',
  macs: { out: '52:54:00:00:00:01', segment: '52:54:00:00:00:02' },
  address: '10.78.1.11/24',
}
const MACHINE: QemuMachine = {
  name: 'node-1',
  uuid: 'u',
  architecture: 'x64',
  accelerator: 'tcg',
  cpus: 2,
  memoryMib: 640,
  boot: { type: 'kernel', kernel: '/i/vmlinuz', initrd: '/i/initrd.img', append: 'root=/dev/vda', credentials: ['credentials'] },
  sshPort: 2222,
  egress: true,
  macs: IDENTITY.macs,
  segment: { group: '239.255.1.2', port: 20_001 },
  qmpSocket: '/s/a,b/qmp.sock',
  serialSocket: '/s/serial.sock',
  paused: false,
}
/** What follows each option of this name. */
const values = (args: readonly string[], option: string) => args.flatMap((arg, i) => (arg === option ? [args[i + 1]] : []))

describe('the command line of QEMU', () => {
  it('gives the machine what was asked for', () => {
    const args = qemuArguments(MACHINE)
    expect(values(args, '-smp')).toEqual(['2'])
    expect(values(args, '-m')).toEqual(['640'])
    expect(values(args, '-append')).toEqual(['console=ttyS0 root=/dev/vda'])
    expect(args).not.toContain('-S')
  })

  it('opens SSH on the loopback only, and shares a segment on it', () => {
    const [out, segment] = values(qemuArguments(MACHINE), '-netdev')
    expect(out).toBe('user,id=out,hostfwd=tcp:127.0.0.1:2222-10.0.2.15:22')
    expect(segment).toBe('socket,id=segment,mcast=239.255.1.2:20001,localaddr=127.0.0.1')
  })

  it('keeps a machine in that may not go out', () => {
    expect(values(qemuArguments({ ...MACHINE, egress: false }), '-netdev')[0]).toContain(',restrict=on')
  })

  it.each([
    ['tcg', 'tcg,thread=multi,tb-size=256', 'max'],
    ['kvm', 'kvm', 'host'],
    ['hvf', 'hvf', 'host'],
  ] as const)('uses %s with the processor that it can', (accelerator, accel, cpu) => {
    const args = qemuArguments({ ...MACHINE, accelerator })
    expect([values(args, '-accel'), values(args, '-cpu')]).toEqual([[accel], [cpu]])
  })

  it('spares an emulated processor alone what guards real ones', () => {
    const options = { name: 'n', machineId: 'm' }
    expect(kernelAppend({ ...options, accelerator: 'tcg' })).toContain('mitigations=off')
    expect(kernelAppend({ ...options, accelerator: 'kvm' })).not.toContain('mitigations')
  })

  it('writes a comma in a path twice, as option lists want', () => {
    expect(values(qemuArguments(MACHINE), '-qmp')).toEqual(['unix:/s/a,,b/qmp.sock,server=on,wait=off'])
  })

  it('waits with a suspended machine until its memory is back', () => {
    expect(qemuArguments({ ...MACHINE, paused: true })).toContain('-S')
  })

  it('shows no secret: credentials are named by their file', () => {
    expect(values(qemuArguments(MACHINE), '-smbios')).toEqual(['type=11,path=credentials'])
  })

  it('boots a cloud image by its own loader, with its seed as a second disk', () => {
    const args = qemuArguments({ ...MACHINE, boot: { type: 'firmware', firmware: null, seed: 'seed.iso' } })
    expect(args).not.toContain('-kernel')
    expect(values(args, '-drive')).toEqual(['file=seed.iso,if=virtio,format=raw,readonly=on'])
  })
})

describe('finding an accelerator', () => {
  it('says where QEMU is not installed, and how to get it', async () => {
    await expect(findAccelerator('x64', { program: '/nowhere/qemu' })).rejects.toMatchObject({
      code: 'MISSING_REQUIREMENT',
      why: '/nowhere/qemu is not installed, or does not run.',
    })
  })

  it('emulates where the accelerator runs no guest', async () => {
    // `true` answers --version, and exits with 0 where the probe would end otherwise.
    expect(await findAccelerator('x64', { program: 'true', platform: 'linux' })).toBe('tcg')
    expect(await findAccelerator('x64', { program: 'true', platform: 'freebsd' })).toBe('tcg')
  })
})

describe('what our own image is told', () => {
  const lines = () => {
    const [key, value = ''] = smbiosCredentials(IDENTITY).split(/=(.*)/s)
    expect(key).toBe('io.systemd.credential.binary:tmpfiles.extra')
    return Buffer.from(value, 'base64').toString().trim().split('\n')
  }
  const content = (path: string) => {
    const fields =
      lines()
        .find((line) => line.split(' ')[1] === path)
        ?.split(' ') ?? []
    return { mode: fields[2], text: Buffer.from(fields.at(-1) ?? '', 'base64').toString() }
  }

  it('has who may sign in, and the key that it shows, for root alone', () => {
    expect(content('/root/.ssh/authorized_keys')).toEqual({ mode: '0600', text: 'ssh-ed25519 AAAA\n' })
    expect(content('/etc/ssh/ssh_host_ed25519_key')).toEqual({ mode: '0600', text: 'SECRET\n' })
  })

  it('has its address on the segment, and keeps pods from this computer’s loopback', () => {
    expect(content('/etc/systemd/network/20-segment.network').text).toMatch(/MACAddress=52:54:00:00:00:02[^]*Address=10\.78\.1\.11\/24/)
    expect(content('/etc/systemd/network/10-out.network').text).toMatch(/To=10\.0\.2\.2\/32\nIncomingInterface=flotilla0\nType=prohibit/)
  })
})

describe('the seed for cloud-init', () => {
  const AT = new Date('2026-11-21T10:20:30Z')

  it('is what NoCloud reads: YAML that is JSON', () => {
    const files = new Map(seedFiles(IDENTITY, 'i-1').map(({ name, content }) => [name, content]))
    expect([...files.keys()]).toEqual(['meta-data', 'user-data', 'network-config'])
    expect(JSON.parse(files.get('meta-data') ?? '')).toEqual({ 'instance-id': 'i-1', 'local-hostname': 'node-1' })
    const [head, body = ''] = (files.get('user-data') ?? '').split('\n')
    expect(head).toBe('#cloud-config')
    expect(JSON.parse(body)).toMatchObject({
      ssh_keys: { ed25519_private: 'SECRET\n' },
      users: [{ name: 'root', ssh_authorized_keys: ['ssh-ed25519 AAAA'] }],
    })
    expect(JSON.parse(files.get('network-config') ?? '')).toMatchObject({
      version: 2,
      ethernets: { segment: { addresses: ['10.78.1.11/24'] } },
    })
  })

  it('is a CD with the label that cloud-init looks for', () => {
    const image = seedImage(IDENTITY, 'i-1', AT)
    expect(image.toString('latin1', 32_769, 32_774)).toBe('CD001')
    expect(image.toString('latin1', 32_808, 32_840).trim()).toBe('CIDATA')
  })

  it('has long names in its Joliet tree, and each file’s bytes where the record says', () => {
    const files = [
      { name: 'meta-data', content: Buffer.from('one') },
      { name: 'a longer name.txt', content: Buffer.alloc(5000, 'x') },
      { name: 'empty', content: Buffer.alloc(0) },
    ]
    expect(joliet(isoImage('X', files, AT))).toEqual(files.map(({ name, content }) => ({ name, content: content.toString() })))
  })

  it('refuses more files than its folder holds', () => {
    const files = Array.from({ length: 60 }, (_, i) => ({ name: `file-with-a-name-${i}`, content: Buffer.from('x') }))
    expect(() => isoImage('X', files, AT)).toThrow(RangeError)
  })
})

/** Reads the files of the Joliet root folder, by ECMA-119 and the Joliet specification. */
function joliet(image: Buffer): { name: string; content: string }[] {
  const descriptor = 17 * 2048
  expect(image[descriptor]).toBe(2)
  const root = image.readUInt32LE(descriptor + 156 + 2) * 2048
  const out = []
  for (let at = root; image[at]; at += image[at] ?? 0) {
    const length = image[at + 32] ?? 0
    const raw = Buffer.from(image.subarray(at + 33, at + 33 + length))
    if (length === 1) continue
    const [sector, size] = [image.readUInt32LE(at + 2), image.readUInt32LE(at + 10)]
    expect([image.readUInt32BE(at + 6), image.readUInt32BE(at + 14)]).toEqual([sector, size])
    out.push({ name: raw.swap16().toString('utf16le'), content: image.toString('utf8', sector * 2048, sector * 2048 + size) })
  }
  return out
}

describe('names on this computer', () => {
  it('differ between states and machines, and stay the same', () => {
    const [a, b] = [virtualNames('/s/a'), virtualNames('/s/b')]
    expect(a.segment).toEqual(virtualNames('/s/a').segment)
    expect(a.segment).not.toEqual(b.segment)
    expect(new Set([a.macs('x'), a.macs('y'), b.macs('x')].flatMap(({ out, segment }) => [out, segment])).size).toBe(6)
    expect(a.macs('x').out).toMatch(/^52:54:00(:[0-9a-f]{2}){3}$/)
  })

  it('puts sockets elsewhere where the path would be too long for one', () => {
    expect(virtualNames('/s').machine('x').qmp).toBe('/s/vm/x/qmp.sock')
    const far = virtualNames(`/${'long/'.repeat(30)}`).machine('x').qmp
    expect(Buffer.byteLength(far)).toBeLessThan(104)
    expect(far).not.toContain('long')
  })
})
