import type { KubeObject } from '../../api/meta/v1/object.ts'

const MOST = 256

/**
 * The objects that this process encoded last, by the bytes that it made of them: who wants the fields of a new object wants them at
 * once, and a store that hands out the bytes it was given saves decoding them.
 */
export class RecentObjects {
  readonly #objects = new Map<Uint8Array, KubeObject>()

  add(bytes: Uint8Array, object: KubeObject): void {
    if (this.#objects.size >= MOST)
      for (const oldest of this.#objects.keys()) {
        this.#objects.delete(oldest)
        break
      }
    this.#objects.set(bytes, object)
  }

  /** Not frozen if nobody has asked for it before. */
  get(bytes: Uint8Array): KubeObject | undefined {
    return this.#objects.get(bytes)
  }
}
