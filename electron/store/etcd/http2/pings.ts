import type { Clock } from '../../../base/clock.ts'
import { CODE, ConnectionError, FLAG, FRAME, frame } from './frame.ts'

/** A client that pings more often than this, in milliseconds, while nothing is sent to it, is told to leave, as by etcd. */
const MIN_INTERVAL = 5000
const STRIKES = 2
/** Ticks without a word from the client after which it is asked whether it is there, and after which it is given up. */
const SILENT_ASK = 3
const SILENT_END = 5
const PROBE = frame(FRAME.ping, 0, 0, Buffer.from('flotilla', 'latin1'))
const SIZE = 8

/** Pings of both ends of a connection (RFC 9113, section 6.7). */
export class Pings {
  readonly #clock: Clock
  #last = Number.NEGATIVE_INFINITY
  #strikes = 0
  #silent = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** The client said something. */
  heard(): void {
    this.#silent = 0
  }

  /** To be called at a steady pace: what to ask a silent client, if it is time to, and whether it has been silent for too long. */
  tick(): { readonly ask: Buffer | null; readonly gone: boolean } {
    this.#silent++
    return { ask: this.#silent === SILENT_ASK ? PROBE : null, gone: this.#silent >= SILENT_END }
  }

  /** Something was sent to the client, which it may ping for. */
  sent(): void {
    this.#strikes = 0
  }

  /** A ping frame came; returns the answer to it, if it wants one. Throws ConnectionError when it is wrong, or one too many. */
  received(id: number, flags: number, payload: Buffer): Buffer | null {
    if (id !== 0) throw new ConnectionError(CODE.protocolError, 'a ping of a stream')
    if (payload.length !== SIZE) throw new ConnectionError(CODE.frameSizeError, 'a ping of a wrong size')
    if (flags & FLAG.ack) return null
    const now = this.#clock.monotonic()
    // In the words that make gRPC clients ping less often.
    if (now - this.#last < MIN_INTERVAL && ++this.#strikes > STRIKES) throw new ConnectionError(CODE.enhanceYourCalm, 'too_many_pings')
    this.#last = now
    return frame(FRAME.ping, FLAG.ack, 0, payload)
  }
}
