import type { Clock } from '../../base/clock.ts'
import type { StatusError } from '../../machinery/status.ts'
import { Bookmark, type CacheWatch, type WatchItem } from './cache-watch.ts'

export interface WatchSessionOptions {
  readonly watch: CacheWatch
  /** The cache's revision now. */
  readonly revision: () => number
  readonly clock: Clock
  /** When the server ends the watch, in milliseconds. */
  readonly timeoutMs: number
  /** Whether the client understands bookmarks. */
  readonly bookmarks: boolean
  readonly signal: AbortSignal
}

const BOOKMARK_MS = 60_000

/** A watch as it is served: with its bookmarks, and its end in time or when the client goes. */
export class WatchSession implements Disposable {
  readonly #options: WatchSessionOptions
  readonly #timers = new DisposableStack()

  constructor(options: WatchSessionOptions) {
    this.#options = options
    const { clock, signal, watch } = options
    if (options.bookmarks) this.#timers.use(clock.setInterval(() => this.#bookmark(), BOOKMARK_MS, { unref: true }))
    this.#timers.use(clock.setTimeout(() => this.expire(), options.timeoutMs, { unref: true }))
    const onAbort = () => this[Symbol.dispose]()
    signal.addEventListener('abort', onAbort, { once: true })
    this.#timers.defer(() => signal.removeEventListener('abort', onAbort))
    if (signal.aborted) watch[Symbol.dispose]()
  }

  take(): readonly WatchItem[] {
    return this.#options.watch.take()
  }

  onReady(wake: () => void): void {
    this.#options.watch.onReady(wake)
  }

  /** Calls the listener once, when the session is over; at once if it is. */
  onClose(listener: () => void): void {
    if (this.#timers.disposed) listener()
    else this.#timers.defer(listener)
  }

  /** Its time is over: a normal end, after a last bookmark. */
  expire(): void {
    if (this.#options.bookmarks) this.#options.watch.push(new Bookmark(this.#options.revision(), false))
    this.#timers.dispose()
    this.#options.watch.fail(null)
  }

  get end(): { readonly error: StatusError | null } | null {
    return this.#options.watch.end
  }

  [Symbol.dispose](): void {
    this.#timers.dispose()
    this.#options.watch[Symbol.dispose]()
  }

  #bookmark(): void {
    const { watch, revision } = this.#options
    if (watch.push(new Bookmark(revision(), false))) watch.flush()
  }
}

/** The items in turn. Ends with the watch; throws its error. Disposes the session. */
export async function* watchItems(session: WatchSession): AsyncGenerator<WatchItem, void, void> {
  try {
    for (;;) {
      yield* session.take()
      const { end } = session
      if (end) {
        yield* session.take()
        if (end.error) throw end.error
        return
      }
      await new Promise<void>((resolve) => session.onReady(resolve))
    }
  } finally {
    session[Symbol.dispose]()
  }
}
