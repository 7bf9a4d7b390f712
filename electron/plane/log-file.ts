import { closeSync, fstatSync, openSync, renameSync, writeSync } from 'node:fs'

/** Bytes after which a new file is begun. */
const LIMIT = 10 * 1024 * 1024

/**
 * Appends lines to a file that only its owner can read. When it has grown to the limit it becomes `<file>.1`, in place of an older one. A
 * line is with the operating system when `write` returns, so that the last words of a thread that dies are kept. What cannot be written
 * is dropped: a full disk must not stop what logs.
 */
export function openLogFile(path: string, limit = LIMIT): { write(line: string): void } & Disposable {
  let file: { fd: number; size: number } | null = null
  const open = () => {
    const fd = openSync(path, 'a', 0o600)
    return { fd, size: fstatSync(fd).size }
  }
  const close = () => {
    if (file) closeSync(file.fd)
    file = null
  }
  return {
    write(line) {
      try {
        file ??= open()
        if (file.size >= limit) {
          close()
          renameSync(path, `${path}.1`)
          file = open()
        }
        file.size += writeSync(file.fd, line)
      } catch {
        close()
      }
    },
    [Symbol.dispose]: close,
  }
}
