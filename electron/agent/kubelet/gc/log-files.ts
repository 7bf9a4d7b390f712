/** A container's log files: the one that is written, and those before it that were set aside. */
import { readdir, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { systemCode } from '../../../base/errors.ts'

/** Oldest first, the current one last; "0.log.20261121-080000", "0.log". Missing ones are left out. */
export async function logFilesOf(path: string): Promise<string[]> {
  const name = basename(path)
  const entries = await readdir(dirname(path)).catch((error: unknown): string[] => {
    if (systemCode(error) === 'ENOENT') return []
    throw error
  })
  const rotated = entries.filter((entry) => entry.startsWith(`${name}.`)).toSorted()
  const current = entries.includes(name) ? [name] : []
  return [...rotated, ...current].map((entry) => join(dirname(path), entry))
}

/** The name under which a full log is set aside; sorts by time. */
export function rotatedName(path: string, now: number): string {
  const stamp = new Date(now).toISOString()
  return `${path}.${stamp.slice(0, 19).replace(/[-:]/g, '').replace('T', '-')}${stamp.slice(20, 23)}`
}

export async function removeLogs(path: string): Promise<void> {
  await Promise.all((await logFilesOf(path)).map((file) => rm(file, { force: true })))
}

/** Bytes; 0 if it is not there. */
export async function sizeOf(path: string): Promise<number> {
  return stat(path).then(
    ({ size }) => size,
    () => 0,
  )
}
