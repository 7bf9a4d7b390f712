import { CODE, ConnectionError, FLAG } from './frame.ts'
import { unpad } from './frame-reader.ts'

/** A header block may come in so many bytes and frames. */
const MAX_BYTES = 32 * 1024
const MAX_FRAMES = 64

export interface HeaderBlock {
  readonly stream: number
  readonly endStream: boolean
  readonly bytes: Buffer
}

/** Puts header blocks together that come in several frames (RFC 9113, section 4.3). All of it throws ConnectionError. */
export class HeaderBlocks {
  #open: { readonly stream: number; readonly endStream: boolean; readonly parts: Buffer[]; size: number } | null = null

  /** Nothing may come between the frames of a block. */
  check(continuation: boolean, stream: number): void {
    if (this.#open && (!continuation || stream !== this.#open.stream)) {
      throw new ConnectionError(CODE.protocolError, 'a header block is interrupted')
    }
  }

  /** Of a HEADERS frame; null if more is to come. */
  begin(stream: number, flags: number, bytes: Buffer, start: number, end: number): HeaderBlock | null {
    const [begin, to] = flags & FLAG.padded ? unpad(bytes, start, end) : [start, end]
    const from = begin + (flags & FLAG.priority ? 5 : 0)
    if (from > to) throw new ConnectionError(CODE.frameSizeError, 'a header frame is too short')
    if ((stream & 1) === 0) throw new ConnectionError(CODE.protocolError, `a request on stream ${stream}`)
    const endStream = (flags & FLAG.endStream) !== 0
    const block = bytes.subarray(from, to)
    if (flags & FLAG.endHeaders) return { stream, endStream, bytes: block }
    this.#open = { stream, endStream, parts: [Buffer.from(block)], size: block.length }
    return null
  }

  /** Of a CONTINUATION frame; null if more is to come. */
  continue(flags: number, bytes: Buffer): HeaderBlock | null {
    const open = this.#open
    if (!open) throw new ConnectionError(CODE.protocolError, 'a header block goes on that had not begun')
    open.parts.push(Buffer.from(bytes))
    open.size += bytes.length
    if (open.size > MAX_BYTES || open.parts.length > MAX_FRAMES) {
      throw new ConnectionError(CODE.enhanceYourCalm, 'a header block is too long')
    }
    if ((flags & FLAG.endHeaders) === 0) return null
    this.#open = null
    return { stream: open.stream, endStream: open.endStream, bytes: Buffer.concat(open.parts) }
  }
}
