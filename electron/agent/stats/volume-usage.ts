/** How much disk a folder takes. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

/** Bytes on disk of what is below, on the same file system; 0 if it is not there. */
export async function folderBytes(path: string): Promise<number> {
  try {
    const { stdout } = await promisify(execFile)('du', ['-s', '-x', '-B1', path])
    return Number(/^\d+/.exec(stdout)?.[0] ?? 0)
  } catch {
    return 0
  }
}
