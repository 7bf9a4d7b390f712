/** Waiting longer after each failure, by key. Source: client-go `util/flowcontrol/backoff.go`. */
import type { Clock } from '../../base/clock.ts'

export interface BackoffOptions {
  /** Milliseconds. */
  readonly initial: number
  readonly max: number
}

/** Doubles from `initial` to `max`; a key that was quiet for twice `max` begins anew. */
export class Backoff {
  readonly #clock: Clock
  readonly #options: BackoffOptions
  readonly #entries = new Map<string, { delay: number; updated: number }>()

  constructor(clock: Clock, options: BackoffOptions) {
    this.#clock = clock
    this.#options = options
  }

  /** Milliseconds still to wait after a failure at `since`; 0 if none. */
  remaining(key: string, since: number): number {
    const entry = this.#entries.get(key)
    if (!entry || this.#expired(entry, since)) return 0
    return Math.max(0, entry.delay - (this.#clock.now() - since))
  }

  /** The wait that is in force for the key. */
  delay(key: string): number {
    return this.#entries.get(key)?.delay ?? 0
  }

  /** Tells of a failure at `at`: the next wait is longer. */
  next(key: string, at: number): void {
    const entry = this.#entries.get(key)
    const fresh = !entry || this.#expired(entry, at)
    const delay = fresh ? this.#options.initial : Math.min(entry.delay * 2, this.#options.max)
    this.#entries.set(key, { delay, updated: this.#clock.now() })
  }

  /** The same, with the wait given: what was in force before a restart. */
  restore(key: string, delay: number, updated: number): void {
    if (delay > 0) this.#entries.set(key, { delay: Math.min(delay, this.#options.max), updated })
  }

  forget(key: string): void {
    this.#entries.delete(key)
  }

  /** Forgets all keys that begin so. */
  forgetAll(prefix: string): void {
    for (const key of this.#entries.keys()) if (key.startsWith(prefix)) this.#entries.delete(key)
  }

  #expired(entry: { updated: number }, at: number): boolean {
    return at - entry.updated > 2 * this.#options.max
  }
}
