import type { Clock } from '../../../base/clock.ts'
import { CODE, ConnectionError } from './frame.ts'

/** A client that pings more often than this, in milliseconds, while nothing is sent to it, is told to leave, as by etcd. */
const MIN_INTERVAL = 5000
const STRIKES = 2

export class PingGuard {
  readonly #clock: Clock
  #last = Number.NEGATIVE_INFINITY
  #strikes = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Something was sent to the client, which it may ping for. */
  sent(): void {
    this.#strikes = 0
  }

  /** Throws ConnectionError when it was too much. */
  pinged(): void {
    const now = this.#clock.monotonic()
    // In the words that make gRPC clients ping less often.
    if (now - this.#last < MIN_INTERVAL && ++this.#strikes > STRIKES) throw new ConnectionError(CODE.enhanceYourCalm, 'too_many_pings')
    this.#last = now
  }
}
