/** Protocol buffers' wire format, read by hand where the calls are many. */
import { GrpcError, STATUS } from '../grpc/status.ts'

export const WIRE = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const

/** Reads the fields of a message one after the other. All of it throws GrpcError for what is no message. */
export class WireReader {
  readonly #bytes: Buffer
  #at: number
  readonly #end: number
  /** Of the field that `next` came to. */
  field = 0
  wire = 0

  constructor(bytes: Buffer, start = 0, end = bytes.length) {
    this.#bytes = bytes
    this.#at = start
    this.#end = end
  }

  /** Goes to the next field; false at the end. The field's value must be read or skipped. */
  next(): boolean {
    if (this.#at >= this.#end) return false
    const tag = this.#small()
    this.field = tag >>> 3
    this.wire = tag & 7
    if (this.field === 0) throw malformed()
    return true
  }

  /** Whether the field has the wire type; else it is skipped, as an unknown one. */
  is(wire: number): boolean {
    if (this.wire === wire) return true
    this.skip()
    return false
  }

  bool(): boolean {
    return this.int() !== 0
  }

  /** An int64 as far as a number goes: what is below 0 is -1, what is beyond the safe integers is the largest of them. */
  int(): number {
    let byte = this.#byte()
    if (byte < 0x80) return byte
    let value = byte & 0x7f
    let factor = 0x80
    for (let i = 1; i < 10; i++) {
      byte = this.#byte()
      if (i === 9 && byte & 1) return -1
      value += (byte & 0x7f) * factor
      if (byte < 0x80) return Math.min(value, Number.MAX_SAFE_INTEGER)
      factor *= 0x80
    }
    throw malformed()
  }

  int64(): bigint {
    let byte = this.#byte()
    if (byte === 0) return 0n
    // Three parts of up to 28 bits, which numbers can hold.
    const parts: [number, number, number] = [0, 0, 0]
    for (let i = 0; i < 10; i++) {
      const part = Math.floor(i / 4) as 0 | 1 | 2
      parts[part] += (byte & 0x7f) * 2 ** (7 * (i % 4))
      if (byte < 0x80) return BigInt.asIntN(64, BigInt(parts[0]) | (BigInt(parts[1]) << 28n) | (BigInt(parts[2]) << 56n))
      byte = this.#byte()
    }
    throw malformed()
  }

  /** A byte string as a string of char codes: a key. */
  key(): string {
    const start = this.#length()
    return this.#bytes.toString('latin1', start, this.#at)
  }

  /** A copy, which does not hold on to the message. */
  bytes(): Uint8Array {
    const start = this.#length()
    const copy = Buffer.allocUnsafeSlow(this.#at - start)
    this.#bytes.copy(copy, 0, start, this.#at)
    return copy
  }

  message(): WireReader {
    const start = this.#length()
    return new WireReader(this.#bytes, start, this.#at)
  }

  skip(): void {
    if (this.wire === WIRE.varint) this.int()
    else if (this.wire === WIRE.bytes) this.#length()
    else if (this.wire === WIRE.fixed64) this.#advance(8)
    else if (this.wire === WIRE.fixed32) this.#advance(4)
    else throw malformed()
  }

  /** Passes over a length and what it measures; returns where that begins. */
  #length(): number {
    const length = this.#small()
    const start = this.#at
    this.#advance(length)
    return start
  }

  #advance(by: number): void {
    this.#at += by
    if (this.#at > this.#end) throw malformed()
  }

  /** A number of up to 32 bits. */
  #small(): number {
    const value = this.int()
    if (value < 0 || value > 0xffffffff) throw malformed()
    return value
  }

  #byte(): number {
    if (this.#at >= this.#end) throw malformed()
    return this.#bytes[this.#at++] as number
  }
}

function malformed(): GrpcError {
  return new GrpcError(STATUS.internal, 'grpc: error unmarshalling request: proto: cannot parse invalid wire-format data')
}
