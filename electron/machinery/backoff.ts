/** Growing waits between attempts. All times are in milliseconds. */
import type { Clock } from '../base/clock.ts'
import type { Random } from '../base/random.ts'

export interface BackoffOptions {
  readonly initial: number
  readonly max: number
  /** Default 2. */
  readonly factor?: number
  /** Each wait is longer by a random part of up to this share of it. Default 0. */
  readonly jitter?: number
  readonly random?: Random
}

/** One thing that is tried again and again: `next` before each attempt after the first, `reset` after a success. */
export class Backoff {
  readonly #options: BackoffOptions
  #attempts = 0

  constructor(options: BackoffOptions) {
    this.#options = options
  }

  /** Attempts since the last reset. */
  get attempts(): number {
    return this.#attempts
  }

  /** How long to wait now. */
  next(): number {
    const { initial, max, factor = 2, jitter = 0, random } = this.#options
    const wait = Math.min(initial * factor ** this.#attempts, max)
    this.#attempts++
    return jitter > 0 && random ? wait * (1 + random.float() * jitter) : wait
  }

  reset(): void {
    this.#attempts = 0
  }
}

interface KeyState {
  wait: number
  updated: number
}

/**
 * Waits for many things, each with its own: the first failure waits `initial`, each that comes soon after the one before waits
 * longer, and one that comes later than twice `max` after it begins anew. Source: client-go `util/flowcontrol.Backoff`.
 */
export class KeyedBackoff<K> {
  readonly #clock: Clock
  readonly #options: BackoffOptions
  readonly #keys = new Map<K, KeyState>()

  constructor(clock: Clock, options: BackoffOptions) {
    this.#clock = clock
    this.#options = options
  }

  /** The present wait of the key; 0 if it has not failed. */
  get(key: K): number {
    return this.#keys.get(key)?.wait ?? 0
  }

  /** Counts a failure that happened at `at` (default: now); returns the wait. */
  failed(key: K, at = this.#clock.monotonic()): number {
    const { initial, max, factor = 2, jitter = 0, random } = this.#options
    const known = this.#keys.get(key)
    const extra = (wait: number) => (jitter > 0 && random ? wait * random.float() * jitter : 0)
    const wait = !known || at - known.updated > 2 * max ? initial + extra(initial) : Math.min(known.wait * factor + extra(known.wait), max)
    this.#keys.set(key, { wait, updated: at })
    return wait
  }

  /** Whether the key must still wait, `since` being when it last failed (default: as recorded). */
  isWaiting(key: K, since?: number): boolean {
    const known = this.#keys.get(key)
    if (!known) return false
    const now = this.#clock.monotonic()
    if (now - known.updated > 2 * this.#options.max) return false
    return now - (since ?? known.updated) < known.wait
  }

  reset(key: K): void {
    this.#keys.delete(key)
  }

  /** Forgets keys that have not failed for twice the longest wait. */
  collect(): void {
    const now = this.#clock.monotonic()
    for (const [key, { updated }] of this.#keys) if (now - updated > 2 * this.#options.max) this.#keys.delete(key)
  }
}
