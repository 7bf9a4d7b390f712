/** Whether a machine can be a node: one row a check, from what was found out. Nothing here touches the machine. */
import type { PreflightCheck } from '../../api/infra/v1alpha1/types.ts'
import { FlotillaError } from '../../base/errors.ts'
import { AGENT_PORT, LAYOUT, VXLAN_PORT } from '../layout.ts'
import { installCommand, WORKER_REQUIREMENTS, type Requirement } from '../packages.ts'
import type { RootMode } from '../ssh/sudo.ts'
import type { MachineFacts } from './facts.ts'
import { packageHint } from './os-family.ts'

export interface PreflightInput {
  readonly facts: MachineFacts
  readonly root: RootMode
  /** What is missing will be installed. */
  readonly installRuntime: boolean
  /** "CLUSTER NAME" as it will be written down. */
  readonly owner: string
  /** This computer's time before the machine was asked for its own and after it had answered: milliseconds since the epoch. */
  readonly clock: { readonly before: number; readonly after: number }
  /** The address that the node will have. */
  readonly nodeIP: string
  /** Null if sshd forwards ports both ways, else what it said. */
  readonly forwarding: string | null
}

export interface PreflightResult {
  readonly checks: readonly PreflightCheck[]
  /** What would have to be installed. */
  readonly missing: readonly Requirement[]
}

const NEEDED_FREE_MIB = 500
const GOOD_FREE_MIB = 4096
const NEEDED_MEMORY_MIB = 384
const GOOD_MEMORY_MIB = 1024
const NEEDED_CONTROLLERS = ['cpu', 'cpuset', 'memory', 'pids']
/** containerd cannot lay its layers over these. */
const NO_OVERLAY_ON = ['overlayfs', 'nfs', 'fuseblk', 'fuse', 'ecryptfs', 'ramfs', 'msdos', 'cifs', 'smb2', 'v9fs']

export function preflight(input: PreflightInput): PreflightResult {
  const { facts } = input
  const checks = [
    operatingSystem(facts),
    kernel(facts),
    libc(facts),
    rights(input),
    services(input),
    owner(input),
    cgroups(facts),
    disk(facts),
    storage(facts),
    memory(facts),
    swap(facts),
    time(input),
    address(input),
    ...programs(input),
    ...network(input),
    ports(input),
    forwarding(input),
    ...obstacles(facts),
  ]
  return { checks: checks.filter((check) => check !== null), missing: missingPrograms(facts) }
}

/** Null if nothing failed, else the error that stops: NO_CONTAINERD where only that is missing, PREFLIGHT_FAILED otherwise. */
export function preflightError(host: string, { checks, missing }: PreflightResult, facts: MachineFacts): FlotillaError | null {
  const failed = checks.filter((check) => check.state === 'fail')
  const [first] = failed
  if (!first) return null
  const more = failed.slice(1).map((check) => check.name)
  const onlyPrograms = failed.every((check) => PROGRAM_CHECKS.has(check.name))
  const names = missing.map((requirement) => requirement.name).join(', ')
  if (onlyPrograms && missing.length)
    return new FlotillaError('NO_CONTAINERD', {
      what: `${host} lacks what runs containers.`,
      why: `Missing: ${names}.`,
      next: facts.packageManager
        ? withHint(`Let Flotilla install it, or run there as root: ${installCommand(facts.packageManager, missing)}`, facts)
        : `Install ${names} there, then try again.`,
    })
  return new FlotillaError('PREFLIGHT_FAILED', {
    what: `${host} cannot be a node yet.`,
    why: `${first.name}: ${first.found}.${more.length ? ` Also: ${more.join(', ')}.` : ''}`,
    next: first.advice ?? 'See the checks, then try again.',
  })
}

const ok = (name: string, found: string): PreflightCheck => ({ name, state: 'ok', found })
const warn = (name: string, found: string, advice: string): PreflightCheck => ({ name, state: 'warn', found, advice })
const fail = (name: string, found: string, advice: string): PreflightCheck => ({ name, state: 'fail', found, advice })

