import { AsyncQueue, type Deferred, deferred } from '../../base/async.ts'
import { type Clock, sleep } from '../../base/clock.ts'
import type { Logger } from '../../base/logger.ts'
import { covers } from '../mvcc/sorted-keys.ts'
import { StoreError, type StoreEvent, type WatchBatch, type Watcher, type WatchRequest } from '../store.ts'
import { toEvent } from './codec.ts'
import type { EtcdConnection } from './connection.ts'
import { type Event, Event_EventType, Watch, type WatchResponse } from '../wire/gen/etcd_pb.js'
import { keyBytes, keyOf } from '../wire/keys.ts'

const DEFAULT_BUFFER = 10_000
/** Between the end of a stream and the next try, in milliseconds. */
const RETRY = 200
/** How long a revision that every watcher of all keys should see may keep it waiting before it is looked into, in milliseconds. */
const OVERDUE = 300
/** The revision of an etcd to which nothing was written: the only one without a change. */
const FIRST_REVISION = 1

export interface RemoteWatcherDeps {
  readonly connection: EtcdConnection
  readonly clock: Clock
  readonly logger: Logger
  /** The newest revision, by a linearizable read. */
  readonly newest: () => Promise<number>
  /** Whether etcd may have nothing left to tell of this revision. */
  readonly mayBeEmpty: (revision: number) => Promise<boolean>
  readonly onEnd: (watcher: RemoteWatcher) => void
}

/**
 * Watches all keys, whatever part of them is wanted, and keeps what the request asks for. Every revision changes some key, so that a
 * watcher of all keys knows from the events alone how far it has come, which its progress marks depend on: etcd's own answers to
 * progress requests may overtake events that are still under way (etcd before 3.4.25 and 3.5.8).
 *
 * When a stream breaks, the next one begins after the last revision seen, at whichever member answers.
 */
export class RemoteWatcher implements Watcher {
  readonly created: Promise<{ readonly revision: number }>
  readonly #deps: RemoteWatcherDeps
  readonly #request: WatchRequest
  readonly #limit: number
  readonly #batches = new AsyncQueue<WatchBatch>()
  readonly #ending = new AbortController()
  readonly #progress: Disposable | null
  /** The first revision that is still to come from etcd. */
  #next = 0
  /** Behind this revision it catches up, and waits for its reader. */
  #newest = 0
  /** The newest revision that was told, by events or by a mark. */
  #told = 0
  #quiet = true
  /** A mark that nobody has read yet; a later one takes its place. */
  #mark: { revision: number; events: [] } | null = null
  #asked = false
  #asking = false
  #reached: Deferred<void> = deferred()
  #room: Deferred<void> | null = null

  constructor(deps: RemoteWatcherDeps, request: WatchRequest) {
    this.#deps = deps
    this.#request = request
    this.#limit = request.bufferLimit ?? DEFAULT_BUFFER
    this.#progress = request.progressInterval ? deps.clock.setInterval(() => this.#tick(), request.progressInterval, { unref: true }) : null
    this.created = this.#begin()
    this.created.then(
      () => void this.#run(),
      (error: unknown) => this.fail(error),
    )
  }

