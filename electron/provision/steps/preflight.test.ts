import { describe, expect, it } from 'vitest'
import { parseFacts, type MachineFacts } from './facts.ts'
import { preflight, preflightError, type PreflightInput } from './preflight.ts'

const OUTPUT = `now=1795000000123456789
system=Linux
machine=x86_64
kernel=6.1.0-25-amd64
hostname=moth
os=Debian GNU/Linux 12 (bookworm)
systemd=252
cgroups=2
controllers=cpuset cpu io memory hugetlb pids rdma misc
filesystem=ext2/ext3
freeState=20480
freePrograms=20480
overlay=yes
memory=7950
swap=0
memoryLimit=max
manager=apt-get
containerd=containerd github.com/containerd/containerd 1.6.20~ds1 1.6.20~ds1-1+deb12u1
runc=runc version 1.1.5+ds1
iproute=ip utility, iproute2-6.1.0, libbpf 1.1.0
zstd=yes
gzip=yes
cni=/usr/lib/cni
cniMissing=
nft=
vxlan=
bridge=
bridgeFilter=yes
listening=tcp 0016
listening=udp 0044
oom=yes
addresses=10.0.0.7 fd00::7
route=192.0.2.1 via 10.0.0.1 dev eth0 src 10.0.0.7 uid 0
`
const SSH = '10.0.0.2 50000 10.0.0.7 22\n'
const NOW = 1795000000123

const facts = (change: Partial<MachineFacts> = {}): MachineFacts => ({ ...parseFacts(OUTPUT, SSH), ...change })
const input = (change: Partial<PreflightInput> = {}, changed: Partial<MachineFacts> = {}): PreflightInput => ({
  facts: facts(changed),
  root: 'root',
  installRuntime: false,
  owner: 'c1 moth',
  nodeIP: '10.0.0.7',
  clock: { before: NOW - 100, after: NOW + 900 },
  forwarding: null,
  ...change,
})
const row = (name: string, given: PreflightInput) => preflight(given).checks.find((check) => check.name === name)
const errorOf = (given: PreflightInput) => preflightError('moth', preflight(given), given.facts)

describe('parseFacts', () => {
  it('reads what the script prints', () => {
    expect(facts()).toMatchObject({
      osName: 'Debian GNU/Linux 12 (bookworm)',
      architecture: 'amd64',
      systemd: '252',
      cgroups: { version: 2, controllers: ['cpuset', 'cpu', 'io', 'memory', 'hugetlb', 'pids', 'rdma', 'misc'] },
      freeMib: { programs: 20480, state: 20480 },
      memoryMib: 7950,
      now: NOW,
      containerd: '1.6.20~ds1',
      runc: '1.1.5+ds1',
      cni: { dir: '/usr/lib/cni', missing: [] },
      nft: null,
      owner: null,
      sshAddress: '10.0.0.7',
      routeAddress: '10.0.0.7',
    })
    expect([...facts().listening]).toEqual(['tcp 22', 'udp 68'])
  })

  it('takes a memory limit below what the kernel has, and passes over one above', () => {
    const limited = (limit: string) => parseFacts(OUTPUT.replace('memoryLimit=max', `memoryLimit=${limit}`), SSH).memoryMib
    expect(limited('1073741824')).toBe(1024)
    expect(limited('9223372036854771712')).toBe(7950)
  })

  it('takes what was not printed for not tried, not for working', () => {
    const cut = parseFacts('system=Linux\n', '')
    expect(cut).toMatchObject({
      nft: 'it could not be tried',
      vxlan: 'it could not be tried',
      containerd: null,
      sshAddress: null,
      overlay: false,
    })
  })

  it('reads a date without nanoseconds', () => {
    expect(parseFacts('now=1795000000N\n', '').now).toBe(1795000000000)
  })
})

