import type { WatchItem } from '../cache/cache-watch.ts'
import type { WatchSession } from '../cache/watch-session.ts'
import { statusOf } from '../http/response.ts'
import { encodeLine } from '../http/encode.ts'

/** Where the bytes of a stream go. */
export interface Sink {
  /** False: the reader is behind; `drained` is called once it is not. */
  write(bytes: Buffer, drained: () => void): boolean
  end(): void
}

/** Lines that wait are sent together up to this size. */
const CHUNK = 64 << 10

/**
 * The body of a watch. A server pumps it into its socket without a promise per event; anyone else iterates. A reader that is behind
 * lets lines wait in the watch's own bounded buffer.
 */
export class WatchStream implements AsyncIterable<Uint8Array> {
  readonly #session: WatchSession
  readonly #encode: (item: WatchItem) => Buffer
  #waiting: readonly WatchItem[] = []
  #at = 0

  constructor(session: WatchSession, encode: (item: WatchItem) => Buffer) {
    this.#session = session
    this.#encode = encode
  }

  /** `chunk`: lines that wait are sent together up to so many bytes; 0: each by itself. */
  pump(sink: Sink, chunk = CHUNK): void {
    const go = () => {
      for (;;) {
        const bytes = this.#next(chunk)
        if (!bytes) break
        if (!sink.write(bytes, go)) return
      }
      if (!this.#session.end) return this.#session.onReady(go)
      const last = this.#goodbye()
      if (last) sink.write(last, () => {})
      this.close()
      sink.end()
    }
    go()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, void> {
    try {
      for (;;) {
        for (let bytes = this.#next(CHUNK); bytes; bytes = this.#next(CHUNK)) yield bytes
        if (this.#session.end) break
        await new Promise<void>((resolve) => this.#session.onReady(resolve))
      }
      const last = this.#goodbye()
      if (last) yield last
    } finally {
      this.close()
    }
  }

  /** Calls the listener once, when nothing more will be sent. */
  onClose(listener: () => void): void {
    this.#session.onClose(listener)
  }

  /** Ends it as if its time were over. */
  finish(): void {
    this.#session.expire()
  }

  close(): void {
    this.#session[Symbol.dispose]()
  }

  /** As many waiting lines as fit into a chunk; null if there are none. */
  #next(chunk: number): Buffer | null {
    if (this.#at >= this.#waiting.length) {
      this.#waiting = this.#session.take()
      this.#at = 0
      if (this.#waiting.length === 0) return null
    }
    const first = this.#encode(this.#waiting[this.#at++] as WatchItem)
    if (this.#at >= this.#waiting.length || first.length >= chunk) return first
    const lines = [first]
    let size = first.length
    while (this.#at < this.#waiting.length && size < chunk) {
      const line = this.#encode(this.#waiting[this.#at++] as WatchItem)
      lines.push(line)
      size += line.length
    }
    return Buffer.concat(lines, size)
  }

  #goodbye(): Buffer | null {
    const error = this.#session.end?.error
    return error ? encodeLine('ERROR', statusOf(error)) : null
  }
}
