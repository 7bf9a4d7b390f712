/** Protocol buffers' wire format, written by hand where the calls are many. Fields up to 15; sizes first, then bytes. */

export function varintSize(value: number): number {
  let size = 1
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) size++
  return size
}

/** Of a field that is left out when it is 0. */
export function intFieldSize(value: number): number {
  return value === 0 ? 0 : 1 + varintSize(value)
}

export function bytesFieldSize(length: number): number {
  return length === 0 ? 0 : 1 + varintSize(length) + length
}

export function int64FieldSize(value: bigint): number {
  if (value === 0n) return 0
  let size = 1
  for (let rest = BigInt.asUintN(64, value); rest > 0n; rest >>= 7n) size++
  return size
}

/** Writes fields one after the other into a buffer that is large enough. */
export class WireWriter {
  readonly #bytes: Buffer
  #at: number

  constructor(bytes: Buffer, at: number) {
    this.#bytes = bytes
    this.#at = at
  }

  get at(): number {
    return this.#at
  }

  varint(value: number): void {
    let rest = value
    while (rest >= 0x80) {
      this.#bytes[this.#at++] = (rest % 0x80) | 0x80
      rest = Math.floor(rest / 0x80)
    }
    this.#bytes[this.#at++] = rest
  }

  int(field: number, value: number): void {
    if (value === 0) return
    this.#bytes[this.#at++] = field << 3
    this.varint(value)
  }

  bool(field: number, value: boolean): void {
    this.int(field, value ? 1 : 0)
  }

  int64(field: number, value: bigint): void {
    if (value === 0n) return
    this.#bytes[this.#at++] = field << 3
    let rest = BigInt.asUintN(64, value)
    for (; rest >= 0x80n; rest >>= 7n) this.#bytes[this.#at++] = Number(rest & 0x7fn) | 0x80
    this.#bytes[this.#at++] = Number(rest)
  }

  key(field: number, value: string): void {
    if (value.length === 0) return
    this.message(field, value.length)
    this.#at += this.#bytes.write(value, this.#at, 'latin1')
  }

  bytes(field: number, value: Uint8Array): void {
    if (value.length === 0) return
    this.message(field, value.length)
    this.raw(value)
  }

  /** The beginning of a message of so many bytes, which is to be written next. */
  message(field: number, length: number): void {
    this.#bytes[this.#at++] = (field << 3) | 2
    this.varint(length)
  }

  raw(value: Uint8Array): void {
    this.#bytes.set(value, this.#at)
    this.#at += value.length
  }
}
