/** Objects by key, and by owner where they have one; notices what is no change. */
export class NetCollection<T extends object> {
  readonly #keyOf: (object: T) => string
  readonly #ownerOf: ((object: T) => string) | undefined
  readonly #all = new Map<string, T>()
  readonly #texts = new Map<string, string>()
  readonly #owned = new Map<string, Map<string, T>>()

  constructor(keyOf: (object: T) => string, ownerOf?: (object: T) => string) {
    this.#keyOf = keyOf
    this.#ownerOf = ownerOf
  }

  /** Changes with the collection. */
  get all(): ReadonlyMap<string, T> {
    return this.#all
  }

  /** In order of their keys. */
  list(): T[] {
    return [...this.#all].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, object]) => object)
  }

  /** Of an owner, in order of their keys. */
  of(owner: string): readonly T[] {
    const owned = this.#owned.get(owner)
    if (!owned) return []
    return owned.size < 2 ? [...owned.values()] : [...owned].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, object]) => object)
  }

  replace(objects: readonly T[]): void {
    for (const key of [...this.#all.keys()]) this.delete(key)
    for (const object of objects) this.put(object)
  }

  /** False if it says nothing new. */
  put(object: T): boolean {
    const key = this.#keyOf(object)
    const text = JSON.stringify(object)
    if (this.#texts.get(key) === text) return false
    this.delete(key)
    this.#all.set(key, object)
    this.#texts.set(key, text)
    const owner = this.#ownerOf?.(object)
    if (owner !== undefined) {
      const owned = this.#owned.get(owner) ?? new Map<string, T>()
      this.#owned.set(owner, owned.set(key, object))
    }
    return true
  }

  delete(key: string): boolean {
    const known = this.#all.get(key)
    if (!known) return false
    this.#all.delete(key)
    this.#texts.delete(key)
    const owner = this.#ownerOf?.(known)
    const owned = owner === undefined ? undefined : this.#owned.get(owner)
    owned?.delete(key)
    if (owner !== undefined && owned?.size === 0) this.#owned.delete(owner)
    return true
  }
}
