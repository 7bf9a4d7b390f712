/** Reading protocol buffers: https://protobuf.dev/programming-guides/encoding. Throws WireError for what is none. */

export class WireError extends Error {
  override readonly name = 'WireError'
}

export const VARINT = 0
export const FIXED64 = 1
export const BYTES = 2
export const FIXED32 = 5

export class WireReader {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  get done(): boolean {
    return this.#at >= this.#bytes.length
  }

  /** The next field's number and wire type. */
  tag(): { readonly field: number; readonly wire: number } {
    const tag = Number(this.varint())
    return { field: Math.floor(tag / 8), wire: tag % 8 }
  }

  varint(): bigint {
    let value = 0n
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.#bytes[this.#at++]
      if (byte === undefined) throw new WireError('unexpected end')
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return BigInt.asUintN(64, value)
    }
    throw new WireError('a number is too long')
  }

  /** Negative numbers come as 64 bits in two's complement. */
  integer(): number {
    return Number(BigInt.asIntN(64, this.varint()))
  }

  double(): number {
    return this.#take(8).readDoubleLE()
  }

  bytes(): Buffer {
    const length = Number(this.varint())
    return this.#take(length)
  }

  skip(wire: number): void {
    if (wire === VARINT) this.varint()
    else if (wire === FIXED64) this.#take(8)
    else if (wire === BYTES) this.bytes()
    else if (wire === FIXED32) this.#take(4)
    else throw new WireError(`wire type ${wire} is not known`)
  }

  #take(length: number): Buffer {
    const end = this.#at + length
    if (end > this.#bytes.length) throw new WireError('unexpected end')
    const part = this.#bytes.subarray(this.#at, end)
    this.#at = end
    return part
  }
}
