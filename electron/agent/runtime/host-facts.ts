/** What this machine's kernel lets a container runtime do, found out by looking and trying. */
import { execFile } from 'node:child_process'
import { access, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

export interface HostFacts {
  /** Whether processes may be made less likely to be killed for memory: CAP_SYS_RESOURCE. */
  readonly canLowerOomScore: boolean
  /** Whether the kernel has AppArmor on and its parser is installed. */
  readonly appArmor: boolean
  /** Whether overlay mounts work on the disk of containerd's root; in a container they often do not. */
  readonly overlay: boolean
}

const CAP_SYS_RESOURCE = 24n

/** `root` is containerd's root folder; it is made if missing. */
export async function findHostFacts(root: string): Promise<HostFacts> {
  const [canLowerOomScore, appArmor, overlay] = await Promise.all([hasCapability(CAP_SYS_RESOURCE), hasAppArmor(), hasOverlay(root)])
  return { canLowerOomScore, appArmor, overlay }
}

async function hasCapability(bit: bigint): Promise<boolean> {
  const status = await readFile('/proc/self/status', 'utf8')
  const effective = /^CapEff:\s*([0-9a-f]+)/m.exec(status)?.[1]
  return effective !== undefined && ((BigInt(`0x${effective}`) >> bit) & 1n) === 1n
}

async function hasAppArmor(): Promise<boolean> {
  const enabled = await readFile('/sys/module/apparmor/parameters/enabled', 'utf8').catch(() => 'N')
  if (!enabled.startsWith('Y')) return false
  const parsers = ['/sbin/apparmor_parser', '/usr/sbin/apparmor_parser'].map((path) => access(path).then(() => true))
  return Promise.any(parsers).catch(() => false)
}

async function hasOverlay(root: string): Promise<boolean> {
  await mkdir(root, { recursive: true })
  const dir = await mkdtemp(join(root, '.overlay-'))
  const run = promisify(execFile)
  try {
    const [lower, upper, work, merged] = ['lower', 'upper', 'work', 'merged'].map((name) => join(dir, name)) as [
      string,
      string,
      string,
      string,
    ]
    await Promise.all([lower, upper, work, merged].map((path) => mkdir(path)))
    await run('mount', ['-t', 'overlay', 'overlay', '-o', `lowerdir=${lower},upperdir=${upper},workdir=${work}`, merged])
    await run('umount', [merged])
    return true
  } catch {
    return false
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
}
