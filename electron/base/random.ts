import { randomBytes, randomUUID } from 'node:crypto'

/** Randomness as an argument, so that tests can be repeated from a seed. */
export interface Random {
  /** In [0, 1). */
  float(): number
  bytes(length: number): Uint8Array
  /** RFC 9562 version 4, lower case. */
  uuid(): string
}

/** From the operating system; fit for keys and tokens. */
export const systemRandom: Random = {
  float: () => Math.random(),
  bytes: (length) => randomBytes(length),
  uuid: () => randomUUID(),
}

/** Repeatable, for tests and simulations only (mulberry32). */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0
  const float = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
  const bytes = (length: number) => Uint8Array.from({ length }, () => Math.floor(float() * 256))
  return {
    float,
    bytes,
    uuid() {
      const b = bytes(16)
      b[6] = ((b[6] ?? 0) & 0x0f) | 0x40
      b[8] = ((b[8] ?? 0) & 0x3f) | 0x80
      const hex = Buffer.from(b).toString('hex')
      return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
    },
  }
}

/** An integer in [0, below). */
export function randomInt(random: Random, below: number): number {
  return Math.floor(random.float() * below)
}

/** No vowels and no look-alikes, as Kubernetes' own generated names (apimachinery `rand.String`). */
const SUFFIX_ALPHABET = 'bcdfghjklmnpqrstvwxz2456789'

/** A name's random suffix, e.g. `x7m4d`. */
export function randomSuffix(random: Random, length = 5): string {
  let out = ''
  for (let i = 0; i < length; i++) out += SUFFIX_ALPHABET[randomInt(random, SUFFIX_ALPHABET.length)]
  return out
}