const gibibytes = (mib: number) => (mib >= 1024 ? `${(mib / 1024).toFixed(1)} GiB` : `${mib} MiB`)

function operatingSystem(facts: MachineFacts): PreflightCheck {
  const name = 'Operating system'
  if (facts.system !== 'Linux') return fail(name, facts.system || 'unknown', 'A node needs Linux.')
  const found = `${facts.osName || 'Linux'}, ${facts.architecture ?? facts.machine}`
  return facts.architecture ? ok(name, found) : fail(name, found, 'A node needs a 64-bit x86 or ARM processor and system.')
}

function kernel({ kernel: release }: MachineFacts): PreflightCheck {
  const [major = 0, minor = 0] = release.split('.').map((part) => Number.parseInt(part, 10))
  const number = major * 1000 + minor
  if (number < 4018) return fail('Kernel', release, 'Kernel 4.18 or newer is needed; 5.10 is a good start.')
  return number < 5004 ? warn('Kernel', release, 'It works; some limits and counters need 5.4 or newer.') : ok('Kernel', release)
}

const RIGHTS: Record<RootMode, string> = {
  root: 'signed in as root',
  sudo: 'sudo without a password',
  'sudo with password': 'sudo with a password',
  doas: 'doas without a password',
  'doas with password': 'doas with a password',
}

/** The runtime's own: below it the programs that are copied do not start. */
const NEEDED_GLIBC = [2, 28] as const

function libc({ libc: found }: MachineFacts): PreflightCheck | null {
  const name = 'C library'
  if (found === null) return null
  const what = `${found.kind} ${found.version}`
  if (found.kind === 'musl')
    return fail(name, what, "Flotilla's runtime needs glibc: use a machine with Debian, Ubuntu, Fedora, RHEL, SUSE or Arch.")
  return olderThan(found.version, ...NEEDED_GLIBC)
    ? fail(name, what, `glibc ${NEEDED_GLIBC.join('.')} or newer is needed: Debian 10, Ubuntu 18.10, RHEL 8 or newer.`)
    : ok(name, what)
}

function rights({ root }: PreflightInput): PreflightCheck {
  return ok('Rights', RIGHTS[root])
}

function services({ facts, root }: PreflightInput): PreflightCheck {
  if (facts.systemd) return ok('Services', `systemd ${facts.systemd}`)
  return root.endsWith('with password')
    ? warn(
        'Services',
        facts.init ?? 'no systemd',
        'After a restart of the machine, sign in again with Retry: nothing there starts services.',
      )
    : ok('Services', `${facts.init ?? 'no systemd'}; Flotilla starts its services itself`)
}

function owner({ facts, owner: own }: PreflightInput): PreflightCheck {
  if (facts.owner === null) return ok('Free to use', 'no Flotilla on it')
  if (facts.owner === own) return ok('Free to use', 'set up by this cluster before')
  const [cluster] = own.split(' ')
  const [otherCluster, otherName] = facts.owner.split(' ')
  return otherCluster === cluster
    ? fail('Free to use', `it is the machine "${otherName}" of this cluster`, `Remove the machine "${otherName}" first, or use that name.`)
    : fail(
        'Free to use',
        'it belongs to another Flotilla',
        `Remove it there. If that Flotilla is gone, run on the machine as root: ${LAYOUT.uninstall}`,
      )
}

function cgroups({ cgroups: { version, controllers } }: MachineFacts): PreflightCheck {
  const missing = NEEDED_CONTROLLERS.filter((controller) => !controllers.includes(controller))
  const found = `version ${version}${version === 1 ? ' or hybrid' : ''}`
  if (missing.length === 0) return ok('Control groups', found)
  return fail(
    'Control groups',
    `${found} without ${missing.join(', ')}`,
    missing.includes('memory')
      ? 'Add "cgroup_enable=memory cgroup_memory=1" to the kernel command line (Raspberry Pi: /boot/firmware/cmdline.txt) and restart it.'
      : 'Mount these controllers, or use a distribution with systemd.',
  )
}

