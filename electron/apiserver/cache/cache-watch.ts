import { expired, type StatusError } from '../../machinery/status.ts'
import type { Entry } from './entry.ts'
import type { CacheEvent, Frame } from './frame.ts'

/** Says that everything up to `revision` has been sent. */
export class Bookmark {
  readonly type = 'BOOKMARK'
  readonly revision: number
  /** Ends the synthetic events that stand for the state at the start (KEP-3157). */
  readonly initialEventsEnd: boolean

  constructor(revision: number, initialEventsEnd: boolean) {
    this.revision = revision
    this.initialEventsEnd = initialEventsEnd
  }
}

export type WatchItem = Frame | Bookmark

export interface WatchScope {
  /** Keys that begin with this; with `exact` the one key. */
  readonly prefix: string
  readonly exact?: boolean
  /** Null: all. */
  readonly matches: ((entry: Entry) => boolean) | null
}

/** How many items may wait for a watcher beyond its initial events. */
const BUFFER_LIMIT = 8192

const NOTHING: readonly WatchItem[] = Object.freeze([])

/** One watcher's place in the cache: a bounded queue between the cache, which never waits, and one consumer. */
export class CacheWatch implements Disposable {
  readonly #scope: WatchScope
  readonly #after: number
  readonly #leave: (watch: CacheWatch) => void
  #queue: WatchItem[] = []
  #wake: (() => void) | null = null
  #end: { error: StatusError | null } | null = null

  /** Takes events after revision `after`; `leave` is called once when it ends. */
  constructor(scope: WatchScope, after: number, leave: (watch: CacheWatch) => void) {
    this.#scope = scope
    this.#after = after
    this.#leave = leave
  }

  /** Queues the event if it concerns this watcher; true if the consumer must be woken with `flush`. */
  offer(event: CacheEvent): boolean {
    if (this.#end || event.revision <= this.#after || !this.#covers(event.key)) return false
    const { matches } = this.#scope
    const now = event.entry !== null && (matches === null || matches(event.entry))
    const before = event.previous !== null && (matches === null || matches(event.previous))
    const frame = event.frame(now, before)
    return frame !== null && this.push(frame)
  }

  push(item: WatchItem): boolean {
    if (this.#end) return false
    if (this.#queue.length >= BUFFER_LIMIT) {
      this.#queue = []
      this.fail(expired('The watcher is too slow: more events wait than its buffer holds. List again, and watch from there.'))
      return true
    }
    return this.#queue.push(item) === 1
  }

  /** What the watch begins with; the buffer's limit does not count it. */
  begin(items: WatchItem[]): void {
    this.#queue = items
  }

  flush(): void {
    const wake = this.#wake
    this.#wake = null
    wake?.()
  }

  /** Everything that waits. */
  take(): readonly WatchItem[] {
    if (this.#queue.length === 0) return NOTHING
    const items = this.#queue
    this.#queue = []
    return items
  }

  /** Calls `wake` once, as soon as there is something to take or the watch has ended; at once if so already. */
  onReady(wake: () => void): void {
    if (this.#queue.length > 0 || this.#end) wake()
    else this.#wake = wake
  }

  /** Set when no more will come: its error, or null for a normal end. What waits may still be taken. */
  get end(): { readonly error: StatusError | null } | null {
    return this.#end
  }

  fail(error: StatusError | null): void {
    if (this.#end) return
    this.#end = { error }
    this.#leave(this)
    this.flush()
  }

  [Symbol.dispose](): void {
    this.fail(null)
    this.#queue = []
  }

  #covers(key: string): boolean {
    return this.#scope.exact ? key === this.#scope.prefix : key.startsWith(this.#scope.prefix)
  }
}
