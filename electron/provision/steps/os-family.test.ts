import { describe, expect, it } from 'vitest'
import { installCommand, WORKER_REQUIREMENTS } from '../packages.ts'
import { parseFacts, type MachineFacts } from './facts.ts'
import { parseLibc } from './os-family.ts'
import { preflight, preflightError } from './preflight.ts'

/** What the script prints of a system, and the packages that would be asked of it. */
const SYSTEMS: readonly [name: string, printed: string, family: string, packages: string][] = [
  [
    'Debian 12',
    'os=Debian GNU/Linux 12 (bookworm)\nosId=debian\nosLike=\nlibc=glibc 2.36\nmanager=apt-get\nsystemd=252',
    'debian',
    'apt-get install -y --no-install-recommends containerd runc containernetworking-plugins nftables iproute2',
  ],
  [
    'Ubuntu 24.04',
    'os=Ubuntu 24.04.1 LTS\nosId=ubuntu\nosLike=debian\nlibc=glibc 2.39\nmanager=apt-get\nsystemd=255',
    'debian',
    'apt-get install -y --no-install-recommends containerd runc containernetworking-plugins nftables iproute2',
  ],
  [
    'Linux Mint',
    'os=Linux Mint 22\nosId=linuxmint\nosLike=ubuntu debian\nlibc=glibc 2.39\nmanager=apt-get\nsystemd=255',
    'debian',
    'apt-get install -y --no-install-recommends containerd runc containernetworking-plugins nftables iproute2',
  ],
  [
    'Fedora 41',
    'os=Fedora Linux 41 (Server Edition)\nosId=fedora\nosLike=\nlibc=glibc 2.40\nmanager=dnf\nsystemd=256',
    'fedora',
    'dnf install -y containerd runc containernetworking-plugins nftables iproute',
  ],
  [
    'Rocky Linux 9',
    'os=Rocky Linux 9.4 (Blue Onyx)\nosId=rocky\nosLike=rhel centos fedora\nlibc=glibc 2.34\nmanager=dnf\nsystemd=252',
    'rhel',
    'dnf install -y containerd runc containernetworking-plugins nftables iproute',
  ],
  [
    'a RHEL of somebody else',
    'os=Euro 9\nosId=eurolinux\nosLike=rhel fedora centos\nlibc=glibc 2.34\nmanager=dnf\nsystemd=252',
    'rhel',
    'dnf install -y containerd runc containernetworking-plugins nftables iproute',
  ],
  [
    'openSUSE Tumbleweed',
    'os=openSUSE Tumbleweed\nosId=opensuse-tumbleweed\nosLike=opensuse suse\nlibc=glibc 2.40\nmanager=zypper\nsystemd=256',
    'suse',
    'zypper --non-interactive install containerd runc cni-plugins nftables iproute2',
  ],
  [
    'Arch',
    'os=Arch Linux\nosId=arch\nosLike=\nlibc=glibc 2.40\nmanager=pacman\nsystemd=256',
    'arch',
    'pacman -S --noconfirm containerd runc cni-plugins nftables iproute2',
  ],
  [
    'Alpine 3.20',
    'os=Alpine Linux v3.20\nosId=alpine\nosLike=\nlibc=musl libc (x86_64) Version 1.2.5\nmanager=apk\ninit=OpenRC',
    'alpine',
    'apk add containerd runc cni-plugins nftables iproute2',
  ],
]

const REST = `now=1795000000123456789
system=Linux
machine=x86_64
kernel=6.8.0
cgroups=2
controllers=cpuset cpu io memory pids
filesystem=ext2/ext3
freeState=20480
freePrograms=20480
overlay=yes
memory=7950
nft=it is not installed
vxlan=ip is not installed
bridge=ip is not installed
bridgeFilter=yes
`
const check = (facts: MachineFacts, installRuntime = false) =>
  preflight({
    ...{ facts, root: 'root', installRuntime, owner: 'c1 moth', nodeIP: '10.0.0.7', forwarding: null },
    clock: { before: 1795000000100, after: 1795000000200 },
  })

describe('a bare system', () => {
  it.each(SYSTEMS)('%s is told which packages it lacks', (_, printed, family, packages) => {
    const facts = parseFacts(`${REST}${printed}\n`, '')
    expect(facts.family).toBe(family)
    const { missing } = check(facts)
    expect(missing).toEqual(WORKER_REQUIREMENTS)
    expect(installCommand(facts.packageManager ?? 'apk', missing)).toContain(packages)
  })

  it.each(SYSTEMS.filter(([, , family]) => family !== 'alpine'))('%s becomes a node once they are installed', (_, printed) => {
    const facts = parseFacts(`${REST}${printed}\n`, '')
    expect(check(facts, true).checks.filter(({ state }) => state === 'fail')).toEqual([])
  })

  it('of the RHEL family is told first where containerd comes from', () => {
    const facts = parseFacts(`${REST}${SYSTEMS[4]?.[1]}\n`, '')
    expect(preflightError('moth', check(facts), facts)).toMatchObject({
      code: 'NO_CONTAINERD',
      next: expect.stringMatching(
        /^Its own repositories may have no containerd: add EPEL.* run there as root: dnf install -y containerd /,
      ) as string,
    })
  })

  it('without glibc, or with one that is too old, is refused before anything is copied', () => {
    const alpine = parseFacts(`${REST}${SYSTEMS[8]?.[1]}\n`, '')
    expect(preflightError('moth', check(alpine, true), alpine)).toMatchObject({
      code: 'PREFLIGHT_FAILED',
      why: 'C library: musl 1.2.5.',
      next: "Flotilla's runtime needs glibc: use a machine with Debian, Ubuntu, Fedora, RHEL, SUSE or Arch.",
    })
    expect(check(alpine).checks.find(({ name }) => name === 'Services')?.found).toBe('OpenRC; Flotilla starts its services itself')
    const old = parseFacts(`${REST}osId=centos\nlibc=glibc 2.17\nmanager=dnf\n`, '')
    expect(check(old).checks.find(({ name }) => name === 'C library')).toMatchObject({ state: 'fail', found: 'glibc 2.17' })
  })
})

describe('parseLibc', () => {
  it('reads getconf, and ldd of both libraries', () => {
    expect(parseLibc('glibc 2.36')).toEqual({ kind: 'glibc', version: '2.36' })
    expect(parseLibc('ldd (Debian GLIBC 2.36-9+deb12u9) 2.36')).toEqual({ kind: 'glibc', version: '2.36' })
    expect(parseLibc('ldd (Ubuntu GLIBC 2.39-0ubuntu8.3) 2.39')).toEqual({ kind: 'glibc', version: '2.39' })
    expect(parseLibc('ldd (GNU libc) 2.34')).toEqual({ kind: 'glibc', version: '2.34' })
    expect(parseLibc('musl libc (aarch64) Version 1.2.4_git20230717')).toEqual({ kind: 'musl', version: '1.2.4_git20230717' })
    expect(parseLibc('sh: ldd: not found')).toBeNull()
  })
})
