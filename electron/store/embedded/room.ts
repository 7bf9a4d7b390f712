import { statfsSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname } from 'node:path'
import { StoreError } from '../store.ts'

/** What the store's other files may come to need meanwhile, in bytes. */
const SPARE = 16 * 1024 * 1024

/**
 * Throws StoreError `noSpace` if there is no room to write the database at `path` anew, which takes so many bytes twice: for its log,
 * and among the system's temporary files.
 */
export function checkRoomToRewrite(bytes: number, path: string): void {
  const own = dirname(path)
  const temporary = temporaryFolder()
  if (statSync(own).dev === statSync(temporary).dev) return check(own, 2 * bytes + SPARE)
  check(own, bytes + SPARE)
  check(temporary, bytes + SPARE)
}

function check(folder: string, wanted: number): void {
  const { bavail, bsize } = statfsSync(folder)
  if (bavail * bsize >= wanted) return
  const [need, have] = [wanted, bavail * bsize].map((bytes) => Math.ceil(bytes / 1024 / 1024))
  const message = `The database cannot be written anew: that takes ${need} MiB in ${folder}, where ${have} MiB are free. Make room, then try again.`
  throw new StoreError('noSpace', message)
}

/** Where SQLite puts its temporary files ("Temporary Files Used By SQLite", 5). */
function temporaryFolder(): string {
  if (process.platform === 'win32') return tmpdir()
  const candidates = [process.env['SQLITE_TMPDIR'], process.env['TMPDIR'], '/var/tmp', '/usr/tmp', '/tmp']
  return candidates.find((folder) => folder !== undefined && statSync(folder, { throwIfNoEntry: false })?.isDirectory()) ?? tmpdir()
}
