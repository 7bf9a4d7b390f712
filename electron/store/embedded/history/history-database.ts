import { DatabaseSync, type StatementSync } from 'node:sqlite'
import type { Moment } from '../../store.ts'
import { readRecord, readValue } from '../record.ts'
import { pragma } from '../schema.ts'
import { openHistory, readFact, writeFact } from './history-schema.ts'
import type { Answer, HistoryInit, HistoryRange, RawRow } from './protocol.ts'

/** How many changes go at a time when the history is larger than it may be, and how much smaller it becomes then. */
const TRIM = 1000
const TRIM_TO = 0.95

/** The history's own database, and the store's to read from. */
export class HistoryDatabase implements Disposable {
  readonly #db: DatabaseSync
  readonly #store: DatabaseSync
  readonly #budget: number
  readonly #statements: ReturnType<typeof prepare>
  #floor: number

  constructor(init: HistoryInit) {
    this.#budget = init.budgetBytes
    this.#db = openHistory(init)
    this.#store = new DatabaseSync(init.path, { readOnly: true, timeout: 10_000 })
    this.#floor = readFact(this.#db, 'floor')
    this.#statements = prepare(this.#db, this.#store)
  }

  /** Takes over changes from the store's database, given as pairs of number and `until`. They are safe when it returns. */
  keep(rows: Float64Array): void {
    const { change, insert } = this.#statements
    this.#db.exec('PRAGMA synchronous = FULL; BEGIN IMMEDIATE')
    try {
      let top = readFact(this.#db, 'top')
      for (let i = 0; i < rows.length; i += 2) {
        const [seq, until] = [rows[i] as number, rows[i + 1] as number]
        top = Math.max(top, until)
        if (until <= this.#floor) continue
        const [bytes, value] = (change.get(seq) ?? []) as [Uint8Array?, Uint8Array?]
        const record = bytes ? readRecord(bytes, seq) : null
        if (!bytes || record === null) throw new Error(`change ${seq} cannot be read`)
        insert.run(seq, Buffer.from(record.key, 'latin1'), record.revision, until, bytes, value ?? null)
      }
      writeFact(this.#db, 'top', top)
      this.#trim()
      this.#db.exec('COMMIT')
    } catch (error) {
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK')
      throw error
    } finally {
      this.#db.exec('PRAGMA synchronous = NORMAL')
    }
  }

  note({ revision, time }: Moment): void {
    this.#statements.note.run(revision, time)
  }

  existing(range: HistoryRange, revision: number): Answer {
    if (revision < this.#floor) return { compacted: this.#floor }
    const [from, to] = bounds(range)
    return { rows: this.#statements.existing.all(from, to, revision, revision) as unknown as RawRow[] }
  }

  changed(range: HistoryRange, from: number, to: number, limit: number): Answer {
    if (Math.max(1, from) < this.#floor) return { compacted: this.#floor }
    const rows: RawRow[] = []
    let revisions = 0
    let last = 0
    for (const row of this.#statements.changed.iterate(...bounds(range), from, to)) {
      const { seq, revision, bytes } = row as unknown as RawRow & { revision: number }
      if (revision !== last && ++revisions > limit) break
      last = revision
      rows.push({ seq, bytes })
    }
    return { rows }
  }

  /** What is on its way is in both databases for a time, so that the one it leaves is looked at first. */
  values(seqs: readonly number[], revision: number): Answer {
    const rows = seqs.flatMap((seq): RawRow[] => {
      const row = (this.#statements.value.get(seq) ?? this.#statements.pastValue.get(seq)) as RawRow | undefined
      return row ? [row] : []
    })
    return rows.length < seqs.length && revision < this.#floor ? { compacted: this.#floor } : { rows }
  }

  bounds(): Answer {
    const oldest = this.#momentOf(this.#floor)
    return { bounds: { oldest: { revision: this.#floor, time: oldest.time }, last: this.#momentOf(Number.MAX_SAFE_INTEGER) } }
  }

  momentAt(time: number): Answer {
    const moment = this.#statements.momentAt.get(time) as Moment | undefined
    const next = moment && (this.#statements.momentAfter.get(moment.revision)?.['revision'] as number | undefined)
    if (!moment || (next ?? Number.POSITIVE_INFINITY) <= this.#floor) return { compacted: this.#floor }
    return { at: { moment: { ...moment, revision: Math.max(moment.revision, this.#floor) }, next: next ?? null } }
  }

  times(revisions: readonly number[]): Answer {
    return { times: revisions.map((revision) => this.#momentOf(revision).time) }
  }

  check(): Answer {
    const found: string[] = []
    for (const row of this.#db.prepare('PRAGMA quick_check(100)').all()) {
      if (row['quick_check'] !== 'ok') found.push(`the history: ${String(row['quick_check'])}`)
    }
    for (const row of this.#db.prepare('SELECT seq, record, value FROM past').iterate()) {
      const [seq, record, value] = [Number(row['seq']), row['record'] as Uint8Array, row['value'] as Uint8Array | null]
      if (readRecord(record, seq) && (!value || readValue(value, seq))) continue
      found.push(`the history: change ${seq} has a wrong checksum`)
    }
    return { found: found.slice(0, 100) }
  }

  [Symbol.dispose](): void {
    this.#store.close()
    this.#db.close()
  }

  /** Drops the oldest until the rest is within the budget. */
  #trim(): void {
    const used = () => (pragma(this.#db, 'page_count') - pragma(this.#db, 'freelist_count')) * pragma(this.#db, 'page_size')
    if (used() <= this.#budget) return
    const floor = this.#floor
    do {
      const cut = this.#statements.oldest.get(TRIM)?.['until'] as number | null | undefined
      if (!cut) break
      this.#statements.drop.run(cut)
      this.#floor = Math.max(this.#floor, cut)
    } while (used() > this.#budget * TRIM_TO)
    if (this.#floor === floor) return
    writeFact(this.#db, 'floor', this.#floor)
    this.#statements.dropMoments.run(this.#floor)
  }

  /** The last moment not after the revision, else the first of all. */
  #momentOf(revision: number): Moment {
    return (this.#statements.momentOf.get(revision) ?? this.#statements.firstMoment.get()) as unknown as Moment
  }
}

function bounds({ key, end }: HistoryRange): [Uint8Array, Uint8Array] {
  const from = Buffer.from(key, 'latin1')
  if (!end) return [from, Buffer.concat([from, Buffer.alloc(1)])]
  return [from, end === '\0' ? NO_END : Buffer.from(end, 'latin1')]
}

/** After every key that etcd or the API server could have: keys are shorter than this. */
const NO_END = Buffer.alloc(4096, 0xff)

function prepare(db: DatabaseSync, store: DatabaseSync): Record<Names, StatementSync> {
  const change = store.prepare('SELECT change.bytes, value.bytes FROM change LEFT JOIN value USING (seq) WHERE change.seq = ?')
  change.setReturnArrays(true)
  return {
    change,
    value: store.prepare('SELECT seq, bytes FROM value WHERE seq = ?'),
    pastValue: db.prepare('SELECT seq, value AS bytes FROM past WHERE seq = ?'),
    insert: db.prepare('INSERT OR REPLACE INTO past VALUES (?, ?, ?, ?, ?, ?)'),
    existing: db.prepare('SELECT seq, record AS bytes FROM past WHERE key >= ? AND key < ? AND revision <= ? AND until > ?'),
    changed: db.prepare(
      'SELECT seq, revision, record AS bytes FROM past WHERE key >= ? AND key < ? AND revision > ? AND revision <= ? ORDER BY seq',
    ),
    oldest: db.prepare('SELECT max(until) AS until FROM (SELECT until FROM past ORDER BY until LIMIT ?)'),
    drop: db.prepare('DELETE FROM past WHERE until <= ?'),
    note: db.prepare('INSERT OR REPLACE INTO moment VALUES (?, ?)'),
    momentAt: db.prepare('SELECT revision, time FROM moment WHERE time <= ? ORDER BY revision DESC LIMIT 1'),
    momentAfter: db.prepare('SELECT revision FROM moment WHERE revision > ? ORDER BY revision LIMIT 1'),
    momentOf: db.prepare('SELECT revision, time FROM moment WHERE revision <= ? ORDER BY revision DESC LIMIT 1'),
    firstMoment: db.prepare('SELECT revision, time FROM moment ORDER BY revision LIMIT 1'),
    dropMoments: db.prepare('DELETE FROM moment WHERE revision < (SELECT max(revision) FROM moment WHERE revision <= ?)'),
  }
}

type Names =
  | 'change'
  | 'value'
  | 'pastValue'
  | 'insert'
  | 'existing'
  | 'changed'
  | 'oldest'
  | 'drop'
  | 'note'
  | 'momentAt'
  | 'momentAfter'
  | 'momentOf'
  | 'firstMoment'
  | 'dropMoments'
