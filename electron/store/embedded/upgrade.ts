import type { DatabaseSync } from 'node:sqlite'
import { STORAGE_VERSION } from '../mvcc/backend.ts'
import { upgradeRecord } from './record.ts'

/** How many changes are held in memory at a time. */
const SLICE = 1000

/**
 * Brings a database of an earlier storage version to today's, in one transaction: it is done, or as if never begun. Throws what
 * `broken` makes of a description.
 */
export function upgrade(db: DatabaseSync, from: number, broken: (where: string) => Error): void {
  if (from !== 1) throw broken(`its storage version ${from} was never released`)
  db.exec('BEGIN IMMEDIATE')
  try {
    numberChanges(db, broken)
    db.exec(`PRAGMA user_version = ${STORAGE_VERSION}; COMMIT`)
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK')
    throw error
  }
}

/** Gives each change its place in its revision. Of a revision of which a compaction took changes away, the rest is numbered from 0. */
function numberChanges(db: DatabaseSync, broken: (where: string) => Error): void {
  const select = db.prepare('SELECT seq, bytes FROM change WHERE seq > ? ORDER BY seq LIMIT ?')
  const update = db.prepare('UPDATE change SET bytes = ? WHERE seq = ?')
  let revision = 0
  let sub = 0
  const subOf = (next: number): number => {
    sub = next === revision ? sub + 1 : 0
    revision = next
    return sub
  }
  for (let last = 0; ;) {
    const rows = select.all(last, SLICE) as unknown as { seq: number; bytes: Uint8Array }[]
    if (rows.length === 0) return
    for (const { seq, bytes } of rows) {
      const record = upgradeRecord(bytes, seq, subOf)
      if (record === null) throw broken(`change ${seq} has a wrong checksum`)
      update.run(record, seq)
      last = seq
    }
  }
}
