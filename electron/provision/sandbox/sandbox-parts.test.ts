import { describe, expect, it } from 'vitest'
import { parseHierarchies } from './cgroups.ts'
import { dropsForwarded, forwardRules } from './firewall.ts'
import { enterScript, setupScript } from './init.ts'
import { checkName, sandboxNames } from './names.ts'
import { parseProcessId } from './process.ts'
import { rootFiles } from './root.ts'
import { formatIpv4, formatNetwork, freeSubnet, overlaps, parseIpv4, parseNetwork } from './subnet.ts'

describe('subnets', () => {
  it('reads and writes addresses and networks', () => {
    expect(formatIpv4(parseIpv4('10.77.255.1'))).toBe('10.77.255.1')
    expect(formatNetwork(parseNetwork('10.77.3.9/24'))).toBe('10.77.3.0/24')
    expect(parseNetwork('192.168.1.7')).toEqual({ base: parseIpv4('192.168.1.7'), prefix: 32 })
    for (const bad of ['10.77.3', '10.77.3.256', '10.0.0.0/33', 'x']) expect(() => parseNetwork(bad)).toThrow(RangeError)
  })

  it('knows overlap in both directions, up to the whole address space', () => {
    const small = parseNetwork('10.77.3.0/24')
    for (const other of ['10.77.0.0/16', '10.77.3.128/25', '10.77.3.4', '0.0.0.0/0']) {
      expect(overlaps(small, parseNetwork(other))).toBe(true)
      expect(overlaps(parseNetwork(other), small)).toBe(true)
    }
    expect(overlaps(small, parseNetwork('10.77.4.0/24'))).toBe(false)
    expect(overlaps(parseNetwork('128.0.0.0/1'), parseNetwork('0.0.0.0/1'))).toBe(false)
  })

  it('takes the next free network after its seed, around the end, or none', () => {
    const pick = (taken: string[], seed: number) => {
      const free = freeSubnet(taken.map(parseNetwork), seed)
      return free && formatNetwork(free)
    }
    expect(pick([], 200)).toBe('10.77.200.0/24')
    expect(pick(['10.77.254.0/23', '10.77.0.1'], 254)).toBe('10.77.1.0/24')
    expect(pick(['10.0.0.0/8'], 0)).toBeNull()
  })
})

describe('sandboxNames', () => {
  it('differ between states and between machines, and fit where they go', () => {
    const a = sandboxNames('/var/a')
    const b = sandboxNames('/var/b')
    expect(new Set([a.bridge, b.bridge, a.link('x'), a.link('y'), b.link('x')]).size).toBe(5)
    for (const name of [a.bridge, a.link('a-very-long-name-of-a-machine')]) expect(name.length).toBeLessThanOrEqual(15)
    expect(a.mac('x')).toMatch(/^02(:[0-9a-f]{2}){5}$/)
    expect(sandboxNames('/var/./a/').bridge).toBe(a.bridge)
  })

  it('refuses names that are no DNS labels, so that none can leave its folder', () => {
    for (const bad of ['', '..', 'a/b', 'A', '-a', 'a-', 'a'.repeat(64), 'a b']) expect(() => checkName(bad)).toThrow(/cannot be the name/)
    expect(checkName('a'.repeat(63))).toHaveLength(63)
  })
})

describe('parseHierarchies', () => {
  it('keeps the options that name a hierarchy, and finds the unified one beside them', () => {
    const mounts = [
      'tmpfs /sys/fs/cgroup tmpfs rw,relatime,mode=755 0 0',
      'cgroup /sys/fs/cgroup/cpu,cpuacct cgroup rw,nosuid,nodev,noexec,relatime,cpu,cpuacct 0 0',
      'cgroup /sys/fs/cgroup/systemd cgroup rw,xattr,release_agent=/lib/x,name=systemd 0 0',
      'cgroup2 /sys/fs/cgroup/unified cgroup2 rw,nsdelegate 0 0',
      'cgroup2 /var/other cgroup2 rw 0 0',
    ].join('\n')
    expect(parseHierarchies(mounts)).toEqual([
      { version: 1, mount: '/sys/fs/cgroup/cpu,cpuacct', options: 'cpu,cpuacct' },
      { version: 1, mount: '/sys/fs/cgroup/systemd', options: 'none,name=systemd' },
      { version: 2, mount: '/sys/fs/cgroup/unified', options: '' },
    ])
  })

  it('reads a computer with version 2 only', () => {
    expect(parseHierarchies('cgroup2 /sys/fs/cgroup cgroup2 rw,nosuid,memory_recursiveprot 0 0\n')).toEqual([
      { version: 2, mount: '/sys/fs/cgroup', options: '' },
    ])
  })
})

