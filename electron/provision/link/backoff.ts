import type { Random } from '../../base/random.ts'

/** Waiting times that grow from attempt to attempt, spread so that many machines are not tried at the same moment. */
export class Backoff {
  #attempt = 0
  readonly #random: Random
  readonly #firstMs: number
  readonly #mostMs: number

  constructor(random: Random, options: { firstMs: number; mostMs: number }) {
    this.#random = random
    this.#firstMs = options.firstMs
    this.#mostMs = options.mostMs
  }

  /** Milliseconds to wait before the next attempt: between half and the whole of a time that doubles up to the most, or to `mostMs`. */
  next(mostMs = this.#mostMs): number {
    const full = Math.min(mostMs, this.#firstMs * 2 ** Math.min(this.#attempt++, 30))
    return full / 2 + (full / 2) * this.#random.float()
  }

  reset(): void {
    this.#attempt = 0
  }
}
