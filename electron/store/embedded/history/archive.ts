import type { Clock } from '../../../base/clock.ts'
import { messageOf } from '../../../base/errors.ts'
import type { Logger } from '../../../base/logger.ts'
import type { Outlived, Past } from '../../mvcc/past.ts'
import { compacted } from '../../mvcc/range.ts'
import type { ChangeRecord, Version } from '../../mvcc/version.ts'
import { type KeyRange, type Moment, StoreError } from '../../store.ts'
import { readRecord, readValue } from '../record.ts'
import { HistoryDatabase } from './history-database.ts'
import { dropHistory, hasHistory, openHistory } from './history-schema.ts'
import { gone, HistoryThread } from './history-thread.ts'
import type { Answer, HistoryInit, Question, RawRow } from './protocol.ts'

/** Moments are this far apart at the least, in milliseconds. */
const BETWEEN_MOMENTS = 200
/** How long the first of them waits for the thread to be started, in milliseconds: a start has enough to do. */
const START_AFTER = 5000

export interface ArchiveDeps {
  readonly clock: Clock
  readonly logger: Logger
  /** The module of the threads. */
  readonly url: URL
  /** Of the store's database. */
  readonly path: string
  readonly storeId: number
  /** The largest that the history may become. */
  readonly budgetBytes: number
  /** What the store is at. */
  readonly position: () => Pick<HistoryInit['store'], 'compactRevision' | 'revision'>
}

/**
 * What compactions take away goes to a thread of its own, which keeps it as long as there is room; only when it is safe there does it go
 * from the store's database. When the history fails or must make room it is dropped whole, and begins anew later.
 */
export class Archive implements Past, AsyncDisposable {
  readonly #deps: ArchiveDeps
  /** What the thread begins with; null while nothing is kept. */
  #origin: HistoryInit | null = null
  /** Started when there is something for it to do, so that opening a store does not wait for it. */
  #thread: HistoryThread | null = null
  #starting: Disposable | null = null
  /** Noted before the thread was started. */
  #moments: Moment[] = []
  #lastMoment = Number.NEGATIVE_INFINITY
  /** On its way to the history, oldest first, and what to do with it when it is there. */
  #pending: { versions: readonly Version[]; done: (versions: readonly Version[]) => void }[] = []
  #dropping: Promise<boolean> | null = null
  #closed = false

  constructor(deps: ArchiveDeps) {
    this.#deps = deps
    this.begin()
  }

