import type { Entry } from '../cache/entry.ts'
import type { Sink } from '../endpoints/watch-stream.ts'

const COMMA = 0x2c
const END = ']}\n'
/** About so many bytes are made at a time. */
const PIECE = 512 << 10

/**
 * A list as it leaves: `head`, the entries with commas between them, and the end, with one copy of each entry's bytes. A long one is
 * made a piece at a time, as its client takes it, so that it is never in memory as a whole and nobody waits for it to be made.
 */
export class ListBody implements AsyncIterable<Uint8Array> {
  /** Of all of it, in bytes. */
  readonly length: number
  readonly #head: string
  readonly #entries: readonly Entry[]

  constructor(head: string, entries: readonly Entry[]) {
    this.#head = head
    this.#entries = entries
    let length = Buffer.byteLength(head) + Math.max(0, entries.length - 1) + END.length
    for (const { layout, value, revision } of entries) length += layout.splicedLength(value, revision)
    this.length = length
  }

  /** Whether there is only one piece. */
  get short(): boolean {
    return this.length <= PIECE
  }

  whole(): Buffer {
    return this.#make(0, this.#entries.length, this.length)
  }

  *pieces(): Generator<Buffer, void, void> {
    const entries = this.#entries
    let from = 0
    let size = Buffer.byteLength(this.#head)
    for (let i = 0; i < entries.length; i++) {
      const { layout, value, revision } = entries[i] as Entry
      size += layout.splicedLength(value, revision) + (i > 0 ? 1 : 0)
      if (size < PIECE || i + 1 === entries.length) continue
      yield this.#make(from, i + 1, size)
      from = i + 1
      size = 0
    }
    yield this.#make(from, entries.length, size + END.length)
  }

  pump(sink: Sink): void {
    const pieces = this.pieces()
    const go = () => {
      for (let next = pieces.next(); !next.done; next = pieces.next()) if (!sink.write(next.value, go)) return
      sink.end()
    }
    go()
  }

  // oxlint-disable-next-line require-await -- the pieces are at hand; who reads may wait
  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, void> {
    yield* this.pieces()
  }

  #make(from: number, to: number, size: number): Buffer {
    const out = Buffer.allocUnsafe(size)
    let at = from === 0 ? out.write(this.#head) : 0
    for (let i = from; i < to; i++) {
      const { layout, value, revision } = this.#entries[i] as Entry
      if (i > 0) out[at++] = COMMA
      at = layout.spliceInto(out, at, value, revision)
    }
    if (to === this.#entries.length) out.write(END, at, 'latin1')
    return out
  }
}
