/** SQLite's result codes that are told apart. The low 8 bits of an extended code are its primary code. */
export const SQLITE = { BUSY: 5, IOERR: 10, CORRUPT: 11, FULL: 13, NOTADB: 26, IOERR_SHMSIZE: 4874 } as const

/** The extended result code of an error that `node:sqlite` threw, else 0. */
export function sqliteCode(error: unknown): number {
  return error instanceof Error && 'errcode' in error && typeof error.errcode === 'number' ? error.errcode : 0
}

/** There is no room: for a page, or for the index of the write-ahead log. */
export function isFull(error: unknown): boolean {
  const code = sqliteCode(error)
  return (code & 0xff) === SQLITE.FULL || code === SQLITE.IOERR_SHMSIZE
}
