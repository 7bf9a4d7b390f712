import type { Key, KeyRange } from '../store.ts'

const CHUNK = 256

/** Whether the range holds the key; `end` as in `KeyRange`. */
export function covers(range: KeyRange, key: Key): boolean {
  if (!range.end) return key === range.key
  return key >= range.key && (range.end === '\0' || key < range.end)
}

/**
 * Items by key, in the order of their keys, in chunks of at most 256: an insertion moves a few hundred references, and a walk is a
 * walk over arrays.
 */
export class SortedKeys<T extends { readonly key: Key }> {
  readonly #byKey: Map<Key, T>
  /** Never holds an empty chunk. */
  #chunks: T[][] = []

  /** Takes the map over. */
  constructor(byKey = new Map<Key, T>()) {
    this.#byKey = byKey
    const sorted = [...this.#byKey.values()].sort((a, b) => (a.key < b.key ? -1 : 1))
    for (let i = 0; i < sorted.length; i += CHUNK / 2) this.#chunks.push(sorted.slice(i, i + CHUNK / 2))
  }

  get size(): number {
    return this.#byKey.size
  }

  get(key: Key): T | undefined {
    return this.#byKey.get(key)
  }

  /** The key must not be there yet. */
  insert(item: T): void {
    this.#byKey.set(item.key, item)
    if (this.#chunks.length === 0) {
      this.#chunks.push([item])
      return
    }
    const at = this.#chunkFor(item.key)
    const chunk = this.#chunks[at] as T[]
    chunk.splice(lowerBound(chunk, item.key), 0, item)
    if (chunk.length > CHUNK) this.#chunks.splice(at + 1, 0, chunk.splice(CHUNK / 2))
  }

  remove(key: Key): void {
    if (!this.#byKey.delete(key)) return
    const at = this.#chunkFor(key)
    const chunk = this.#chunks[at] as T[]
    chunk.splice(lowerBound(chunk, key), 1)
    if (chunk.length === 0) this.#chunks.splice(at, 1)
  }

  /** Visits the items of the range in order until `visit` returns false. Nothing may be inserted or removed meanwhile. */
  walk(range: KeyRange, visit: (item: T) => boolean): void {
    if (!range.end) {
      const item = this.#byKey.get(range.key)
      if (item) visit(item)
      return
    }
    if (this.#chunks.length === 0) return
    const end = range.end === '\0' ? null : range.end
    let at = this.#chunkFor(range.key)
    let from = lowerBound(this.#chunks[at] as T[], range.key)
    for (; at < this.#chunks.length; at++, from = 0) {
      const chunk = this.#chunks[at] as T[]
      for (let i = from; i < chunk.length; i++) {
        const item = chunk[i] as T
        if (end !== null && item.key >= end) return
        if (!visit(item)) return
      }
    }
  }

  /** The last chunk that begins at or before `key`, else the first. */
  #chunkFor(key: Key): number {
    let low = 0
    let high = this.#chunks.length
    while (high - low > 1) {
      const middle = (low + high) >>> 1
      if (((this.#chunks[middle] as T[])[0] as T).key <= key) low = middle
      else high = middle
    }
    return low
  }
}

function lowerBound<T extends { readonly key: Key }>(chunk: readonly T[], key: Key): number {
  let low = 0
  let high = chunk.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((chunk[middle] as T).key < key) low = middle + 1
    else high = middle
  }
  return low
}
