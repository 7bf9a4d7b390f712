/**
 * How often something large is written anew while its parts change one by one: a service of a thousand pods that start would otherwise be
 * written a thousand times, each time whole. Small things are not held back.
 */
import type { Clock } from '../../base/clock.ts'

/** Below this many parts each change is written at once. */
const SMALL = 100
/** Milliseconds: a part stands for one, up to this. */
const LONGEST = 1000

export class Pace {
  readonly #clock: Clock
  /** When the next may begin, in milliseconds of the monotonic clock. */
  readonly #due = new Map<string, number>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Milliseconds; 0: now. */
  untilDue(key: string): number {
    return Math.max(0, (this.#due.get(key) ?? 0) - this.#clock.monotonic())
  }

  began(key: string, parts: number): void {
    if (parts < SMALL) this.#due.delete(key)
    else this.#due.set(key, this.#clock.monotonic() + Math.min(parts, LONGEST))
  }

  forget(key: string): void {
    this.#due.delete(key)
  }
}
