/** Whether this computer can make machines of its own, and if not, why. */
import { existsSync, readFileSync } from 'node:fs'
import { FlotillaError } from '../../base/errors.ts'
import { installCommand, PACKAGE_MANAGERS, SANDBOX_REQUIREMENTS } from '../packages.ts'

/** What is asked of this computer. */
export interface HostFacts {
  readonly platform: NodeJS.Platform
  readonly uid: number | undefined
  exists(path: string): boolean
  /** The text of a file; throws if it cannot be read. */
  read(path: string): string
}

export const thisHost: HostFacts = {
  platform: process.platform,
  uid: process.getuid?.(),
  exists: existsSync,
  read: (path) => readFileSync(path, 'utf8'),
}

const WHAT = 'This computer cannot make machines of its own.'
const OTHERWISE = 'Add a machine over SSH instead'
const NAMESPACES = ['net', 'mnt', 'pid', 'uts', 'ipc', 'cgroup']
/** Bits of linux/capability.h. */
const CAPABILITIES = { CAP_NET_ADMIN: 12, CAP_SYS_CHROOT: 18, CAP_SYS_ADMIN: 21, CAP_MKNOD: 27 }

/** Null if sandbox machines can be made here, else an error that says what is missing and how to get it. */
export async function sandboxSupport(host: HostFacts = thisHost): Promise<FlotillaError | null> {
  if (host.platform !== 'linux')
    return new FlotillaError('UNSUPPORTED', {
      what: WHAT,
      why: `It needs Linux, and this is ${host.platform === 'darwin' ? 'macOS' : host.platform === 'win32' ? 'Windows' : host.platform}.`,
      next: `${OTHERWISE}; a virtual machine on this computer will do.`,
    })
  if (host.uid !== 0)
    return new FlotillaError('MISSING_REQUIREMENT', {
      what: WHAT,
      why: 'It needs root, and Flotilla runs as an ordinary user.',
      next: `Start Flotilla with sudo. ${OTHERWISE} if you would rather not.`,
    })
  const lacking = missingKernel(host)
  if (lacking) return new FlotillaError('UNSUPPORTED', { what: WHAT, why: lacking, next: `${OTHERWISE}.` })
  const missing = SANDBOX_REQUIREMENTS.filter((requirement) => !requirement.files.some((file) => host.exists(file)))
  if (missing.length === 0) return null
  const manager = PACKAGE_MANAGERS.find((name) => [`/usr/bin/${name}`, `/bin/${name}`, `/sbin/${name}`].some((file) => host.exists(file)))
  const names = missing.map((requirement) => requirement.name).join(', ')
  return new FlotillaError('MISSING_REQUIREMENT', {
    what: WHAT,
    why: `It lacks ${names}.`,
    next: manager ? `Run as root: ${installCommand(manager, missing)}` : `Install ${names} with this system's package manager.`,
  })
}

function missingKernel(host: HostFacts): string | null {
  const namespace = NAMESPACES.find((name) => !host.exists(`/proc/self/ns/${name}`))
  if (namespace) return `Its kernel has no ${namespace} namespaces.`
  if (!host.exists('/sys/fs/cgroup')) return 'Control groups are not mounted on /sys/fs/cgroup.'
  const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(host.read('/proc/self/status'))?.[1]
  if (!effective) return null
  const bits = BigInt(`0x${effective}`)
  const missing = Object.entries(CAPABILITIES).filter(([, bit]) => !((bits >> BigInt(bit)) & 1n))
  return missing.length ? `Root lacks ${missing.map(([name]) => name).join(', ')} here, as in most containers.` : null
}
