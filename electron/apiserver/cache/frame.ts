import type { Entry } from './entry.ts'

export type FrameType = 'ADDED' | 'MODIFIED' | 'DELETED'

/** Turns a frame into the bytes of one line of a watch. The same encoder object must always make the same bytes of the same frame. */
export type FrameEncoder = (frame: Frame) => Buffer

/** One event as a watcher sees it. Shared by all watchers that see the same, and so are its encodings. */
export class Frame {
  readonly type: FrameType
  readonly entry: Entry
  /** Of a modification: what was there before. */
  readonly previous: Entry | null
  #encoder: FrameEncoder | null = null
  #bytes: Buffer | null = null
  #more: Map<FrameEncoder, Buffer> | null = null

  constructor(type: FrameType, entry: Entry, previous: Entry | null = null) {
    this.type = type
    this.entry = entry
    this.previous = previous
  }

  encoded(encoder: FrameEncoder): Buffer {
    if (this.#bytes && this.#encoder === encoder) return this.#bytes
    const known = this.#more?.get(encoder)
    if (known) return known
    const bytes = encoder(this)
    if (this.#bytes) {
      this.#more ??= new Map()
      this.#more.set(encoder, bytes)
    } else {
      this.#encoder = encoder
      this.#bytes = bytes
    }
    return bytes
  }
}

/** One change of one key in the cache's history. */
export class CacheEvent {
  readonly revision: number
  readonly key: string
  /** What is there now; null after a delete. */
  readonly entry: Entry | null
  /** What was there before; null if nothing was. */
  readonly previous: Entry | null
  #added: Frame | null = null
  #modified: Frame | null = null
  #deleted: Frame | null = null

  constructor(revision: number, key: string, entry: Entry | null, previous: Entry | null) {
    this.revision = revision
    this.key = key
    this.entry = entry
    this.previous = previous
  }

  /** What a watcher is told whose selectors match as given; null if nothing. */
  frame(matchesNow: boolean, matchedBefore: boolean): Frame | null {
    if (this.entry && matchesNow) {
      if (matchedBefore) return (this.#modified ??= new Frame('MODIFIED', this.entry, this.previous))
      return (this.#added ??= new Frame('ADDED', this.entry))
    }
    if (this.previous && matchedBefore) return (this.#deleted ??= new Frame('DELETED', this.previous.at(this.revision)))
    return null
  }
}
