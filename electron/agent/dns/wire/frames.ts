/** Messages over TCP: each after its length in two bytes. Source: RFC 1035, 4.2.2. */

export function framed(message: Uint8Array): Uint8Array {
  const out = new Uint8Array(2 + message.length)
  new DataView(out.buffer).setUint16(0, message.length)
  out.set(message, 2)
  return out
}

/** Puts messages together from what a connection hands over, at most 64 KiB of an unfinished one. */
export class FrameReader {
  #rest = Buffer.alloc(0)

  /** The messages that are whole now. */
  push(chunk: Uint8Array): Uint8Array[] {
    let bytes = this.#rest.length ? Buffer.concat([this.#rest, chunk]) : Buffer.from(chunk)
    const out: Uint8Array[] = []
    while (bytes.length >= 2 && bytes.length >= 2 + bytes.readUInt16BE(0)) {
      const end = 2 + bytes.readUInt16BE(0)
      out.push(bytes.subarray(2, end))
      bytes = bytes.subarray(end)
    }
    this.#rest = bytes
    return out
  }
}
