import { CODE, ConnectionError, FRAME_HEADER, MAX_FRAME, PREFACE } from './frame.ts'

/** A frame where it was received: its payload is bytes[start] to bytes[end - 1]. */
export type OnFrame = (type: number, flags: number, stream: number, bytes: Buffer, start: number, end: number) => void

const STREAM_MASK = 0x7fffffff

/** Takes what a client sends apart into frames, however it is cut. Throws ConnectionError. */
export class FrameReader {
  readonly #onFrame: OnFrame
  #rest: Buffer = Buffer.alloc(0)
  #greeted = false
  #stopped = false

  constructor(onFrame: OnFrame) {
    this.#onFrame = onFrame
  }

  push(bytes: Buffer): void {
    if (this.#stopped) return
    this.#read(this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]))
  }

  /** No frame is told of any more. */
  stop(): void {
    this.#stopped = true
    this.#rest = Buffer.alloc(0)
  }

  #read(bytes: Buffer): void {
    let at = 0
    if (!this.#greeted) {
      const said = Math.min(bytes.length, PREFACE.length)
      if (PREFACE.compare(bytes, 0, said, 0, said) !== 0) throw new ConnectionError(CODE.protocolError, 'not the preface of HTTP/2')
      if (said === PREFACE.length) {
        this.#greeted = true
        at = said
      }
    }
    while (this.#greeted && bytes.length - at >= FRAME_HEADER) {
      const length = ((bytes[at] as number) << 16) | ((bytes[at + 1] as number) << 8) | (bytes[at + 2] as number)
      if (length > MAX_FRAME) throw new ConnectionError(CODE.frameSizeError, `a frame of ${length} bytes`)
      const start = at + FRAME_HEADER
      const end = start + length
      if (end > bytes.length) break
      this.#onFrame(bytes[at + 3] as number, bytes[at + 4] as number, bytes.readUInt32BE(at + 5) & STREAM_MASK, bytes, start, end)
      at = end
      if (this.#stopped) return
    }
    this.#rest = bytes.subarray(at)
  }
}

/** Where a padded payload begins and ends. */
export function unpad(bytes: Buffer, start: number, end: number): [from: number, to: number] {
  const padding = bytes[start] ?? 0
  if (start + 1 + padding > end) throw new ConnectionError(CODE.protocolError, 'more padding than there is')
  return [start + 1, end - padding]
}
