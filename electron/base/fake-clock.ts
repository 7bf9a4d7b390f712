import type { Clock } from './clock.ts'

interface Timer {
  at: number
  order: number
  every: number | null
  fn: () => void
}

/** A clock that stands still until a test moves it. Timers fire in order of their time, then of their creation. */
export class FakeClock implements Clock {
  #now: number
  /** How far the wall clock is ahead of the time that passes. */
  #ahead = 0
  #order = 0
  readonly #timers = new Set<Timer>()

  constructor(now = Date.parse('2026-01-01T00:00:00Z')) {
    this.#now = now
  }

  now(): number {
    return this.#now + this.#ahead
  }

  monotonic(): number {
    return this.#now
  }

  setTimeout(fn: () => void, ms: number): Disposable {
    return this.#add(fn, ms, null)
  }

  setInterval(fn: () => void, ms: number): Disposable {
    return this.#add(fn, ms, Math.max(1, ms))
  }

  /** How many timers wait. */
  get pending(): number {
    return this.#timers.size
  }

  /** Moves time on by `ms`, firing what falls due, and lets promise reactions run between timers. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms
    await settle()
    for (;;) {
      const next = this.#next(end)
      if (!next) break
      this.#now = Math.max(this.#now, next.at)
      if (next.every === null) this.#timers.delete(next)
      else next.at += next.every
      next.fn()
      await settle()
    }
    this.#now = end
    await settle()
  }

  /** Jumps the wall clock without firing timers that fell due on the way: what a sleeping laptop sees. */
  jump(ms: number): void {
    this.#now += ms
    for (const timer of this.#timers) timer.at += ms
  }

  /** Sets the wall clock by so much, forward or back, as a person or a time server does: no time passes. */
  setWall(ms: number): void {
    this.#ahead += ms
  }

  #next(end: number): Timer | undefined {
    let best: Timer | undefined
    for (const timer of this.#timers) {
      if (timer.at > end) continue
      if (!best || timer.at < best.at || (timer.at === best.at && timer.order < best.order)) best = timer
    }
    return best
  }

  #add(fn: () => void, ms: number, every: number | null): Disposable {
    const timer: Timer = { at: this.#now + Math.max(0, ms), order: this.#order++, every, fn }
    this.#timers.add(timer)
    return { [Symbol.dispose]: () => void this.#timers.delete(timer) }
  }
}

/** Lets everything that is ready to run, run: promise reactions and immediates. */
export async function settle(rounds = 5): Promise<void> {
  for (let i = 0; i < rounds; i++) await new Promise<void>((resolve) => setImmediate(resolve))
}
