/** Choices from a seed. */
import { randomInt, seededRandom, type Random } from '../../../electron/base/random.ts'

export interface Dice {
  readonly random: Random
  below(limit: number): number
  chance(probability: number): boolean
  of<T>(choices: readonly T[]): T
  /** From `least` to `most` of what `make` makes. */
  some<T>(least: number, most: number, make: (index: number) => T): T[]
  /** Each with this probability. */
  subset<T>(choices: readonly T[], probability: number): T[]
}

export function dice(seed: number): Dice {
  const random = seededRandom(seed)
  const below = (limit: number) => randomInt(random, limit)
  const chance = (probability: number) => random.float() < probability
  return {
    random,
    below,
    chance,
    of: (choices) => choices[below(choices.length)] as (typeof choices)[number],
    some: (least, most, make) => Array.from({ length: least + below(most - least + 1) }, (_, i) => make(i)),
    subset: (choices, probability) => choices.filter(() => chance(probability)),
  }
}
