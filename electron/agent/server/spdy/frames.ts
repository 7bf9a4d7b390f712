/** Frames of SPDY/3.1, cut from a stream of bytes and written to it. */

export const SYN_STREAM = 1
export const SYN_REPLY = 2
export const RST_STREAM = 3
export const PING = 6
export const GOAWAY = 7

export const FIN = 1

export type Frame =
  | { readonly kind: 'data'; readonly stream: number; readonly fin: boolean; readonly data: Buffer }
  | { readonly kind: 'control'; readonly type: number; readonly flags: number; readonly data: Buffer }

const HEAD = 8
const VERSION = 3
const MAX_LENGTH = 16 << 20

export class SpdyError extends Error {
  override readonly name = 'SpdyError'
}

/** Throws SpdyError for what is no SPDY/3 frame. */
export async function* readFrames(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Frame, void> {
  let buffer: Buffer = Buffer.alloc(0)
  for await (const part of bytes) {
    buffer = buffer.length ? Buffer.concat([buffer, part]) : Buffer.from(part)
    for (;;) {
      if (buffer.length < HEAD) break
      const length = buffer.readUIntBE(5, 3)
      if (length > MAX_LENGTH) throw new SpdyError(`a frame of ${length} bytes is too long`)
      if (buffer.length < HEAD + length) break
      const data = buffer.subarray(HEAD, HEAD + length)
      yield parse(buffer, data)
      buffer = buffer.subarray(HEAD + length)
    }
  }
}

function parse(head: Buffer, data: Buffer): Frame {
  const word = head.readUInt32BE(0)
  const flags = head.readUInt8(4)
  if (word < 0x80000000) return { kind: 'data', stream: word, fin: (flags & FIN) !== 0, data }
  const version = (word >>> 16) & 0x7fff
  if (version !== VERSION) throw new SpdyError(`SPDY version ${version} is not spoken here`)
  return { kind: 'control', type: word & 0xffff, flags, data }
}

export function dataFrame(stream: number, data: Uint8Array, fin: boolean): Buffer {
  return Buffer.concat([head(stream, fin ? FIN : 0, data.length), data])
}

export function controlFrame(type: number, flags: number, ...parts: readonly Uint8Array[]): Buffer {
  const data = Buffer.concat(parts)
  return Buffer.concat([head((0x80000000 | (VERSION << 16) | type) >>> 0, flags, data.length), data])
}

function head(word: number, flags: number, length: number): Buffer {
  const out = Buffer.alloc(HEAD)
  out.writeUInt32BE(word, 0)
  out.writeUInt8(flags, 4)
  out.writeUIntBE(length, 5, 3)
  return out
}

export function word(value: number): Buffer {
  const out = Buffer.alloc(4)
  out.writeUInt32BE(value)
  return out
}
