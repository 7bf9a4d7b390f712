import type { DatabaseSync } from 'node:sqlite'
import type { Random } from '../../base/random.ts'
import type { Compaction } from '../mvcc/keyspace.ts'
import { type Restored, restoreKeyspace } from '../mvcc/restore.ts'
import type { ChangeRecord } from '../mvcc/version.ts'
import { numberRecord, readNumberRecord, RecordReader } from './record.ts'
import { damaged, type FactName } from './schema.ts'

/** Rebuilds the index from the changes on disk, which must fit together. Throws FlotillaError `STATE_UNREADABLE`. */
export function loadKeyspace(db: DatabaseSync, path: string): Restored {
  return restoreKeyspace(records(db, path), loadCompaction(db, path), (where) => damaged(path, where))
}

/** The last compaction; of revision 0 before the first. */
export function loadCompaction(db: DatabaseSync, path: string): Compaction {
  return {
    revision: loadFact(db, path, 'compactRevision'),
    keys: loadFact(db, path, 'compactKeys'),
    bare: loadFact(db, path, 'compactBare') === 1,
  }
}

/** The number by which what belongs to the store knows it; given at the first time. */
export function loadStoreId(db: DatabaseSync, path: string, random: Random): number {
  const known = loadFact(db, path, 'storeId')
  if (known !== 0) return known
  const id = 1 + Buffer.from(random.bytes(6)).readUIntBE(0, 6)
  db.prepare('INSERT INTO fact VALUES (?, ?)').run('storeId', numberRecord('storeId', id))
  return id
}

export function loadLeases(db: DatabaseSync, path: string): { id: bigint; ttl: number }[] {
  const select = db.prepare('SELECT id, bytes FROM lease')
  select.setReadBigInts(true)
  return select.all().map(({ id, bytes }) => {
    const ttl = bytes instanceof Uint8Array ? readNumberRecord(`lease ${String(id)}`, bytes) : null
    if (ttl === null) throw damaged(path, `lease ${String(id)} has a wrong checksum`)
    return { id: id as bigint, ttl }
  })
}

function loadFact(db: DatabaseSync, path: string, name: FactName): number {
  const bytes = db.prepare('SELECT bytes FROM fact WHERE name = ?').get(name)?.['bytes']
  if (bytes === undefined) return 0
  const value = bytes instanceof Uint8Array ? readNumberRecord(name, bytes) : null
  if (value === null) throw damaged(path, `its fact ${name} has a wrong checksum`)
  return value
}

/**
 * A row by itself costs several times what is in it, so that many come as one: their bytes, one behind the other, with their numbers and
 * lengths. (As text they can be joined; SQLite leaves the bytes of text as they are.)
 */
const JOINED = `
  SELECT group_concat(seq), group_concat(length(bytes)), CAST(group_concat(CAST(bytes AS TEXT), '') AS BLOB)
  FROM (SELECT seq, bytes FROM change WHERE seq > ? ORDER BY seq LIMIT 1024)`

function* records(db: DatabaseSync, path: string): Generator<ChangeRecord> {
  const select = db.prepare(JOINED)
  select.setReturnArrays(true)
  for (let last = 0; ;) {
    const [seqs, lengths, joined] = select.get(last) as unknown as [string | null, string, Uint8Array]
    if (seqs === null) return
    const sizes = lengths.split(',')
    const reader = new RecordReader(joined)
    let at = 0
    for (const [i, text] of seqs.split(',').entries()) {
      const seq = Number(text)
      const end = at + Number(sizes[i])
      const record = reader.read(at, end, seq)
      if (record === null) throw damaged(path, `change ${seq} has a wrong checksum`)
      yield record
      at = end
      last = seq
    }
  }
}
