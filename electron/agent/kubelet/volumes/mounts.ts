/** The kernel's mounts: what is mounted where, and mounting by util-linux' programs. */
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'

const run = promisify(execFile)

export interface Mounts {
  /** Mount points at or below `path`, deepest first. */
  below(path: string): Promise<string[]>
  isMounted(path: string): Promise<boolean>
  mount(type: string, source: string, target: string, options: readonly string[]): Promise<void>
  /** Makes `target` (an existing folder or file) show what is at `source`. */
  bind(source: string, target: string): Promise<void>
  unmount(path: string): Promise<void>
}

export const systemMounts: Mounts = {
  async below(path) {
    const all = (await mountPoints()).filter((point) => point === path || point.startsWith(`${path}/`))
    return all.toSorted((a, b) => b.length - a.length)
  },
  async isMounted(path) {
    return (await mountPoints()).includes(path)
  },
  async mount(type, source, target, options) {
    await mount(['-t', type, ...(options.length ? ['-o', options.join(',')] : []), source, target])
  },
  async bind(source, target) {
    // The source is a link of /proc that must be taken as it stands.
    await mount(['--no-canonicalize', '-o', 'bind', source, target])
  },
  async unmount(path) {
    try {
      await run('umount', [path])
    } catch {
      // Somebody still has a file of it open: it goes when he closes it.
      await run('umount', ['-l', path])
    }
  },
}

async function mount(args: readonly string[]): Promise<void> {
  try {
    await run('mount', args)
  } catch (error) {
    const stderr = typeof error === 'object' && error !== null && 'stderr' in error ? String(error.stderr).trim() : String(error)
    throw new Error(`mount failed: mount ${args.join(' ')}: ${stderr}`, { cause: error })
  }
}

/** Source: proc(5), mountinfo. Spaces and the like are written as octal escapes. */
async function mountPoints(): Promise<string[]> {
  const text = await readFile('/proc/self/mountinfo', 'utf8')
  const points = text.split('\n').map((line) => line.split(' ')[4] ?? '')
  return points.map((point) => point.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8))))
}
