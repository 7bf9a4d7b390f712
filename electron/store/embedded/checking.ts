import { DatabaseSync } from 'node:sqlite'
import { messageOf } from '../../base/errors.ts'
import { restoreKeyspace } from '../mvcc/restore.ts'
import type { ChangeRecord } from '../mvcc/version.ts'
import { loadCompaction, loadLeases } from './load.ts'
import { readRecord, readValue } from './record.ts'

/** So much is told at most. */
const TOLD = 100

/** Reads everything in the database at `path`, as it is now: pages, checksums, and whether the changes fit together. What is wrong, if anything. */
export function findDamage(path: string): string[] {
  const found: string[] = []
  const tell = (what: string) => {
    if (found.length < TOLD) found.push(what)
    else if (found.length === TOLD) found.push('and more')
  }
  const attempt = (work: () => void) => {
    try {
      work()
    } catch (error) {
      tell(messageOf(error))
    }
  }
  attempt(() => {
    using held = new DisposableStack()
    const db = held.adopt(new DatabaseSync(path, { readOnly: true, timeout: 10_000 }), (open) => open.close())
    db.exec('BEGIN')
    attempt(() => checkPages(db, tell))
    attempt(() => checkChanges(db, path, tell))
    attempt(() => loadLeases(db, path))
  })
  return found
}

function checkPages(db: DatabaseSync, tell: (what: string) => void): void {
  for (const row of db.prepare(`PRAGMA quick_check(${TOLD})`).all()) {
    const answer = String(row['quick_check'])
    if (answer !== 'ok') tell(`the database file: ${answer}`)
  }
}

function checkChanges(db: DatabaseSync, path: string, tell: (what: string) => void): void {
  const broken = (where: string) => new Error(where)
  const wholes = function* (): Generator<ChangeRecord> {
    const select = db.prepare('SELECT change.seq, change.bytes, value.bytes FROM change LEFT JOIN value USING (seq) ORDER BY change.seq')
    select.setReturnArrays(true)
    for (const row of select.iterate()) {
      const [seq, bytes, value] = row as unknown as [number, Uint8Array, Uint8Array | null]
      const record = readRecord(bytes, seq)
      if (record === null) {
        tell(`change ${seq} has a wrong checksum`)
        continue
      }
      const fault = faultOf(record, value)
      if (fault !== null) tell(`the value of ${JSON.stringify(record.key)} at revision ${record.revision} ${fault}`)
      yield record
    }
  }
  restoreKeyspace(wholes(), loadCompaction(db, path), broken)
  const stray = db.prepare('SELECT count(*) AS count FROM value WHERE seq NOT IN (SELECT seq FROM change)').get()
  if (stray?.['count'] !== 0) tell(`${String(stray?.['count'])} values belong to no change`)
}

function faultOf({ seq, version, size }: ChangeRecord, bytes: Uint8Array | null): string | null {
  if (version === 0) return bytes === null ? null : 'should not be there: it is a deletion'
  if (bytes === null) return 'is missing'
  return readValue(bytes, seq)?.byteLength === size ? null : 'has a wrong checksum'
}
