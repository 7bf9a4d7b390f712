/**
 * Since when this process has been awake without a gap. A desktop sleeps, and what it held to be recent before is of no worth after:
 * whoever judges others by their silence must begin to listen anew.
 */
import type { Clock } from '../../base/clock.ts'

const TICK = 5000
/** A busy machine is late by less. */
const SLACK = 10_000

export class Wakefulness {
  readonly #clock: Clock
  #since: number
  #wall: number
  #monotonic: number

  constructor(clock: Clock) {
    this.#clock = clock
    this.#wall = clock.now()
    this.#monotonic = clock.monotonic()
    this.#since = this.#monotonic
  }

  /** On the monotonic clock, in milliseconds. Right at once after a gap, whichever timer fires first. */
  check(): number {
    const [wall, monotonic] = [this.#clock.now(), this.#clock.monotonic()]
    // Whether sleep counts on the monotonic clock differs between systems; on one of the two it always does.
    const passed = Math.max(wall - this.#wall, monotonic - this.#monotonic)
    if (passed > TICK + SLACK) this.#since = monotonic
    this.#wall = wall
    this.#monotonic = monotonic
    return this.#since
  }

  /** Without it every time of nobody asking is a gap. */
  watch(): Disposable {
    this.check()
    return this.#clock.setInterval(() => this.check(), TICK, { unref: true })
  }
}
