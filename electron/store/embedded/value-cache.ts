import type { Version } from '../mvcc/version.ts'

/** A value that is a small part of a larger buffer holds all of it in memory. Above this it is copied out. */
const SHARED_BUFFER = 16 * 1024

/**
 * Keeps the values of versions in memory up to a number of bytes. Those that were read since the hand last passed get a second
 * chance (the CLOCK algorithm), so that a hit costs no more than setting a flag.
 */
export class ValueCache {
  readonly #limit: number
  #ring: Version[] = []
  #hand = 0
  #bytes = 0

  constructor(limitBytes: number) {
    this.#limit = limitBytes
  }

  get bytes(): number {
    return this.#bytes
  }

  /** The version has its value; from now on the cache may take it away. */
  add(version: Version): void {
    const { value } = version
    if (value === null || version.deleted) return
    if (value.buffer.byteLength > SHARED_BUFFER && value.buffer.byteLength > 2 * value.byteLength) version.value = value.slice()
    version.touched = false
    this.#ring.push(version)
    this.#bytes += version.size
    while (this.#bytes > this.#limit) this.#evict()
  }

  drop(version: Version): void {
    if (version.value === null || version.deleted) return
    version.value = null
    this.#bytes -= version.size
  }

  #evict(): void {
    const version = this.#ring[this.#hand++] as Version
    if (this.#hand * 2 > this.#ring.length && this.#hand > 1024) {
      this.#ring = this.#ring.slice(this.#hand)
      this.#hand = 0
    }
    if (version.value === null) return
    if (version.touched) {
      version.touched = false
      this.#ring.push(version)
      return
    }
    version.value = null
    this.#bytes -= version.size
  }
}