  /** Begins to keep again after all was given up; nothing if it does keep. */
  begin(): void {
    if (this.#origin || this.#dropping || this.#closed) return
    const { clock, path, budgetBytes, storeId, position, logger } = this.#deps
    const origin: HistoryInit = { role: 'history', path, budgetBytes, store: { id: storeId, ...position() }, now: clock.now() }
    try {
      // At once, because from here on nothing goes missing.
      if (!hasHistory(path)) openHistory(origin).close()
      this.#origin = origin
    } catch (error) {
      logger.warn('no history of past states can be kept now', { path, reason: messageOf(error) })
    }
  }

  /** Takes what a compaction took away, and calls `done` with it, part by part and in order, when it may go from the store's database. */
  keep(outlived: readonly Outlived<Version>[], done: (versions: readonly Version[]) => void): void {
    if (outlived.length === 0) return
    const versions = outlived.map(({ version }) => version)
    const thread = this.#running()
    if (!thread && !this.#dropping) return done(versions)
    this.#pending.push({ versions, done })
    const rows = new Float64Array(2 * outlived.length)
    outlived.forEach(({ version, until }, i) => {
      rows[2 * i] = version.seq
      rows[2 * i + 1] = until
    })
    thread?.keep(rows)
  }

  /** A batch that begins with this revision has become the newest state. */
  note(revision: number): void {
    const { clock } = this.#deps
    const now = clock.monotonic()
    if (now - this.#lastMoment < BETWEEN_MOMENTS || !this.#origin) return
    this.#lastMoment = now
    const moment = { revision, time: clock.now() }
    if (this.#thread) return this.#thread.note(moment)
    this.#moments.push(moment)
    this.#starting ??= clock.setTimeout(() => this.#running(), START_AFTER, { unref: true })
  }

  /** Gives up all that is kept, and its room. False if there was nothing. */
  drop(): Promise<boolean> {
    this.#dropping ??= this.#drop().finally(() => (this.#dropping = null))
    return this.#dropping
  }

  async existing(range: KeyRange, revision: number): Promise<ChangeRecord[]> {
    return recordsOf(await this.#ask({ ask: 'existing', range: plain(range), revision }, revision))
  }

  async changed(range: KeyRange, from: number, to: number, limit: number): Promise<ChangeRecord[]> {
    return recordsOf(await this.#ask({ ask: 'changed', range: plain(range), from, to, limit }, from))
  }

  async values(seqs: readonly number[], revision: number): Promise<ReadonlyMap<number, Uint8Array>> {
    const rows = rowsOf(await this.#ask({ ask: 'values', seqs, revision }, revision))
    return new Map(
      rows.map(({ seq, bytes }) => {
        const value = readValue(bytes, seq)
        if (value === null) throw damaged(seq)
        return [seq, value]
      }),
    )
  }

  async bounds(): Promise<{ oldest: Moment; last: Moment }> {
    const answer = await this.#ask({ ask: 'bounds' }, 0)
    return 'bounds' in answer ? answer.bounds : unexpected()
  }

  async momentAt(time: number): Promise<{ moment: Moment; next: number | null }> {
    const answer = await this.#ask({ ask: 'momentAt', time }, 0)
    return 'at' in answer ? answer.at : unexpected()
  }

  async times(revisions: readonly number[]): Promise<readonly number[]> {
    const answer = await this.#ask({ ask: 'times', revisions }, 0)
    return 'times' in answer ? answer.times : unexpected()
  }

  /** What is damaged in it, by name. */
  async check(): Promise<readonly string[]> {
    if (!this.#origin) return []
    const answer = await this.#ask({ ask: 'check' }, 0)
    return 'found' in answer ? answer.found : unexpected()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true
    await this.#dropping
    const thread = this.#stop()
    if (thread) await thread[Symbol.asyncDispose]()
    else this.#writeDown()
    this.#origin = null
  }

  #running(): HistoryThread | null {
    if (this.#thread || !this.#origin) return this.#thread
    const { url, logger } = this.#deps
    const onFailed = (why: string) => {
      logger.error('the history of past states is lost, and will begin anew', { reason: why })
      void this.drop()
    }
    this.#stop()
    this.#thread = new HistoryThread({ url, init: this.#origin, onKept: (count) => this.#kept(count), onFailed })
    for (const moment of this.#moments.splice(0)) this.#thread.note(moment)
    return this.#thread
  }

  #stop(): HistoryThread | null {
    this.#starting?.[Symbol.dispose]()
    this.#starting = null
    const thread = this.#thread
    this.#thread = null
    return thread
  }

  async #drop(): Promise<boolean> {
    const { path, logger } = this.#deps
    const had = this.#origin !== null && hasHistory(path)
    this.#origin = null
    this.#moments = []
    await this.#stop()?.[Symbol.asyncDispose]()
    try {
      dropHistory(path)
    } catch (error) {
      // A history with gaps must not be taken for whole later: what was on its way to it stays in the store's database.
      logger.error('the history of past states could not be removed', { path, error })
      this.#pending = []
      return false
    }
    if (had) logger.warn('the history of past states is given up, to make room or because it failed', { path })
    for (const { versions, done } of this.#pending.splice(0)) done(versions)
    return had
  }

  /** What was noted in a life too short for the thread. */
  #writeDown(): void {
    if (!this.#origin || this.#moments.length === 0) return
    try {
      using database = new HistoryDatabase(this.#origin)
      for (const moment of this.#moments.splice(0)) database.note(moment)
    } catch (error) {
      this.#deps.logger.warn('when the last states were made could not be written down', { reason: messageOf(error) })
    }
  }

  #kept(count: number): void {
    let left = count
    while (left > 0) {
      const first = this.#pending[0]
      if (!first) throw new Error('more was kept than was given')
      const versions = first.versions.slice(0, left)
      left -= versions.length
      if (versions.length === first.versions.length) this.#pending.shift()
      else this.#pending[0] = { ...first, versions: first.versions.slice(versions.length) }
      first.done(versions)
    }
  }

  async #ask(question: Question, revision: number): Promise<Answer> {
    const thread = this.#running()
    if (!thread) throw gone()
    const answer = await thread.ask(question)
    if ('compacted' in answer)
      throw question.ask === 'momentAt' ? tooOld(question.time, answer.compacted) : compacted(revision, answer.compacted)
    return answer
  }
}

/** A range may be a whole request, of which only this crosses to the thread. */
function plain({ key, end }: KeyRange): KeyRange {
  return end === undefined ? { key } : { key, end }
}

function rowsOf(answer: Answer): readonly RawRow[] {
  return 'rows' in answer ? answer.rows : unexpected()
}

function recordsOf(answer: Answer): ChangeRecord[] {
  return rowsOf(answer).map(({ seq, bytes }) => {
    const record = readRecord(bytes, seq)
    if (record === null) throw damaged(seq)
    return record
  })
}

function tooOld(time: number, floor: number): StoreError {
  const message = `the state of ${new Date(time).toISOString()} is no longer kept: the oldest is of revision ${floor}`
  return new StoreError('compacted', message, { compactRevision: floor })
}

function damaged(seq: number): StoreError {
  return new StoreError('corrupt', `the history is damaged: change ${seq} has a wrong checksum`)
}

function unexpected(): never {
  throw new Error('the history answered something else than was asked')
}