describe('preflight', () => {
  it('finds nothing wrong with a machine that has everything', () => {
    const { checks, missing } = preflight(input())
    expect(checks.filter((check) => check.state !== 'ok')).toEqual([])
    expect(missing).toEqual([])
    expect(errorOf(input())).toBeNull()
    expect(new Set(checks.map((check) => check.name)).size).toBe(checks.length)
  })

  it('always says what to do about a warning or a failure', () => {
    const bad = input(
      { forwarding: 'no', root: 'sudo with password', clock: { before: 0, after: 1 }, nodeIP: '10.9.9.9' },
      {
        architecture: null,
        kernel: '3.10.0',
        systemd: null,
        cgroups: { version: 1, controllers: ['cpu'] },
        overlay: false,
        freeMib: { programs: 10, state: 10 },
        memoryMib: 100,
        swapMib: 1000,
        containerd: null,
        runc: null,
        iproute: null,
        cni: null,
        nft: 'no',
        vxlan: 'no',
        bridge: 'no',
        bridgeFilter: false,
        listening: new Set(['tcp 10250', 'udp 8472']),
        owner: 'other moth',
        selinux: 'enforcing',
        firewall: 'ufw',
      },
    )
    for (const check of preflight(bad).checks.filter(({ state }) => state !== 'ok'))
      expect(check.advice, check.name).toMatch(/\w.*[.)]|: \w/)
    expect(
      preflight(bad)
        .checks.filter((check) => check.state === 'ok')
        .map((check) => check.name),
    ).toEqual(['Rights'])
  })

  it('knows its own machine, one under another name, and a foreign one', () => {
    expect(row('Free to use', input({}, { owner: 'c1 moth' }))).toMatchObject({ state: 'ok' })
    expect(row('Free to use', input({}, { owner: 'c1 wasp' }))).toMatchObject({
      state: 'fail',
      found: 'it is the machine "wasp" of this cluster',
    })
    expect(row('Free to use', input({}, { owner: 'c2 moth' }))).toMatchObject({ state: 'fail', found: 'it belongs to another Flotilla' })
  })

  it('wants an address that other nodes can reach, and that is one of its own', () => {
    expect(row('Address', input())).toMatchObject({ state: 'ok', found: '10.0.0.7' })
    expect(row('Address', input({ nodeIP: '127.0.0.1' }))).toMatchObject({ state: 'warn' })
    expect(row('Address', input({ nodeIP: '10.0.0.9' }))).toMatchObject({
      state: 'fail',
      advice: expect.stringContaining('10.0.0.7, fd00::7') as string,
    })
    // Without iproute2 it is not known.
    expect(row('Address', input({ nodeIP: '10.0.0.9' }, { addresses: [] }))).toMatchObject({ state: 'ok' })
  })

  it('does not mind its own ports in use', () => {
    const listening = new Set(['tcp 10250'])
    expect(row('Ports', input({}, { listening }))).toMatchObject({ state: 'fail', found: 'tcp 10250 in use' })
    expect(row('Ports', input({}, { listening, owner: 'c1 moth' }))).toMatchObject({ state: 'ok' })
  })

  it('measures the clock against the time in which it was asked', () => {
    const at = (now: number) => row('Clock', input({}, { now }))
    expect(at(NOW - 2000)).toMatchObject({ state: 'ok' })
    expect(at(NOW + 900 + 30_000)).toMatchObject({ state: 'warn', found: '30 s ahead' })
    expect(at(NOW - 100 - 3600_000)).toMatchObject({ state: 'fail', found: '60 min behind' })
  })

  it('names the file systems that cannot hold layers', () => {
    expect(row('Image storage', input({}, { filesystem: 'overlayfs' }))).toMatchObject({ state: 'fail' })
    expect(row('Image storage', input({}, { filesystem: 'xfs' }))).toMatchObject({ state: 'ok' })
  })

  it('asks for the memory controller where a kernel has it off', () => {
    const cgroups = { version: 2, controllers: ['cpuset', 'cpu', 'io', 'pids'] } as const
    expect(row('Control groups', input({}, { cgroups }))).toMatchObject({
      state: 'fail',
      advice: expect.stringContaining('cgroup_enable=memory') as string,
    })
  })

  it('warns of a password that will be missed after a restart, only where there is no systemd', () => {
    expect(row('Services', input({ root: 'sudo with password' }, { systemd: null }))).toMatchObject({ state: 'warn' })
    expect(row('Services', input({ root: 'sudo with password' }))).toMatchObject({ state: 'ok' })
    expect(row('Services', input({ root: 'sudo' }, { systemd: null }))).toMatchObject({ state: 'ok' })
  })
})

describe('what is missing', () => {
  const bare = {
    containerd: null,
    runc: null,
    cni: null,
    nft: 'it is not installed',
    iproute: null,
    vxlan: 'ip is not installed',
    bridge: 'ip is not installed',
  }

  it('is told with the exact command', () => {
    expect(errorOf(input({}, { containerd: null }))).toMatchObject({
      code: 'NO_CONTAINERD',
      why: 'Missing: containerd.',
      next: expect.stringContaining('apt-get install -y --no-install-recommends containerd') as string,
    })
    expect(errorOf(input({}, { ...bare, packageManager: 'dnf' }))).toMatchObject({
      next: 'Let Flotilla install it, or run there as root: dnf install -y containerd runc containernetworking-plugins nftables iproute',
    })
    expect(errorOf(input({}, { ...bare, packageManager: null }))).toMatchObject({
      code: 'NO_CONTAINERD',
      next: expect.stringMatching(/^Install /) as string,
    })
  })

  it('is no failure when it will be installed', () => {
    const given = input({ installRuntime: true }, bare)
    expect(errorOf(given)).toBeNull()
    expect(preflight(given).missing.map((requirement) => requirement.name)).toEqual([
      'containerd',
      'runc',
      'CNI plugins',
      'nftables',
      'iproute2',
    ])
    // Without a package manager nobody can.
    expect(errorOf(input({ installRuntime: true }, { ...bare, packageManager: null }))).toMatchObject({ code: 'NO_CONTAINERD' })
  })

  it('gives way to other failures in the message', () => {
    expect(errorOf(input({}, { containerd: null, memoryMib: 100 }))).toMatchObject({
      code: 'PREFLIGHT_FAILED',
      why: 'Memory: 100 MiB. Also: containerd.',
    })
  })

  it('includes plugins of an incomplete folder, and a containerd that is too old', () => {
    expect(row('CNI plugins', input({}, { cni: { dir: '/opt/cni/bin', missing: ['portmap'] } }))).toMatchObject({
      state: 'fail',
      found: 'without portmap',
    })
    expect(row('containerd', input({}, { containerd: '1.4.13' }))).toMatchObject({ state: 'fail' })
    expect(row('containerd', input({}, { containerd: '2.1.0' }))).toMatchObject({ state: 'ok' })
  })
})
