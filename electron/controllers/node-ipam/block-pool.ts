/** A range of addresses in blocks of one size. Source: kubernetes `pkg/controller/nodeipam/ipam/cidrset`. */
import { cidrContains, formatCidr, networkOf, parseCidr, type Cidr } from '../../api/values/ip.ts'

export class BlockPool {
  readonly #range: Cidr
  readonly #prefix: number
  readonly #hostBits: bigint
  readonly #count: bigint
  #next = 0n

  /** Throws Error if the range cannot be read or is smaller than a block. */
  constructor(range: string, prefix?: number) {
    const cidr = parseCidr(range)
    if (!cidr) throw new Error(`${JSON.stringify(range)} is not a range of addresses such as 10.244.0.0/16`)
    const bits = cidr.address.family === 4 ? 32 : 128
    this.#range = cidr
    this.#prefix = prefix ?? (bits === 32 ? 24 : 64)
    if (this.#prefix < cidr.prefix || this.#prefix > bits) throw new Error(`blocks of /${this.#prefix} do not fit into ${range}`)
    this.#hostBits = BigInt(bits - this.#prefix)
    this.#count = 1n << BigInt(this.#prefix - cidr.prefix)
  }

  /**
   * A block that overlaps none of `used`; null if there is none. They are given out in turn, so that one that was given back is not
   * at once another node's.
   */
  take(used: Iterable<string>): string | null {
    const taken = new Set<bigint>()
    for (const text of used) for (const index of this.#covered(text)) taken.add(index)
    if (BigInt(taken.size) >= this.#count) return null
    let index = this.#next
    while (taken.has(index)) index = (index + 1n) % this.#count
    this.#next = (index + 1n) % this.#count
    const value = networkOf(this.#range).value + (index << this.#hostBits)
    return formatCidr({ address: { family: this.#range.address.family, value }, prefix: this.#prefix })
  }

  /** The blocks that a range touches; one that holds the whole pool, as a foreign one may, touches all. */
  *#covered(text: string): Iterable<bigint> {
    const cidr = parseCidr(text)
    if (!cidr || cidr.address.family !== this.#range.address.family) return
    const pool = networkOf(this.#range)
    const isWider = cidr.prefix < this.#range.prefix
    if (isWider ? !cidrContains(cidr, pool) : !cidrContains(this.#range, cidr.address)) return
    const bits = cidr.address.family === 4 ? 32 : 128
    const first = isWider ? 0n : (networkOf(cidr).value - pool.value) >> this.#hostBits
    const size = isWider ? this.#count : 1n << BigInt(Math.max(0, bits - cidr.prefix - Number(this.#hostBits)))
    for (let index = first; index < first + size; index++) yield index
  }
}
