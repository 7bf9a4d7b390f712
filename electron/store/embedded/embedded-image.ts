import { DatabaseSync } from 'node:sqlite'
import { FlotillaError, messageOf } from '../../base/errors.ts'
import type { Compaction } from '../mvcc/keyspace.ts'
import { type ChangeRecord, NO_VALUE } from '../mvcc/version.ts'
import type { ImageChange, ImageEntry, StoreImage } from '../snapshot/image.ts'
import { type Key, type LeaseId, StoreError } from '../store.ts'
import { loadCompaction, loadLeases } from './load.ts'
import { readRecord, readValue } from './record.ts'

/** What is read before others have a turn, in rows and in bytes. */
const ROWS = 500
const BYTES = 256 * 1024

interface Row {
  readonly record: ChangeRecord
  readonly value: Uint8Array | null
}

/**
 * The image of a store in a database: a read transaction on a connection of its own, which sees the database as it was when it began.
 * Rows of changes that were forgotten but are still there are left out. While it is open, the write-ahead log grows.
 */
export class EmbeddedImage implements StoreImage {
  readonly revision: number
  readonly compactRevision: number
  readonly leases: readonly { readonly id: LeaseId; readonly ttl: number }[]
  readonly #db: DatabaseSync
  readonly #onClose: (image: EmbeddedImage) => void
  /** Numbers of changes that can no longer be asked for. */
  #dead: ReadonlySet<number> = new Set()
  #closed = false

  /** Rejects with StoreError `corrupt` or `unavailable`. */
  static async open(path: string, onClose: (image: EmbeddedImage) => void): Promise<EmbeddedImage> {
    const image = new EmbeddedImage(path, onClose)
    try {
      image.#dead = await image.#findDead()
      return image
    } catch (error) {
      await image[Symbol.asyncDispose]()
      throw error
    }
  }

  private constructor(path: string, onClose: (image: EmbeddedImage) => void) {
    this.#onClose = onClose
    this.#db = new DatabaseSync(path, { readOnly: true, timeout: 10_000 })
    try {
      this.#db.exec('BEGIN')
      const compaction: Compaction = loadCompaction(this.#db, path)
      this.compactRevision = compaction.revision
      this.leases = loadLeases(this.#db, path)
      this.revision = Math.max(1, this.#newest(), compaction.bare ? compaction.revision : 0)
    } catch (error) {
      this.#db.close()
      throw asReadError(error)
    }
  }

  async *changes(): AsyncGenerator<ImageChange[], void> {
    for await (const rows of this.#rows('SELECT seq, bytes, NULL FROM change ORDER BY seq')) {
      const retained = rows.filter(({ record }) => !this.#dead.has(record.seq))
      if (retained.length > 0) yield retained.map(({ record }) => toImageChange(record))
    }
  }

  async *entries(): AsyncGenerator<ImageEntry[], void> {
    const select = 'SELECT change.seq, change.bytes, value.bytes FROM change LEFT JOIN value USING (seq) ORDER BY change.seq'
    for await (const rows of this.#rows(select)) {
      const retained = rows.filter(({ record }) => !this.#dead.has(record.seq))
      if (retained.length > 0) yield retained.map(({ record, value }) => ({ ...toImageChange(record), value: valueOf(record, value) }))
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#db.close()
    this.#onClose(this)
  }

  #newest(): number {
    const row = this.#db.prepare('SELECT seq, bytes FROM change ORDER BY seq DESC LIMIT 1').get()
    return row ? recordOf(row['bytes'], Number(row['seq'])).revision : 0
  }

  /** As `Keyspace.compact` finds them: what was replaced at or before the compacted revision, and deletions before it. */
  async #findDead(): Promise<Set<number>> {
    const dead = new Set<number>()
    const newest = new Map<Key, number>()
    for await (const rows of this.#rows('SELECT seq, bytes, NULL FROM change ORDER BY seq')) {
      for (const { record } of rows) {
        if (record.revision > this.compactRevision) return dead
        const before = newest.get(record.key)
        if (before !== undefined) dead.add(before)
        newest.set(record.key, record.seq)
        if (record.version === 0 && record.revision < this.compactRevision) dead.add(record.seq)
      }
    }
    return dead
  }

  /** In slices, with a turn for others after each. */
  async *#rows(sql: string): AsyncGenerator<Row[], void> {
    const iterator = this.#reading(() => {
      const select = this.#db.prepare(sql)
      select.setReturnArrays(true)
      return select.iterate()
    })
    for (;;) {
      const rows = this.#reading(() => takeSlice(iterator))
      if (rows.length === 0) return
      yield rows
      await new Promise((resolve) => setImmediate(resolve))
    }
  }

  #reading<T>(work: () => T): T {
    if (this.#closed) throw new StoreError('closed', 'the image is closed')
    try {
      return work()
    } catch (error) {
      throw asReadError(error)
    }
  }
}

function takeSlice(iterator: Iterator<unknown>): Row[] {
  const rows: Row[] = []
  for (let bytes = 0; rows.length < ROWS && bytes < BYTES;) {
    const next = iterator.next()
    if (next.done) break
    const [seq, record, value] = next.value as [number, unknown, Uint8Array | null]
    rows.push({ record: recordOf(record, seq), value })
    bytes += value?.byteLength ?? 0
  }
  return rows
}

function recordOf(bytes: unknown, seq: number): ChangeRecord {
  const record = bytes instanceof Uint8Array ? readRecord(bytes, seq) : null
  if (record === null) throw corrupt(`change ${seq} has a wrong checksum`)
  return record
}

function valueOf(record: ChangeRecord, bytes: Uint8Array | null): Uint8Array {
  if (record.version === 0) return NO_VALUE
  const value = bytes === null ? null : readValue(bytes, record.seq)
  if (value === null || value.byteLength !== record.size) {
    const why = bytes === null ? 'is missing' : 'has a wrong checksum'
    throw corrupt(`the value of ${JSON.stringify(record.key)} at revision ${record.revision} ${why}`)
  }
  return value
}

function toImageChange({ key, revision, sub, createRevision, version, lease, size }: ChangeRecord): ImageChange {
  return { key, revision, sub, deleted: version === 0, createRevision, version, lease, size }
}

function corrupt(where: string): StoreError {
  return new StoreError('corrupt', `The store is damaged: ${where}. Restore the state folder from a backup.`)
}

function asReadError(error: unknown): StoreError {
  if (error instanceof StoreError) return error
  if (error instanceof FlotillaError) return new StoreError('corrupt', error.message, { cause: error })
  return new StoreError('unavailable', `The store cannot be read (${messageOf(error)}).`, { cause: error })
}
