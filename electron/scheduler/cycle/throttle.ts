import { deferred, type Deferred } from '../../base/async.ts'

/** Counts calls to the API server that decisions have led to, so that decisions wait for a slow server instead of burying it. */
export class Throttle {
  readonly #limit: number
  #running = 0
  #room: Deferred<void> | null = null

  constructor(limit: number) {
    this.#limit = limit
  }

  /** Does it at once; it counts until it is done. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    this.#running++
    try {
      return await work()
    } finally {
      this.#running--
      if (this.#running < this.#limit) {
        this.#room?.resolve()
        this.#room = null
      }
    }
  }

  /** Resolves when fewer are under way than may be. */
  async room(): Promise<void> {
    while (this.#running >= this.#limit) {
      this.#room ??= deferred()
      await this.#room.promise
    }
  }
}