  requestProgress(): void {
    this.#asked = true
    if (!this.#asking) void this.#answer()
  }

  /** Ends it with an error, which comes after what waits in its buffer. */
  fail(error: unknown): void {
    if (this.#batches.ended) return
    this.#mark = null
    this.#batches.fail(error)
    this.#end()
  }

  [Symbol.asyncIterator](): AsyncIterator<WatchBatch, undefined> {
    return {
      next: async () => {
        const result = await this.#batches.next()
        if (this.#batches.length === 0) this.#mark = null
        if (this.#batches.length < this.#limit) this.#room?.resolve()
        return result
      },
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
    this.#batches[Symbol.dispose]()
    this.#end()
  }

  #end(): void {
    if (this.#ending.signal.aborted) return
    this.#ending.abort(new DOMException('the watcher ended', 'AbortError'))
    this.#progress?.[Symbol.dispose]()
    this.#reached.resolve()
    this.#room?.resolve()
    this.#deps.onEnd(this)
  }

  async #begin(): Promise<{ revision: number }> {
    const revision = await this.#deps.newest()
    this.#newest = revision
    this.#next = this.#request.startRevision || revision + 1
    return { revision }
  }

  async #run(): Promise<void> {
    const { signal } = this.#ending
    let broken = false
    while (!signal.aborted) {
      try {
        await this.#follow(() => (broken = false))
      } catch (error) {
        if (signal.aborted) return
        if (!(error instanceof StoreError) || error.code !== 'unavailable') return this.fail(error)
        if (!broken) this.#deps.logger.warn('a watch of etcd broke; it goes on where it was', { error, revision: this.#next - 1 })
        broken = true
      }
      await sleep(this.#deps.clock, RETRY, signal).catch(() => undefined)
    }
  }

  async #follow(onCreated: () => void): Promise<void> {
    const { signal } = this.#ending
    const stream = await this.#deps.connection.duplex(Watch.method.watch)
    const cancel = () => stream.cancel()
    signal.addEventListener('abort', cancel, { once: true })
    try {
      if (signal.aborted) return
      const all = keyBytes('\0')
      const value = { key: all, rangeEnd: all, startRevision: BigInt(this.#next), prevKv: this.#request.prevKv ?? false }
      stream.send({ requestUnion: { case: 'createRequest', value } })
      for await (const response of stream) {
        if (signal.aborted) return
        if (response.canceled) throw this.#cancelled(response)
        if (response.created) {
          onCreated()
          this.#newest = Math.max(this.#newest, Number(response.header?.revision))
        }
        for (const [revision, events] of Map.groupBy(response.events, ({ kv }) => Number(kv?.modRevision))) {
          if (revision >= this.#next) await this.#take(revision, events.filter((event) => this.#wants(event)).map(toEvent))
          if (signal.aborted) return
        }
      }
    } finally {
      signal.removeEventListener('abort', cancel)
      stream.cancel()
    }
  }

  #cancelled({ compactRevision, cancelReason }: WatchResponse): StoreError {
    const oldest = Number(compactRevision)
    if (oldest === 0) return new StoreError('unavailable', `etcd ended the watch: ${cancelReason || 'no reason given'}`)
    const message = `revision ${this.#next} has been compacted: the oldest is ${oldest}`
    return new StoreError('compacted', message, { compactRevision: oldest })
  }

  #wants({ type, kv }: Event): boolean {
    const { filter } = this.#request
    if (type === Event_EventType.PUT ? filter?.noPut : filter?.noDelete) return false
    return kv !== undefined && covers(this.#request, keyOf(kv.key))
  }

  async #take(revision: number, events: readonly StoreEvent[]): Promise<void> {
    if (events.length > 0) {
      if (this.#batches.length >= this.#limit && revision > this.#newest) {
        const message = `the watcher let ${this.#batches.length} batches wait: begin again after the last revision it saw`
        return this.fail(new StoreError('slowWatcher', message))
      }
      while (this.#batches.length >= this.#limit && !this.#ending.signal.aborted) {
        this.#room = deferred()
        await this.#room.promise
      }
      this.#quiet = false
      this.#mark = null
      this.#told = revision
      this.#batches.push({ revision, events })
    }
    this.#next = revision + 1
    this.#reached.resolve()
  }

  #tick(): void {
    if (this.#quiet) this.requestProgress()
    this.#quiet = true
  }

  async #answer(): Promise<void> {
    const { deps, signal } = { deps: this.#deps, signal: this.#ending.signal }
    this.#asking = true
    while (this.#asked && !signal.aborted) {
      this.#asked = false
      try {
        await this.created
        const revision = await deps.newest()
        await this.#until(revision)
        if (!signal.aborted) this.#tell(Math.max(revision, this.#told))
      } catch (error) {
        if (signal.aborted) break
        this.#asked = true
        deps.logger.debug('a progress mark must wait', { error })
        await sleep(deps.clock, RETRY, signal).catch(() => undefined)
      }
    }
    this.#asking = false
  }

  /** Resolves when everything up to and including `revision` has come, or nothing of it can come any more. */
  async #until(revision: number): Promise<void> {
    while (this.#next <= revision && revision > FIRST_REVISION && !this.#ending.signal.aborted) {
      this.#reached = deferred()
      using _overdue = this.#deps.clock.setTimeout(() => this.#reached.resolve(), OVERDUE, { unref: true })
      const { promise } = this.#reached
      const before = this.#next
      await promise
      if (this.#next === before && before === revision && (await this.#deps.mayBeEmpty(revision))) return
    }
  }

  #tell(revision: number): void {
    this.#told = revision
    if (this.#mark && this.#batches.length > 0) {
      this.#mark.revision = revision
      return
    }
    const mark: { revision: number; events: [] } = { revision, events: [] }
    this.#batches.push(mark)
    this.#mark = this.#batches.length > 0 ? mark : null
  }
}
