import { open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { FlotillaError, messageOf, systemCode } from '../../base/errors.ts'
import { readSnapshot, type SnapshotFile } from '../../store/snapshot/read-snapshot.ts'

/** What a snapshot holds, for people and programs. */
export interface SnapshotFacts {
  readonly file: string
  /** Bytes of the file, and those of the database in it. */
  readonly size: number
  readonly totalSize: number
  /** As `etcdctl snapshot status` gives them. */
  readonly hash: number
  readonly revision: number
  readonly totalKey: number
  /** How many keys exist at its revision. */
  readonly keys: number
  readonly compactRevision: number
  readonly leases: number
}

const FULL = ['ENOSPC', 'EDQUOT']

/**
 * Writes a snapshot under another name beside, reads it all again, and only then puts it in its place: under its name there is never
 * half a snapshot, and what was there before stays until then. Nobody else can read it: secrets are in it. Rejects with FlotillaError
 * `DISK_FULL`, `INVALID_INPUT` or `STATE_UNREADABLE`, or with what `chunks` throws; then nothing is left.
 */
export async function writeSnapshotFile(file: string, chunks: AsyncIterable<Uint8Array>): Promise<SnapshotFacts> {
  const part = `${file}.part`
  const handle = await open(part, 'w', 0o600).catch((error: unknown) => {
    throw writeError(file, error)
  })
  try {
    try {
      for await (const chunk of chunks) await handle.writeFile(chunk).catch(failWith(file))
      await handle.sync().catch(failWith(file))
    } finally {
      await handle.close()
    }
    const facts = await readFacts(part)
    await rename(part, file).catch(failWith(file))
    await syncFolder(dirname(file))
    return { ...facts, file }
  } catch (error) {
    await rm(part, { force: true })
    throw error
  }
}

/** Reads and checks a whole snapshot. Rejects as `readSnapshot`. */
export async function readFacts(file: string, options: { skipHashCheck?: boolean } = {}): Promise<SnapshotFacts> {
  await using snapshot = await readSnapshot(file, options)
  return factsOf(snapshot)
}

export function factsOf({ path, size, totalSize, hash, revision, totalKeys, keys, compactRevision, leases }: SnapshotFile): SnapshotFacts {
  return { file: path, size, totalSize, hash, revision, totalKey: totalKeys, keys, compactRevision, leases: leases.length }
}

function failWith(file: string): (error: unknown) => never {
  return (error) => {
    throw writeError(file, error)
  }
}

function writeError(file: string, error: unknown): FlotillaError {
  const what = `The snapshot ${file} was not written.`
  if (FULL.includes(systemCode(error) ?? '')) {
    return new FlotillaError('DISK_FULL', {
      what,
      why: 'The disk is full.',
      next: 'Make room on it, or name a file on another disk.',
      cause: error,
    })
  }
  const next = 'Name a file in a folder that exists and that you may write to.'
  return new FlotillaError('INVALID_INPUT', { what, why: `${messageOf(error)}.`, next, cause: error })
}

/** So that the new name is there after a power cut. A folder cannot be opened on Windows, and need not be. */
async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
