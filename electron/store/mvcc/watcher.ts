import { type Deferred, deferred } from '../../base/async.ts'
import type { Clock } from '../../base/clock.ts'
import { StoreError, type StoreEvent, type WatchBatch, type Watcher, type WatchRequest } from '../store.ts'
import type { Keyspace } from './keyspace.ts'
import { compacted } from './range.ts'
import { covers } from './sorted-keys.ts'
import { type ReadValue, toEvent, toKeyValue, type Version } from './version.ts'

const DEFAULT_BUFFER = 10_000
/** How many changes a watcher that catches up looks at before others have their turn. */
const CATCH_UP = 1000

export interface WatcherDeps {
  readonly space: Keyspace
  readonly clock: Clock
  readonly read: ReadValue
  readonly reading: <T>(work: () => T) => T
  /** The newest durable revision. */
  readonly newest: () => number
  readonly onEnd: (watcher: MvccWatcher) => void
}

/**
 * A watcher catches up from the change log, which needs no memory however far it is behind, and only as fast as it is read. From
 * then on what is published is put into its buffer, which is bounded.
 */
export class MvccWatcher implements Watcher {
  readonly request: WatchRequest
  readonly created: Promise<{ readonly revision: number }>
  readonly #deps: WatcherDeps
  readonly #limit: number
  readonly #progress: Disposable | null
  /** The next revision to look at while catching up; null once caught up. */
  #cursor: number | null
  /** Nothing before this revision is wanted. */
  readonly #from: number
  #buffer: WatchBatch[] = []
  #events = 0
  #quiet = true
  #markWanted = false
  #reader: Deferred<IteratorResult<WatchBatch, undefined>> | null = null
  #reading = false
  #ended = false
  #error: StoreError | null = null

  constructor(deps: WatcherDeps, request: WatchRequest) {
    const newest = deps.newest()
    this.#deps = deps
    this.request = request
    this.#limit = request.bufferLimit ?? DEFAULT_BUFFER
    this.#from = request.startRevision || newest + 1
    this.#cursor = this.#from <= newest ? this.#from : null
    this.created = Promise.resolve({ revision: newest })
    this.#progress = request.progressInterval ? deps.clock.setInterval(() => this.#tick(), request.progressInterval, { unref: true }) : null
  }

  wants(version: Version): boolean {
    const { filter } = this.request
    if (version.deleted ? filter?.noDelete : filter?.noPut) return false
    return covers(this.request, version.key)
  }

  /** Takes a batch that has just become durable, unless the watcher is still catching up and will come to it in the log. */
  offer(batch: WatchBatch): void {
    if (this.#ended || this.#cursor !== null || batch.revision < this.#from) return
    if (this.#events >= this.#limit) {
      const message = `the watcher let ${this.#events} batches wait: begin again after the last revision it saw`
      return this.fail(new StoreError('slowWatcher', message))
    }
    this.#quiet = false
    this.#push(batch)
  }

  event(version: Version): StoreEvent {
    const event = toEvent(version, this.#deps.read)
    const { prev } = version
    if (!this.request.prevKv || !prev || prev.deleted) return event
    return { ...event, prevKv: toKeyValue(prev, this.#deps.read(prev)) }
  }

  requestProgress(): void {
    if (this.#ended) return
    if (this.#cursor !== null) this.#markWanted = true
    else this.#mark()
  }

  /** Ends it with an error; what waits in its buffer is dropped. */
  fail(error: StoreError): void {
    if (this.#ended) return
    if (!this.#reader) this.#error = error
    const reader = this.#reader
    this.#end()
    reader?.reject(error)
  }

  [Symbol.asyncIterator](): AsyncIterator<WatchBatch, undefined> {
    return {
      next: () => this.#next(),
      return: async () => {
        this.#dispose()
        return { value: undefined, done: true }
      },
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#dispose()
  }

  #dispose(): void {
    const reader = this.#reader
    this.#error = null
    this.#end()
    reader?.resolve({ value: undefined, done: true })
  }

  #end(): void {
    this.#reader = null
    this.#buffer = []
    this.#events = 0
    if (this.#ended) return
    this.#ended = true
    this.#progress?.[Symbol.dispose]()
    this.#deps.onEnd(this)
  }

  async #next(): Promise<IteratorResult<WatchBatch, undefined>> {
    if (this.#reading) throw new Error('a watcher has one reader at a time')
    this.#reading = true
    try {
      for (;;) {
        const batch = this.#buffer.shift()
        if (batch) {
          if (batch.events.length > 0) this.#events--
          return { value: batch, done: false }
        }
        if (this.#error) {
          const error = this.#error
          this.#error = null
          throw error
        }
        if (this.#ended) return { value: undefined, done: true }
        if (this.#cursor === null) {
          this.#reader = deferred()
          return await this.#reader.promise
        }
        if (!this.#catchUp(this.#cursor)) await new Promise((resolve) => setImmediate(resolve))
      }
    } finally {
      this.#reading = false
    }
  }

  /** Moves on through the log by one step. False if others should have a turn before the next. */
  #catchUp(cursor: number): boolean {
    const { space, newest, reading } = this.#deps
    if (cursor < space.compactRevision) {
      this.fail(compacted(cursor, space.compactRevision))
      return true
    }
    const to = newest()
    const changes = space.changes(cursor, to, CATCH_UP)
    try {
      reading(() => {
        for (const [revision, group] of byRevision(changes)) {
          const events = group.filter((version) => this.wants(version)).map((version) => this.event(version))
          if (events.length > 0) this.#push({ revision, events })
        }
      })
    } catch (error) {
      this.fail(asStoreError(error))
      return true
    }
    const last = changes.at(-1)?.revision ?? to
    this.#cursor = last >= to ? null : last + 1
    if (this.#cursor === null && this.#markWanted) this.#mark()
    return this.#cursor === null || this.#buffer.length > 0
  }

  #push(batch: WatchBatch): void {
    if (this.#reader) {
      this.#reader.resolve({ value: batch, done: false })
      this.#reader = null
      return
    }
    if (batch.events.length > 0) this.#events++
    this.#buffer.push(batch)
  }

  #mark(): void {
    this.#markWanted = false
    if (this.#buffer.at(-1)?.events.length === 0) this.#buffer.pop()
    this.#push({ revision: this.#deps.newest(), events: [] })
  }

  #tick(): void {
    if (this.#quiet && this.#cursor === null) this.#mark()
    this.#quiet = true
  }
}

export function asStoreError(error: unknown): StoreError {
  if (error instanceof StoreError) return error
  return new StoreError('unavailable', error instanceof Error ? error.message : String(error), { cause: error })
}

function byRevision(changes: readonly Version[]): Map<number, Version[]> {
  return Map.groupBy(changes, ({ revision }) => revision)
}
