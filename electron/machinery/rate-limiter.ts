/** How long a key that failed has to wait. All times are in milliseconds. Source: client-go `util/workqueue`. */
import type { Clock } from '../base/clock.ts'

export interface RateLimiter<K> {
  /** Counts a failure, and says how long to wait. */
  when(key: K): number
  forget(key: K): void
  /** Failures since the key was forgotten. */
  retries(key: K): number
}

/** `base` doubled with each failure of the key, at most `max`. */
export function exponentialLimiter<K>(base: number, max: number): RateLimiter<K> {
  const failures = new Map<K, number>()
  return {
    when(key) {
      const count = failures.get(key) ?? 0
      failures.set(key, count + 1)
      return Math.min(base * 2 ** count, max)
    },
    forget: (key) => void failures.delete(key),
    retries: (key) => failures.get(key) ?? 0,
  }
}

/** All keys together: `burst` at once, then `perSecond`. */
export function bucketLimiter<K>(clock: Clock, perSecond: number, burst: number): RateLimiter<K> {
  let tokens = burst
  let last = clock.monotonic()
  return {
    when() {
      const now = clock.monotonic()
      tokens = Math.min(burst, tokens + ((now - last) * perSecond) / 1000)
      last = now
      tokens--
      return tokens >= 0 ? 0 : (-tokens * 1000) / perSecond
    },
    forget() {},
    retries: () => 0,
  }
}

/** The longest wait of several limiters. */
export function maxOfLimiters<K>(...limiters: readonly RateLimiter<K>[]): RateLimiter<K> {
  return {
    when: (key) => Math.max(...limiters.map((limiter) => limiter.when(key))),
    forget(key) {
      for (const limiter of limiters) limiter.forget(key)
    },
    retries: (key) => Math.max(...limiters.map((limiter) => limiter.retries(key))),
  }
}

/** What controllers use: 5 ms to 1000 s per key; over all keys 10 a second, with bursts of 100. */
export function controllerRateLimiter<K>(clock: Clock): RateLimiter<K> {
  return maxOfLimiters(exponentialLimiter<K>(5, 1_000_000), bucketLimiter<K>(clock, 10, 100))
}
