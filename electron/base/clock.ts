/**
 * Time as an argument: everything that waits or stamps takes a `Clock`, so that tests decide how fast time goes.
 * This file and its neighbour `fake-clock.ts` are the only places that may touch `Date.now` or timers.
 */
export interface Clock {
  /** Wall-clock time in milliseconds since the Unix epoch. May jump, e.g. after the machine slept. */
  now(): number
  /** Milliseconds from an arbitrary start; never goes back. For durations. */
  monotonic(): number
  /** Calls `fn` once after `ms` milliseconds; the timer does not keep the process alive if `unref` is set. */
  setTimeout(fn: () => void, ms: number, options?: { unref?: boolean }): Disposable
  /** Calls `fn` every `ms` milliseconds until disposed. */
  setInterval(fn: () => void, ms: number, options?: { unref?: boolean }): Disposable
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimeout(fn, ms, options) {
    const timer = setTimeout(fn, Math.min(ms, 0x7fffffff))
    if (options?.unref) timer.unref()
    return { [Symbol.dispose]: () => clearTimeout(timer) }
  },
  setInterval(fn, ms, options) {
    const timer = setInterval(fn, ms)
    if (options?.unref) timer.unref()
    return { [Symbol.dispose]: () => clearInterval(timer) }
  },
}

/** Resolves after `ms` milliseconds; rejects with the signal's reason if it is aborted first. */
export function sleep(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason as Error)
    const onAbort = () => {
      timer[Symbol.dispose]()
      reject(signal?.reason as Error)
    }
    const timer = clock.setTimeout(() => {
      signal?.removeEventListener('abort', onAbort)
      resolve()
    }, ms)
    signal?.addEventListener('abort', onAbort, { once: true })
  })
}

/** A signal that aborts after `ms` of this clock, or with `parent`. Dispose it to stop the timer. */
export function deadline(clock: Clock, ms: number, parent?: AbortSignal): { signal: AbortSignal } & Disposable {
  const controller = new AbortController()
  const timer = clock.setTimeout(() => controller.abort(new DOMException(`timed out after ${ms} ms`, 'TimeoutError')), ms)
  const onAbort = () => controller.abort(parent?.reason)
  if (parent?.aborted) onAbort()
  else parent?.addEventListener('abort', onAbort, { once: true })
  return {
    signal: controller.signal,
    [Symbol.dispose]() {
      timer[Symbol.dispose]()
      parent?.removeEventListener('abort', onAbort)
    },
  }
}
