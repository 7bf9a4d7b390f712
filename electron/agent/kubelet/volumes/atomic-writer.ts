/**
 * Files of a volume that change all at once: a reader sees the old set or the new one, never a mixture. The set lies in a folder of its
 * own that `..data` points to; what users see are links through `..data`. Source: kubernetes `volume/util/atomic_writer.go`.
 */
import { chmod, chown, lstat, mkdir, readdir, readFile, readlink, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { systemCode } from '../../../base/errors.ts'

export interface FileProjection {
  readonly data: Uint8Array
  /** Permission bits. */
  readonly mode: number
  /** Owner; absent: root. */
  readonly user?: number
}

/** By path relative to the volume, without `..` parts. */
export type Payload = ReadonlyMap<string, FileProjection>

const DATA = '..data'
const NEW_DATA = '..data_tmp'

/**
 * Writes the payload under `dir` unless it is there already; returns whether anything was written. `finish` gets the folder of the new
 * set before anybody can see it.
 */
export async function writeAtomicSet(
  dir: string,
  payload: Payload,
  now: number,
  finish: (folder: string) => Promise<void> = async () => undefined,
): Promise<boolean> {
  for (const path of payload.keys()) checkPath(path)
  const old = await readlink(join(dir, DATA)).catch((error: unknown) => {
    if (systemCode(error) === 'ENOENT') return null
    throw error
  })
  const visible = new Set([...payload.keys()].map((path) => path.split('/')[0] ?? ''))
  if (old !== null && (await holds(join(dir, old), payload)) && (await showsExactly(dir, visible))) return false

  const name = await makeSetFolder(dir, now)
  try {
    await writeFiles(join(dir, name), payload)
    await finish(join(dir, name))
    for (const entry of visible) await link(join(DATA, entry), join(dir, entry))
    await link(name, join(dir, NEW_DATA))
    await rename(join(dir, NEW_DATA), join(dir, DATA))
  } catch (error) {
    await rm(join(dir, name), { recursive: true, force: true })
    throw error
  }
  for (const entry of await readdir(dir)) {
    if (entry.startsWith('..') ? entry !== DATA && entry !== name : !visible.has(entry))
      await rm(join(dir, entry), { recursive: true, force: true })
  }
  return true
}

function checkPath(path: string): void {
  const parts = path.split('/')
  if (path === '' || path.startsWith('/') || parts.includes('..'))
    throw new Error(`invalid path: must be relative and not contain '..': ${path}`)
  if (parts[0]?.startsWith('..')) throw new Error(`invalid path: must not start with '..': ${path}`)
}

async function holds(folder: string, payload: Payload): Promise<boolean> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => [])
  const files = entries.filter((entry) => !entry.isDirectory()).map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
  if (files.length !== payload.size) return false
  for (const path of files) {
    const wanted = payload.get(path)
    if (!wanted) return false
    const [data, stat] = await Promise.all([readFile(join(folder, path)), lstat(join(folder, path))])
    // A group that may read a volume adds to the mode that was asked for.
    if (!data.equals(wanted.data) || (stat.mode & wanted.mode) !== wanted.mode || stat.uid !== (wanted.user ?? 0)) return false
  }
  return true
}

async function showsExactly(dir: string, visible: ReadonlySet<string>): Promise<boolean> {
  const shown = (await readdir(dir)).filter((entry) => !entry.startsWith('..'))
  return shown.length === visible.size && shown.every((entry) => visible.has(entry))
}

/** A time's name tells people when the set was made. */
async function makeSetFolder(dir: string, now: number): Promise<string> {
  const stamp = new Date(now).toISOString().slice(0, 19).replace(/[-T:]/g, '_')
  for (let n = 0; ; n++) {
    const name = `..${stamp}.${String(now % 1000).padStart(3, '0')}${n}`
    try {
      await mkdir(join(dir, name), { mode: 0o755 })
      await chmod(join(dir, name), 0o755)
      return name
    } catch (error) {
      if (systemCode(error) !== 'EEXIST') throw error
    }
  }
}

async function writeFiles(folder: string, payload: Payload): Promise<void> {
  for (const [path, { data, mode, user }] of payload) {
    const file = join(folder, path)
    await mkdir(dirname(file), { recursive: true, mode: 0o755 })
    await writeFile(file, data, { mode })
    // The process's umask takes from what `writeFile` sets.
    await chmod(file, mode)
    if (user !== undefined) await chown(file, user, -1)
  }
}

async function link(target: string, path: string): Promise<void> {
  await rm(path, { recursive: true, force: true })
  await symlink(target, path)
}
