/**
 * The queue between watching and reconciling. Keys, never events, go in. Semantics: client-go `util/workqueue`.
 *
 * - A key that waits is not added again: many changes become one run.
 * - A key that is worked on and added meanwhile runs once more after `done`, never twice at the same time.
 * - Keys come out in the order in which they went in.
 */
import type { Clock } from '../base/clock.ts'
import { deferred, type Deferred } from '../base/async.ts'
import { DelayHeap } from './delay-heap.ts'
import { controllerRateLimiter, type RateLimiter } from './rate-limiter.ts'

/** Called at each step; durations in milliseconds. */
export interface WorkQueueObserver {
  added?(depth: number): void
  /** How long the key waited. */
  taken?(waitedMs: number, depth: number): void
  /** How long the key was worked on. */
  done?(workedMs: number): void
  retried?(): void
}

export interface WorkQueueOptions<K> {
  readonly clock: Clock
  /** Default: 5 ms to 1000 s per key, and 10 a second over all with bursts of 100. */
  readonly rateLimiter?: RateLimiter<K>
  readonly observer?: WorkQueueObserver
}

export class WorkQueue<K> implements Disposable {
  readonly #clock: Clock
  readonly #limiter: RateLimiter<K>
  readonly #observer: WorkQueueObserver
  readonly #ready = new Map<K, number>()
  readonly #processing = new Map<K, number>()
  /** Added while they were worked on. */
  readonly #again = new Set<K>()
  readonly #delayed = new DelayHeap<K>()
  readonly #idle: Deferred<K | undefined>[] = []
  readonly #drained: Deferred<void>[] = []
  #timer: Disposable | null = null
  #closed = false

  constructor({ clock, rateLimiter, observer = {} }: WorkQueueOptions<K>) {
    this.#clock = clock
    this.#limiter = rateLimiter ?? controllerRateLimiter(clock)
    this.#observer = observer
  }

  /** How many keys wait to be taken; those that are delayed do not count. */
  get length(): number {
    return this.#ready.size
  }

  /** How many keys are being worked on. */
  get processing(): number {
    return this.#processing.size
  }

  get closed(): boolean {
    return this.#closed
  }

  add(key: K): void {
    if (this.#closed || this.#ready.has(key)) return
    if (this.#processing.has(key)) {
      if (this.#again.has(key)) return
      this.#again.add(key)
      this.#observer.added?.(this.#ready.size)
      return
    }
    this.#enqueue(key)
    this.#observer.added?.(this.#ready.size)
  }

  /** Adds the key after `ms`; of several delays of a key the shortest counts. */
  addAfter(key: K, ms: number): void {
    if (this.#closed) return
    this.#observer.retried?.()
    if (ms <= 0) return this.add(key)
    this.#delayed.push(key, this.#clock.monotonic() + ms)
    this.#schedule()
  }

  /** Adds the key after the delay that its failures so far call for. */
  addRateLimited(key: K): void {
    this.addAfter(key, this.#limiter.when(key))
  }

  /** The key succeeded or is given up: its failures no longer count. */
  forget(key: K): void {
    this.#limiter.forget(key)
  }

  /** How often the key was added with `addRateLimited` since it was forgotten. */
  retries(key: K): number {
    return this.#limiter.retries(key)
  }

  /** The next key, which must be given back with `done`; undefined when the queue is closed and empty. Waits for one. */
  async get(): Promise<K | undefined> {
    for (const [key, since] of this.#ready) {
      this.#ready.delete(key)
      this.#take(key, since)
      return key
    }
    if (this.#closed) return undefined
    const waiting = deferred<K | undefined>()
    this.#idle.push(waiting)
    return waiting.promise
  }

  done(key: K): void {
    const since = this.#processing.get(key)
    if (since === undefined) return
    this.#processing.delete(key)
    this.#observer.done?.(this.#clock.monotonic() - since)
    if (this.#again.delete(key)) this.#enqueue(key)
    if (this.#processing.size === 0) for (const waiting of this.#drained.splice(0)) waiting.resolve()
  }

  /** Takes no more keys. What waits is still handed out; delayed keys are forgotten. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#timer?.[Symbol.dispose]()
    this.#timer = null
    this.#delayed.clear()
    for (const waiting of this.#idle.splice(0)) waiting.resolve(undefined)
  }

  /** Closes, and resolves when all that was handed out is done. */
  async drain(): Promise<void> {
    this.close()
    if (this.#processing.size === 0) return
    const waiting = deferred<void>()
    this.#drained.push(waiting)
    await waiting.promise
  }

  [Symbol.dispose](): void {
    this.close()
  }

  #enqueue(key: K): void {
    const now = this.#clock.monotonic()
    const waiting = this.#idle.shift()
    if (!waiting) {
      this.#ready.set(key, now)
      return
    }
    this.#take(key, now)
    waiting.resolve(key)
  }

  #take(key: K, since: number): void {
    const now = this.#clock.monotonic()
    this.#processing.set(key, now)
    this.#observer.taken?.(now - since, this.#ready.size)
  }

  #schedule(): void {
    this.#timer?.[Symbol.dispose]()
    this.#timer = null
    const next = this.#delayed.nextAt
    if (next === undefined || this.#closed) return
    this.#timer = this.#clock.setTimeout(() => this.#release(), Math.max(0, next - this.#clock.monotonic()))
  }

  #release(): void {
    const now = this.#clock.monotonic()
    for (const key of this.#delayed.popUntil(now)) this.add(key)
    this.#schedule()
  }
}
