import type { Store, StoreEvent, WatchBatch, Watcher, WatchRequest } from '../../store.ts'
import { StoreError } from '../../store.ts'
import { newestRevision } from './service.ts'

/** How often a watch with progress notifications hears of quiet, in milliseconds, as etcd has it by default. */
const PROGRESS = 10 * 60_000
/** How many revisions may come at once before they are read from the history. */
const BUFFER = 1000

export interface CancelReason {
  readonly compactRevision?: number
  readonly cancelReason?: string
}

/** Where a watch's news go. */
export interface WatchSink {
  created(revision: number): void
  events(revision: number, events: readonly StoreEvent[]): void
  /** All up to the revision has been delivered. */
  progress(revision: number): void
  /** As `progress`, in answer to `ask`. */
  reached(revision: number): void
  cancelled(revision: number, why: CancelReason): void
  /** The whole stream is to end. */
  failed(error: unknown): void
  /** The client has no room. */
  blocked(): boolean
  /** Resolves when the client has room. */
  drained(): Promise<void>
}

export interface WatchRunDeps {
  readonly store: Store
  readonly request: WatchRequest
  readonly progressNotify: boolean
}

/**
 * One watch from its creation to its end. Nothing is kept in memory for a client that has no room: when it has, it is served from the
 * store's history. It is never given up for being slow, unless that history is compacted.
 */
export class WatchRun {
  readonly #deps: WatchRunDeps
  readonly #sink: WatchSink
  #watcher: Watcher | null = null
  /** The next revision to deliver; 0 until it is known. */
  #next: number
  #asked = false
  #cancelled = false
  #stopped = false

  constructor(deps: WatchRunDeps, sink: WatchSink) {
    this.#deps = deps
    this.#sink = sink
    this.#next = deps.request.startRevision ?? 0
  }

  start(): void {
    this.#run().catch((error: unknown) => this.#sink.failed(error))
  }

  /** The client wants no more; it is told when it is over. */
  cancel(): void {
    this.#cancelled = true
    void this.#watcher?.[Symbol.asyncDispose]()
  }

  /** Nobody listens any more. */
  stop(): void {
    this.#stopped = true
    void this.#watcher?.[Symbol.asyncDispose]()
  }

  ask(): void {
    this.#asked = true
    this.#watcher?.requestProgress()
  }

  async #run(): Promise<void> {
    try {
      const { revision } = await this.#open().created
      this.#sink.created(revision)
      if (this.#next === 0) this.#next = revision + 1
      while (!this.#stopped && !this.#cancelled) await this.#follow()
    } catch (error) {
      if (this.#stopped) return
      if (!(error instanceof StoreError) || error.code === 'closed') throw error
      return this.#sink.cancelled(await this.#newest(), reasonOf(error))
    }
    if (!this.#stopped) this.#sink.cancelled(await this.#newest(), {})
  }

  #open(): Watcher {
    const { store, request, progressNotify } = this.#deps
    const progress = progressNotify ? { progressInterval: PROGRESS } : {}
    const watcher = store.watch({ ...request, startRevision: this.#next, bufferLimit: BUFFER, ...progress })
    this.#watcher = watcher
    if (this.#asked) watcher.requestProgress()
    return watcher
  }

  /** Until the client has no room, or too much comes at once, or it is over. */
  async #follow(): Promise<void> {
    const watcher = this.#watcher ?? this.#open()
    try {
      for await (const batch of watcher) {
        if (this.#stopped || this.#cancelled) return
        this.#deliver(batch)
        if (this.#sink.blocked()) break
      }
    } catch (error) {
      if (!(error instanceof StoreError) || error.code !== 'slowWatcher') throw error
    } finally {
      this.#watcher = null
    }
    await this.#sink.drained()
  }

  #deliver({ revision, events }: WatchBatch): void {
    if (events.length > 0) {
      this.#next = revision + 1
      return this.#sink.events(revision, events)
    }
    // A watch that begins later has nothing to say of now, and keeps nobody waiting.
    const late = revision + 1 < this.#next
    if (!late) this.#next = revision + 1
    if (this.#asked) {
      this.#asked = false
      this.#sink.reached(late ? Number.MAX_SAFE_INTEGER : revision)
    } else if (!late) this.#sink.progress(revision)
  }

  #newest(): Promise<number> {
    return newestRevision(this.#deps.store)
  }
}

function reasonOf({ code, compactRevision, message }: StoreError): CancelReason {
  return code === 'compacted' && compactRevision !== undefined ? { compactRevision } : { cancelReason: `etcdserver: ${message}` }
}
