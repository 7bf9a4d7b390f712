/** How many seats a level wants over time. Source: KEP-1040, "seat demand". */

export interface DemandStatistics {
  readonly high: number
  readonly average: number
  readonly deviation: number
}

/** How much of the past stays in the smoothed demand at each period. */
const REMEMBERED = 0.977

export class Demand {
  #value = 0
  #since: number
  #begun: number
  #sum = 0
  #squares = 0
  #high = 0
  #smooth = 0

  constructor(now: number) {
    this.#since = now
    this.#begun = now
  }

  get smooth(): number {
    return this.#smooth
  }

  /** Nothing is wanted, and nothing was for long. */
  get idle(): boolean {
    return this.#high === 0 && this.#smooth < 0.5
  }

  set(seats: number, now: number): void {
    this.#integrate(now)
    this.#value = seats
    if (seats > this.#high) this.#high = seats
  }

  /** Ends a period and begins the next. */
  take(now: number): DemandStatistics {
    this.#integrate(now)
    const length = now - this.#begun
    const average = length > 0 ? this.#sum / length : this.#value
    const deviation = length > 0 ? Math.sqrt(Math.max(0, this.#squares / length - average ** 2)) : 0
    const taken = { high: this.#high, average, deviation }
    const envelope = Math.min(taken.high, average + deviation)
    this.#smooth = Math.max(envelope, REMEMBERED * this.#smooth + (1 - REMEMBERED) * envelope)
    this.#begun = now
    this.#sum = 0
    this.#squares = 0
    this.#high = this.#value
    return taken
  }

  #integrate(now: number): void {
    const length = now - this.#since
    this.#sum += this.#value * length
    this.#squares += this.#value ** 2 * length
    this.#since = now
  }
}
