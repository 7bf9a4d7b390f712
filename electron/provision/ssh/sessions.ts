/** How many sessions a host lets one connection have at a time. Source: sshd_config(5) "MaxSessions", RFC 4254 section 5.1. */
import type { ClientChannel } from 'ssh2'
import { sleep, type Clock } from '../../base/clock.ts'
import { FlotillaError, messageOf } from '../../base/errors.ts'

/** The host may still be clearing up a session that ended here already. */
const LINGERS_MS = 50
const LINGERS_TIMES = 20

/**
 * Sessions of one connection. As many are opened as are asked for, until the host refuses one while others are open: from then on no
 * more than that are, and the next waits until one ends.
 */
export class Sessions {
  readonly #clock: Clock
  #open = 0
  #limit = Infinity
  readonly #waiting: (() => void)[] = []

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Null while no limit is known. */
  get limit(): number | null {
    return this.#limit === Infinity ? null : this.#limit
  }

  /**
   * `start` opens a session, and calls what it is given with its channel. Throws what it throws, SSH_CONNECTION_LOST if the host takes no
   * session at all, or the signal's reason.
   */
  async open<T>(start: (opened: (channel: ClientChannel) => void) => Promise<T>, signal?: AbortSignal): Promise<T> {
    for (let lingered = 0; ;) {
      while (this.#open >= this.#limit) await this.#turn(signal)
      this.#open++
      let released = false
      const release = () => {
        if (released) return
        released = true
        this.#open--
        this.#waiting.shift()?.()
      }
      let began = false
      try {
        return await start((channel) => {
          began = true
          channel.once('close', release)
        })
      } catch (error) {
        if (!began) release()
        if (began || !isRefusal(error)) throw error
        if (this.#open > 0) this.#limit = this.#open
        else if (++lingered > LINGERS_TIMES) throw noSession(error)
        else await sleep(this.#clock, LINGERS_MS, signal)
      }
    }
  }

  async #turn(signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted()
    const turn = Promise.withResolvers<void>()
    const onAbort = () => {
      const at = this.#waiting.indexOf(turn.resolve)
      if (at !== -1) this.#waiting.splice(at, 1)
      turn.reject(signal?.reason)
    }
    this.#waiting.push(turn.resolve)
    signal?.addEventListener('abort', onAbort, { once: true })
    try {
      await turn.promise
    } finally {
      signal?.removeEventListener('abort', onAbort)
    }
  }
}

/** ssh2 gives RFC 4254's reason: 1 is "administratively prohibited", 2 "connect failed" (OpenSSH's for a session too many), 4 a shortage. */
function isRefusal(error: unknown): boolean {
  return !(error instanceof FlotillaError) && /channel open failure/i.test(messageOf(error))
}

function noSession(cause: unknown): FlotillaError {
  return new FlotillaError('SSH_CONNECTION_LOST', {
    what: 'The host lets no commands run.',
    why: `It was signed in to, but it opens no session: ${messageOf(cause)}.`,
    next: 'Set MaxSessions to 1 or more in sshd_config there and reload sshd.',
    cause,
  })
}
