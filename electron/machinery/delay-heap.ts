interface Entry<K> {
  key: K
  at: number
  order: number
}

/** Keys that fall due at a time, each once: of two times the earlier counts. A binary heap. */
export class DelayHeap<K> {
  readonly #heap: Entry<K>[] = []
  readonly #places = new Map<K, number>()
  #order = 0

  get size(): number {
    return this.#heap.length
  }

  /** When the first key falls due. */
  get nextAt(): number | undefined {
    return this.#heap[0]?.at
  }

  push(key: K, at: number): void {
    const place = this.#places.get(key)
    if (place === undefined) {
      this.#heap.push({ key, at, order: this.#order++ })
      this.#places.set(key, this.#heap.length - 1)
      this.#up(this.#heap.length - 1)
      return
    }
    const entry = this.#heap[place] as Entry<K>
    if (entry.at <= at) return
    entry.at = at
    this.#up(place)
  }

  /** Takes out the keys that are due at `now`, in the order of their times. */
  popUntil(now: number): K[] {
    const due: K[] = []
    for (;;) {
      const first = this.#heap[0]
      if (!first || first.at > now) return due
      due.push(first.key)
      this.#places.delete(first.key)
      const last = this.#heap.pop() as Entry<K>
      if (this.#heap.length === 0) continue
      this.#set(0, last)
      this.#down(0)
    }
  }

  clear(): void {
    this.#heap.length = 0
    this.#places.clear()
  }

  #up(from: number): void {
    let place = from
    while (place > 0) {
      const parent = (place - 1) >> 1
      if (!this.#before(place, parent)) return
      this.#swap(place, parent)
      place = parent
    }
  }

  #down(from: number): void {
    let place = from
    for (;;) {
      const left = 2 * place + 1
      if (left >= this.#heap.length) return
      const child = left + 1 < this.#heap.length && this.#before(left + 1, left) ? left + 1 : left
      if (!this.#before(child, place)) return
      this.#swap(place, child)
      place = child
    }
  }

  #before(a: number, b: number): boolean {
    const [x, y] = [this.#heap[a] as Entry<K>, this.#heap[b] as Entry<K>]
    return x.at !== y.at ? x.at < y.at : x.order < y.order
  }

  #swap(a: number, b: number): void {
    const [x, y] = [this.#heap[a] as Entry<K>, this.#heap[b] as Entry<K>]
    this.#set(a, y)
    this.#set(b, x)
  }

  #set(place: number, entry: Entry<K>): void {
    this.#heap[place] = entry
    this.#places.set(entry.key, place)
  }
}