function disk({ freeMib }: MachineFacts): PreflightCheck {
  const free = Math.min(freeMib.programs, freeMib.state)
  const found =
    freeMib.programs === freeMib.state
      ? `${gibibytes(free)} free`
      : `${gibibytes(freeMib.state)} free for state, ${gibibytes(freeMib.programs)} for programs`
  if (free < NEEDED_FREE_MIB) return fail('Disk', found, `Free at least ${NEEDED_FREE_MIB} MiB in /opt and /var/lib; images need more.`)
  return free < GOOD_FREE_MIB ? warn('Disk', found, 'Images and logs need room; 4 GiB is a good start.') : ok('Disk', found)
}

function storage({ filesystem, overlay }: MachineFacts): PreflightCheck {
  if (!overlay) return fail('Image storage', 'the kernel has no overlayfs', 'Load the kernel module "overlay".')
  if (NO_OVERLAY_ON.includes(filesystem))
    return fail('Image storage', `/var/lib is on ${filesystem}, which cannot hold layers`, 'Mount ext4, xfs or btrfs at /var/lib/flotilla.')
  return ok('Image storage', `overlayfs on ${filesystem || 'an unknown file system'}`)
}

function memory({ memoryMib }: MachineFacts): PreflightCheck {
  const found = gibibytes(memoryMib)
  if (memoryMib < NEEDED_MEMORY_MIB) return fail('Memory', found, `Give the machine at least ${NEEDED_MEMORY_MIB} MiB.`)
  return memoryMib < GOOD_MEMORY_MIB ? warn('Memory', found, 'About 150 MiB go to Flotilla; few pods will fit.') : ok('Memory', found)
}

function swap({ swapMib }: MachineFacts): PreflightCheck {
  return swapMib === 0
    ? ok('Swap', 'none')
    : warn('Swap', gibibytes(swapMib), 'It works. Pods may be slowed by swapping instead of being ended at their memory limit.')
}

function time({ facts: { now }, clock: { before, after } }: PreflightInput): PreflightCheck {
  const skew = now < before ? now - before : Math.max(0, now - after)
  const seconds = Math.abs(skew) / 1000
  if (seconds <= 2) return ok('Clock', 'right to two seconds')
  const found = `${seconds < 120 ? `${seconds.toFixed(0)} s` : `${(seconds / 60).toFixed(0)} min`} ${skew > 0 ? 'ahead' : 'behind'}`
  return seconds > 300
    ? fail(
        'Clock',
        found,
        'Certificates would not be valid. Set the time there, or turn on time synchronisation (timedatectl set-ntp true).',
      )
    : warn('Clock', found, 'Turn on time synchronisation there (timedatectl set-ntp true).')
}

function address({ facts, nodeIP }: PreflightInput): PreflightCheck {
  const name = 'Address'
  if (!nodeIP || nodeIP.startsWith('127.') || nodeIP === '::1')
    return warn(name, nodeIP || 'none', 'Other nodes cannot reach it there. Give it an address on a network that they share.')
  if (facts.addresses.length && !facts.addresses.includes(nodeIP))
    return fail(name, `${nodeIP} is none of its own`, `It has ${facts.addresses.join(', ')}: choose the one that other nodes reach.`)
  return ok(name, nodeIP)
}

const PROGRAM_CHECKS = new Set(['containerd', 'runc', 'CNI plugins', 'nftables', 'iproute2', 'VXLAN', 'Bridge'])

function missingPrograms(facts: MachineFacts): Requirement[] {
  const there: Record<string, boolean> = {
    containerd: facts.containerd !== null,
    runc: facts.runc !== null,
    'CNI plugins': facts.cni !== null && facts.cni.missing.length === 0,
    nftables: facts.nft !== 'it is not installed',
    iproute2: facts.iproute !== null,
  }
  return WORKER_REQUIREMENTS.filter((requirement) => !there[requirement.name])
}

