/** A binary heap of things that can be found by a key, replaced and taken out. */
export class KeyedHeap<T> {
  readonly #less: (a: T, b: T) => boolean
  readonly #keyOf: (item: T) => string
  readonly #items: T[] = []
  readonly #places = new Map<string, number>()

  constructor(keyOf: (item: T) => string, less: (a: T, b: T) => boolean) {
    this.#keyOf = keyOf
    this.#less = less
  }

  get size(): number {
    return this.#items.length
  }

  get(key: string): T | undefined {
    const place = this.#places.get(key)
    return place === undefined ? undefined : this.#items[place]
  }

  peek(): T | undefined {
    return this.#items[0]
  }

  /** In no order. */
  values(): readonly T[] {
    return this.#items
  }

  /** In the place of one with the same key, if there is one. */
  set(item: T): void {
    const key = this.#keyOf(item)
    const place = this.#places.get(key) ?? this.#items.length
    this.#put(place, item)
    this.#settle(place)
  }

  pop(): T | undefined {
    const first = this.#items[0]
    if (first !== undefined) this.delete(this.#keyOf(first))
    return first
  }

  delete(key: string): T | undefined {
    const place = this.#places.get(key)
    if (place === undefined) return undefined
    const item = this.#items[place] as T
    this.#places.delete(key)
    const last = this.#items.pop() as T
    if (place < this.#items.length) {
      this.#put(place, last)
      this.#settle(place)
    }
    return item
  }

  #settle(place: number): void {
    this.#down(this.#up(place))
  }

  #up(from: number): number {
    let place = from
    while (place > 0) {
      const parent = (place - 1) >> 1
      if (!this.#before(place, parent)) break
      this.#swap(place, parent)
      place = parent
    }
    return place
  }

  #down(from: number): void {
    let place = from
    for (;;) {
      const left = 2 * place + 1
      if (left >= this.#items.length) return
      const child = left + 1 < this.#items.length && this.#before(left + 1, left) ? left + 1 : left
      if (!this.#before(child, place)) return
      this.#swap(place, child)
      place = child
    }
  }

  #before(a: number, b: number): boolean {
    return this.#less(this.#items[a] as T, this.#items[b] as T)
  }

  #swap(a: number, b: number): void {
    const [x, y] = [this.#items[a] as T, this.#items[b] as T]
    this.#put(a, y)
    this.#put(b, x)
  }

  #put(place: number, item: T): void {
    this.#items[place] = item
    this.#places.set(this.#keyOf(item), place)
  }
}
