/** Which images are on which nodes. Source: kubernetes `scheduler/backend/cache`, `plugins/imagelocality`. */
import type { ContainerImage } from '../../api/core/v1/types.gen.ts'

export interface ImageState {
  /** Bytes. */
  readonly size: number
  /** Names of the nodes that have it. */
  readonly nodes: ReadonlySet<string>
}

interface Entry {
  readonly size: number
  readonly nodes: Set<string>
}

export class Images {
  readonly #byName = new Map<string, Entry>()
  readonly #ofNode = new Map<string, readonly string[]>()

  /** `name` as nodes report it, with its tag or digest. */
  get(name: string): ImageState | undefined {
    return this.#byName.get(name)
  }

  setNode(node: string, images: readonly ContainerImage[] | undefined): void {
    const names = (images ?? []).flatMap((image) => image.names ?? [])
    const before = this.#ofNode.get(node) ?? []
    if (before.length === names.length && before.every((name, i) => name === names[i])) return
    this.removeNode(node)
    for (const { names: own, sizeBytes = 0 } of images ?? []) {
      for (const name of own ?? []) {
        let entry = this.#byName.get(name)
        if (!entry) this.#byName.set(name, (entry = { size: sizeBytes, nodes: new Set() }))
        entry.nodes.add(node)
      }
    }
    if (names.length) this.#ofNode.set(node, names)
  }

  removeNode(node: string): void {
    for (const name of this.#ofNode.get(node) ?? []) {
      const entry = this.#byName.get(name)
      entry?.nodes.delete(node)
      if (entry?.nodes.size === 0) this.#byName.delete(name)
    }
    this.#ofNode.delete(node)
  }
}