describe('the scripts of a sandbox', () => {
  const shared = { binds: ['usr', 'etc/alternatives'], folders: new Set(['usr']), links: [] }
  const setup = (hierarchies: Parameters<typeof setupScript>[0]['hierarchies'], root = '/var/state/root') =>
    setupScript({ name: 'n', root, pidFile: '/var/state/pid', shared, hierarchies, files: [] })

  it('enters the root group before its namespace is made, and the leaf after', () => {
    const script = enterScript({ roots: ['/cg/a/cgroup.procs'], leaves: ['/cg/a/init/cgroup.procs'] }, 'SETUP')
    const order = ['echo $$ > /cg/a/cgroup.procs', 'unshare --cgroup', '/cg/a/init/cgroup.procs', 'unshare --net', 'SETUP'].map((part) =>
      script.indexOf(part),
    )
    expect(order.every((at) => at !== -1)).toBe(true)
    expect(order).toEqual([...order].sort((a, b) => a - b))
  })

  it('gives the controllers on where there is only version 2', () => {
    const script = setup([{ version: 2, mount: '/sys/fs/cgroup', options: '' }])
    expect(script).toContain('mount -t cgroup2 cgroup2 sys/fs/cgroup\n')
    expect(script).toContain("sed 's/[a-z]\\+/+&/g' sys/fs/cgroup/cgroup.controllers > sys/fs/cgroup/cgroup.subtree_control")
  })

  it('shows joined controllers under each of their names', () => {
    const script = setup([{ version: 1, mount: '/sys/fs/cgroup/cpu,cpuacct', options: 'cpu,cpuacct' }])
    expect(script).toContain('mount -t cgroup -o cpu,cpuacct cgroup sys/fs/cgroup/cpu,cpuacct')
    expect(script).toContain('ln -s cpu,cpuacct sys/fs/cgroup/cpuacct')
  })

  it('spells a folder with spaces as the mount table does', () => {
    expect(setup([], '/home/ana/My State/root')).toContain(`'/home/ana/My\\040State/root/usr'`)
  })
})

describe('rootFiles', () => {
  it('lets only the given key in, and no password', () => {
    const files = rootFiles({
      name: 'one',
      address: '10.77.1.2',
      authorizedKey: 'ssh-ed25519 AAAA',
      hostKey: 'PRIVATE',
      machineId: '0'.repeat(32),
      resolvConf: '',
      shell: '/bin/sh',
    })
    expect(files['root/.ssh/authorized_keys']).toEqual({ mode: 0o600, content: 'ssh-ed25519 AAAA\n' })
    expect(files['etc/ssh/ssh_host_ed25519_key']?.mode).toBe(0o600)
    expect(files['etc/shadow']).toMatchObject({ mode: 0o600, content: expect.stringMatching(/^root:\*:/) as string })
    expect(files['etc/ssh/sshd_config']?.content).toContain('PasswordAuthentication no')
  })
})

describe('a firewall that is there', () => {
  it('is told of a bridge only where it would drop what is forwarded', () => {
    expect(dropsForwarded('-P FORWARD DROP\n-A FORWARD -j DOCKER-USER\n')).toBe(true)
    expect(dropsForwarded('-P FORWARD ACCEPT\n-A FORWARD -i x -j DROP\n')).toBe(false)
  })

  it('lets in from outside only what was asked for inside', () => {
    const [out, back] = forwardRules('fl-1').map((rule) => rule.join(' '))
    expect(out).toMatch(/^-i fl-1 .*-j ACCEPT$/)
    expect(back).toMatch(/^-o fl-1 .*--ctstate RELATED,ESTABLISHED .*-j ACCEPT$/)
  })
})

describe('parseProcessId', () => {
  it('takes what the setup script writes and nothing half-written', () => {
    expect(parseProcessId('71 12345 0a-1b\n')).toEqual({ pid: 71, startTime: '12345', bootId: '0a-1b' })
    for (const bad of ['', '71', '71 12345', 'x 1 2']) expect(parseProcessId(bad)).toBeNull()
  })
})
