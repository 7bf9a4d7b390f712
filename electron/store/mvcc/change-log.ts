import type { Version } from './version.ts'

/** Changes in the order they were made, from the oldest that a watcher may still ask for. Drops at the front, undoes at the back. */
export class ChangeLog {
  #items: Version[] = []
  #head = 0

  get length(): number {
    return this.#items.length - this.#head
  }

  at(index: number): Version | undefined {
    return this.#items[this.#head + index]
  }

  push(version: Version): void {
    this.#items.push(version)
  }

  pop(): Version | undefined {
    return this.length === 0 ? undefined : this.#items.pop()
  }

  /** Index of the first change at or after `revision`. */
  firstAt(revision: number): number {
    let low = this.#head
    let high = this.#items.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#items[middle] as Version).revision < revision) low = middle + 1
      else high = middle
    }
    return low - this.#head
  }

  /** Forgets the oldest `count` changes. */
  drop(count: number): void {
    this.#head += count
    if (this.#head * 2 < this.#items.length) return
    this.#items = this.#items.slice(this.#head)
    this.#head = 0
  }
}
