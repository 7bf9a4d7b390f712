/** What a controller wrote and may not have back yet: to decide on an older state again would be to do things twice (KEP-5647). */
import type { KubeObject } from '../../api/meta/v1/object.ts'

export class OwnWrites {
  /** Versions by uid. They are numbers in this server, as KEP-5504 has them comparable. */
  readonly #versions = new Map<string, number>()

  wrote({ metadata }: KubeObject): void {
    this.#versions.set(metadata.uid, Number(metadata.resourceVersion))
  }

  /** Whether the object is older than what was written; what comes next will not be. */
  isBehind({ metadata }: KubeObject): boolean {
    return Number(metadata.resourceVersion) < (this.#versions.get(metadata.uid) ?? 0)
  }

  forget({ metadata }: KubeObject): void {
    this.#versions.delete(metadata.uid)
  }
}
