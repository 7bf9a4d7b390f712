import type { Entry } from './entry.ts'

/** Entries by key, and in the order of their keys. */
export class SortedEntries {
  readonly #byKey = new Map<string, Entry>()
  #sorted: Entry[] = []

  get size(): number {
    return this.#sorted.length
  }

  get(key: string): Entry | undefined {
    return this.#byKey.get(key)
  }

  /** Replaces everything; `entries` must be in key order. */
  load(entries: Entry[]): void {
    this.#sorted = entries
    this.#byKey.clear()
    for (const entry of entries) this.#byKey.set(entry.key, entry)
  }

  set(entry: Entry): void {
    const at = this.#lowerBound(entry.key)
    if (this.#byKey.has(entry.key)) this.#sorted[at] = entry
    else if (at === this.#sorted.length) this.#sorted.push(entry)
    else this.#sorted.splice(at, 0, entry)
    this.#byKey.set(entry.key, entry)
  }

  delete(key: string): void {
    if (!this.#byKey.delete(key)) return
    this.#sorted.splice(this.#lowerBound(key), 1)
  }

  /** A copy of those from `start` up to but not including `end`. */
  slice(start: string, end: string): Entry[] {
    return this.#sorted.slice(this.#lowerBound(start), this.#lowerBound(end))
  }

  all(): readonly Entry[] {
    return this.#sorted
  }

  #lowerBound(key: string): number {
    let low = 0
    let high = this.#sorted.length
    const last = this.#sorted[high - 1]
    if (last && last.key < key) return high
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#sorted[middle] as Entry).key < key) low = middle + 1
      else high = middle
    }
    return low
  }
}
