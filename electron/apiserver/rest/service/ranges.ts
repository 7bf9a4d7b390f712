/** Choosing an address or port that nobody holds. Sources: KEP-3070 (Service IP ranges), KEP-3668 (node port ranges). */
import { randomInt, type Random } from '../../../base/random.ts'
import { cidrContains, formatIp, networkOf, parseCidr, parseIp, type Cidr } from '../../../api/values/ip.ts'

export interface PortRange {
  readonly from: number
  /** Inclusive. */
  readonly to: number
}

/** How often chance is tried before the range is gone through. */
const GUESSES = 32

/**
 * The lower part of a range is left to those who ask for a certain name, so that theirs is likely to be free: 16 to 256 addresses, or
 * 16 to 128 ports.
 */
function reserved(size: number, most: number): number {
  return size < 16 ? 0 : Math.min(Math.max(16, Math.floor(size / (most === 256 ? 16 : 32))), most)
}

/** The index of a free one among `size`, or null. */
function choose(size: number, low: number, random: Random, isFree: (index: number) => boolean): number | null {
  for (let i = 0; i < GUESSES; i++) {
    const index = low + randomInt(random, size - low)
    if (isFree(index)) return index
  }
  for (let index = low; index < size; index++) if (isFree(index)) return index
  for (let index = 0; index < low; index++) if (isFree(index)) return index
  return null
}

export class AddressRange {
  readonly #cidr: Cidr
  readonly #text: string
  readonly #size: number

  /** "10.96.0.0/16" */
  constructor(text: string) {
    const cidr = parseCidr(text)
    if (!cidr || cidr.address.family !== 4) throw new Error(`${text} is no IPv4 range`)
    this.#cidr = cidr
    this.#text = text
    this.#size = 2 ** (32 - cidr.prefix)
  }

  /** The address of `default/kubernetes`. */
  get first(): string {
    return this.#address(1)
  }

  toString(): string {
    return this.#text
  }

  contains(address: string): boolean {
    const ip = parseIp(address)
    return ip !== null && ip.family === 4 && cidrContains(this.#cidr, ip)
  }

  /** Neither the network's own address nor its broadcast. */
  free(taken: ReadonlySet<string>, random: Random): string | null {
    const usable = Math.max(0, this.#size - 2)
    const index = choose(usable, reserved(usable, 256), random, (i) => !taken.has(this.#address(i + 1)))
    return index === null ? null : this.#address(index + 1)
  }

  #address(index: number): string {
    return formatIp({ family: 4, value: networkOf(this.#cidr).value + BigInt(index) })
  }
}

export function freePort(range: PortRange, taken: ReadonlySet<string>, random: Random): number | null {
  const size = range.to - range.from + 1
  const index = choose(size, reserved(size, 128), random, (i) => !taken.has(String(range.from + i)))
  return index === null ? null : range.from + index
}
