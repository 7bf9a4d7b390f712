/** Files that are whole or not there, whatever happens to the machine. */
import { open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Random } from '../../base/random.ts'

/** Writes beside the file, flushes to disk, and renames. Mode 0600 unless said otherwise. */
export async function writeAtomically(path: string, content: string | Uint8Array, random: Random, mode = 0o600): Promise<void> {
  const temporary = `${path}.${Buffer.from(random.bytes(6)).toString('hex')}.tmp`
  try {
    await using file = await open(temporary, 'wx', mode)
    await file.writeFile(content)
    await file.sync()
    await file.close()
    await rename(temporary, path)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
  await syncFolder(dirname(path))
}

async function syncFolder(path: string): Promise<void> {
  await using folder = await open(path)
  await folder.sync()
}
