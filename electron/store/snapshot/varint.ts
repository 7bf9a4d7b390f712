/** Protobuf's variable-length integers, and a walk over the fields of a message. */

export function varintSize(value: number): number {
  let size = 1
  for (; value >= 0x80; value = Math.floor(value / 0x80)) size++
  return size
}

/** A whole number from 0 to 2^53; returns where the next begins. */
export function writeVarint(target: Uint8Array, at: number, value: number): number {
  for (; value >= 0x80; value = Math.floor(value / 0x80)) target[at++] = (value % 0x80) | 0x80
  target[at++] = value
  return at
}

/** A negative number takes ten bytes, as protobuf's int64 does. */
export function varint64Size(value: bigint): number {
  let size = 1
  for (let rest = BigInt.asUintN(64, value); rest >= 0x80n; rest >>= 7n) size++
  return size
}

export function writeVarint64(target: Uint8Array, at: number, value: bigint): number {
  let rest = BigInt.asUintN(64, value)
  for (; rest >= 0x80n; rest >>= 7n) target[at++] = Number(rest & 0x7fn) | 0x80
  target[at++] = Number(rest)
  return at
}

export interface MessageVisitor {
  bytes?(tag: number, part: Buffer): void
  /** `number` is exact up to 2^53; `exact` reads it as int64. */
  varint?(tag: number, number: number, exact: () => bigint): void
}

const LONGEST_VARINT = 10

/** Visits each field with its tag (its number and wire type). False if the bytes are no message: then some fields may have been visited. */
export function readMessage(bytes: Buffer, visitor: MessageVisitor): boolean {
  const end = bytes.length
  for (let at = 0; at < end;) {
    const tag = varintAt(bytes, at)
    if (tag === null || tag.value < 8) return false
    at = tag.end
    switch (tag.value & 7) {
      case 0: {
        const from = at
        const number = varintAt(bytes, from)
        if (number === null) return false
        visitor.varint?.(tag.value, number.value, () => int64At(bytes, from))
        at = number.end
        break
      }
      case 1:
        at += 8
        break
      case 2: {
        const length = varintAt(bytes, at)
        if (length === null || length.end + length.value > end) return false
        at = length.end + length.value
        visitor.bytes?.(tag.value, bytes.subarray(length.end, at))
        break
      }
      case 5:
        at += 4
        break
      default:
        return false
    }
    if (at > end) return false
  }
  return true
}

function varintAt(bytes: Buffer, at: number): { value: number; end: number } | null {
  let value = 0
  let scale = 1
  for (let i = 0; i < LONGEST_VARINT; i++) {
    const byte = bytes[at + i]
    if (byte === undefined) return null
    value += (byte & 0x7f) * scale
    if (byte < 0x80) return { value, end: at + i + 1 }
    scale *= 0x80
  }
  return null
}

function int64At(bytes: Buffer, at: number): bigint {
  let value = 0n
  for (let shift = 0n; ; shift += 7n, at++) {
    const byte = bytes[at] as number
    value |= BigInt(byte & 0x7f) << shift
    if (byte < 0x80) return BigInt.asIntN(64, value)
  }
}