function programs({ facts, installRuntime }: PreflightInput): PreflightCheck[] {
  const missing = missingPrograms(facts)
  const found: Record<string, string | null> = {
    containerd: facts.containerd,
    runc: facts.runc,
    'CNI plugins': facts.cni && `in ${facts.cni.dir}`,
    iproute2: facts.iproute?.replace(/^ip utility, /, '') ?? null,
  }
  const advice = facts.packageManager
    ? withHint(`Let Flotilla install it, or run as root: ${installCommand(facts.packageManager, missing)}`, facts)
    : 'Install it with the package manager of that system.'
  return WORKER_REQUIREMENTS.flatMap((requirement) => {
    const { name } = requirement
    if (missing.includes(requirement)) {
      const what = name === 'CNI plugins' && facts.cni ? `without ${facts.cni.missing.join(', ')}` : 'not installed'
      return [
        installRuntime && facts.packageManager ? warn(name, what, `${facts.packageManager} will install it.`) : fail(name, what, advice),
      ]
    }
    if (name === 'nftables')
      return facts.nft === null ? [] : [fail(name, facts.nft, 'Load the kernel modules "nf_tables" and "nft_chain_nat".')]
    if (name === 'containerd' && olderThan(facts.containerd ?? '', 1, 5))
      return [fail(name, facts.containerd ?? '', 'containerd 1.5 or newer is needed; 1.7 is a good start.')]
    return [ok(name, found[name] ?? 'found')]
  })
}

/** The hint first, so that a command that is copied stays whole. */
function withHint(text: string, { family, packageManager }: MachineFacts): string {
  const hint = packageManager && packageHint(family, packageManager)
  return hint ? `${hint} ${text}` : text
}

function olderThan(version: string, major: number, minor: number): boolean {
  const [a = 0, b = 0] = version.split('.').map((part) => Number.parseInt(part, 10))
  return a < major || (a === major && b < minor)
}

function network({ facts, installRuntime }: PreflightInput): PreflightCheck[] {
  const later = facts.iproute === null
  const tried = (name: string, said: string | null, module: string): PreflightCheck => {
    if (said === null) return ok(name, 'works')
    if (later)
      return installRuntime ? warn(name, 'not tried', 'It is tried once iproute2 is there.') : fail(name, said, 'Install iproute2 there.')
    return fail(name, said, `Load the kernel module "${module}"; some distributions have it in a package of extra modules.`)
  }
  const filter = facts.bridgeFilter
    ? ok('Bridge filter', 'works')
    : warn(
        'Bridge filter',
        'no br_netfilter',
        'Load the kernel module "br_netfilter": pods cannot reach Services of pods on their own node without it.',
      )
  return [tried('VXLAN', facts.vxlan, 'vxlan'), tried('Bridge', facts.bridge, 'bridge'), filter]
}

function ports({ facts, owner: own }: PreflightInput): PreflightCheck {
  const name = 'Ports'
  const needed = [`tcp ${AGENT_PORT}`, `udp ${VXLAN_PORT}`]
  if (facts.owner === own) return ok(name, `${needed.join(' and ')} are Flotilla's own`)
  const taken = needed.filter((port) => facts.listening.has(port))
  if (taken.length === 0) return ok(name, `${needed.join(' and ')} are free`)
  return fail(
    name,
    `${taken.join(' and ')} in use`,
    'Another kubelet or network may run there (k3s, kubeadm, flannel): remove it from this machine first.',
  )
}

function forwarding({ forwarding: said }: PreflightInput): PreflightCheck {
  if (said === null) return ok('SSH forwarding', 'works both ways')
  return fail('SSH forwarding', said, 'Set "AllowTcpForwarding yes" in sshd_config there and reload sshd.')
}

function obstacles({ selinux, firewall }: MachineFacts): (PreflightCheck | null)[] {
  return [
    selinux === 'enforcing'
      ? warn('SELinux', 'enforcing', 'It works; volumes from the host (hostPath) may need labels that allow containers in.')
      : null,
    firewall === null
      ? null
      : warn('Firewall', firewall, `Nodes must reach each other on UDP ${VXLAN_PORT}, and pods' addresses must be let through.`),
  ]
}
