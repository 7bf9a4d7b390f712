/**
 * A part of a volume as a mount of its own. A container may change the volume's links at any time, so each step of the path is opened
 * without following links, from the step before, and what was opened is mounted by its descriptor. Source: kubernetes
 * `volume/util/subpath`.
 */
import { constants } from 'node:fs'
import { mkdir, open, realpath, rm, stat, writeFile } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { systemCode } from '../../../base/errors.ts'
import type { Mounts } from './mounts.ts'

/** Linux: names a file without opening it for reading; missing in Node's list. */
const O_PATH = 0x200000
const { O_DIRECTORY, O_NOFOLLOW } = constants

export interface SubPathInput {
  /** Root of the volume. */
  readonly volume: string
  /** Relative, without `..` parts. */
  readonly path: string
  /** Whether what is missing may be made, as a folder. */
  readonly writable: boolean
  /** Where to mount it. */
  readonly target: string
}

/** Mounts the part and returns where; throws Error if it leads out of the volume. */
export async function mountSubPath(input: SubPathInput, mounts: Mounts): Promise<string> {
  const { volume, path, target } = input
  const root = await realpath(volume)
  const isFile = (await stat(root)).isFile()
  if (!isFile && input.writable) await makeMissing(root, path)
  const real = isFile ? root : await realpath(join(root, path))
  if (real !== root && !real.startsWith(`${root}/`))
    throw new Error(`subpath ${JSON.stringify(path)} not within volume path ${JSON.stringify(volume)}`)
  await using handle = await openBeneath(root, relative(root, real))
  await prepareTarget(target, (await handle.stat()).isDirectory(), mounts)
  await mounts.bind(`/proc/${process.pid}/fd/${handle.fd}`, target)
  return target
}

async function openBeneath(root: string, path: string): Promise<FileHandle> {
  let current = await open(root, O_PATH | O_NOFOLLOW)
  try {
    for (const step of path.split('/').filter(Boolean)) {
      const next = await open(`/proc/self/fd/${current.fd}/${step}`, O_PATH | O_NOFOLLOW)
      await current.close()
      current = next
      if ((await current.stat()).isSymbolicLink()) throw new Error(`unexpected symlink found ${step} in ${join(root, path)}`)
    }
    return current
  } catch (error) {
    await current.close()
    throw error
  }
}

/** Makes the missing end of the path with the permissions of the volume's root, one folder at a time, without following links. */
async function makeMissing(root: string, path: string): Promise<void> {
  const mode = (await stat(root)).mode & 0o7777
  let done = root
  for (const step of path.split('/').filter(Boolean)) {
    const next = await realpath(join(done, step)).catch((error: unknown) => {
      if (systemCode(error) === 'ENOENT') return null
      throw error
    })
    if (next !== null && next !== root && !next.startsWith(`${root}/`)) return
    if (next === null) {
      await using parent = await open(done, O_PATH | O_DIRECTORY | O_NOFOLLOW)
      await mkdir(`/proc/self/fd/${parent.fd}/${step}`, { mode })
      await using made = await open(`/proc/self/fd/${parent.fd}/${step}`, constants.O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
      await made.chmod(mode)
    }
    done = next ?? join(done, step)
  }
}

async function prepareTarget(target: string, directory: boolean, mounts: Mounts): Promise<void> {
  if (await mounts.isMounted(target)) await mounts.unmount(target)
  await rm(target, { recursive: true, force: true })
  await mkdir(dirname(target), { recursive: true, mode: 0o750 })
  if (directory) await mkdir(target, { mode: 0o750 })
  else await writeFile(target, '', { mode: 0o640 })
}
