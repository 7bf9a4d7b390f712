/** Room for so many at a time; others wait for theirs in order. */
export class Slots {
  #free: number
  readonly #waiting: (() => void)[] = []

  constructor(size: number) {
    this.#free = size
  }

  /** Resolves with a place, which is given back when it is disposed. Throws the signal's reason. */
  async take(signal?: AbortSignal): Promise<Disposable> {
    signal?.throwIfAborted()
    if (this.#free > 0) this.#free--
    else await this.#turn(signal)
    let held = true
    return {
      [Symbol.dispose]: () => {
        if (!held) return
        held = false
        const next = this.#waiting.shift()
        if (next) next()
        else this.#free++
      },
    }
  }

  async #turn(signal?: AbortSignal): Promise<void> {
    const turn = Promise.withResolvers<void>()
    const onAbort = () => {
      const at = this.#waiting.indexOf(turn.resolve)
      if (at === -1) return
      this.#waiting.splice(at, 1)
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
