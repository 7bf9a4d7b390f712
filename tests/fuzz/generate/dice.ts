import { randomInt, seededRandom, type Random } from '../../../electron/base/random.ts'

/** Choices of one scenario; the same seed and number give the same ones. */
export class Dice {
  readonly #random: Random

  constructor(seed: number, number: number) {
    this.#random = seededRandom((Math.imul(seed, 0x9e3779b1) ^ Math.imul(number + 1, 0x85ebca6b)) >>> 0)
  }

  chance(probability: number): boolean {
    return this.#random.float() < probability
  }

  /** In [0, below). */
  int(below: number): number {
    return randomInt(this.#random, below)
  }

  one<T>(of: readonly T[]): T {
    if (of.length === 0) throw new Error('nothing to choose from')
    return of[this.int(of.length)] as T
  }

  /** By weight. */
  weighed<T>(of: readonly (readonly [number, T])[]): T {
    let at = this.#random.float() * of.reduce((sum, [weight]) => sum + weight, 0)
    for (const [weight, value] of of) if ((at -= weight) < 0) return value
    return (of.at(-1) as readonly [number, T])[1]
  }

  bytes(length: number): Buffer {
    return Buffer.from(this.#random.bytes(length))
  }

  /** `count` times what `make` makes. */
  many<T>(count: number, make: (index: number) => T): T[] {
    return Array.from({ length: count }, (_, i) => make(i))
  }
}
