/** Writes protobuf's wire format: varints, and fields with a length. Source: protobuf.dev "Encoding". */
export class ProtoWriter {
  #buffer = Buffer.allocUnsafe(1024)
  #end = 0

  string(field: number, text: string): void {
    const length = Buffer.byteLength(text)
    this.#tag(field, 2)
    this.#varint(length)
    this.#room(length)
    this.#end += this.#buffer.write(text, this.#end)
  }

  bool(field: number, value: boolean): void {
    this.#tag(field, 0)
    this.#varint(value ? 1 : 0)
  }

  /** The length is known only afterwards: what was written is moved up by the bytes that it takes. */
  message(field: number, write: (inner: ProtoWriter) => void): void {
    this.#tag(field, 2)
    const start = this.#end
    write(this)
    const length = this.#end - start
    const size = varintSize(length)
    this.#room(size)
    this.#buffer.copyWithin(start + size, start, this.#end)
    this.#end = start
    this.#varint(length)
    this.#end += length
  }

  finish(): Uint8Array {
    return Buffer.from(this.#buffer.subarray(0, this.#end))
  }

  #tag(field: number, wire: 0 | 2): void {
    this.#varint(field * 8 + wire)
  }

  #varint(value: number): void {
    this.#room(5)
    while (value > 0x7f) {
      this.#buffer[this.#end++] = (value & 0x7f) | 0x80
      value = Math.floor(value / 128)
    }
    this.#buffer[this.#end++] = value
  }

  #room(bytes: number): void {
    if (this.#end + bytes <= this.#buffer.length) return
    const grown = Buffer.allocUnsafe(Math.max(this.#buffer.length * 2, this.#end + bytes))
    this.#buffer.copy(grown, 0, 0, this.#end)
    this.#buffer = grown
  }
}

function varintSize(value: number): number {
  let size = 1
  while (value > 0x7f) {
    size++
    value = Math.floor(value / 128)
  }
  return size
}
