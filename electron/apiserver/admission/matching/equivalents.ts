/** The other versions in which the same objects are served. Source: apiserver `runtime.EquivalentResourceMapper`. */
import type { AnyKind } from '../../../api/kind.ts'
import type { KubeObject } from '../../../api/meta/v1/object.ts'
import { thaw } from '../../../machinery/freeze.ts'
import type { Resources } from '../../resources.ts'

export class Equivalents {
  readonly #resources: Resources
  #known = new Map<AnyKind, readonly AnyKind[]>()
  #generation = -1

  constructor(resources: Resources) {
    this.#resources = resources
  }

  /** Without the kind itself. */
  of(kind: AnyKind): readonly AnyKind[] {
    if (this.#generation !== this.#resources.generation) {
      this.#generation = this.#resources.generation
      this.#known = new Map()
    }
    let found = this.#known.get(kind)
    if (!found) {
      const storage = this.#storageOf(kind)
      found = storage ? [...this.#resources.kinds()].filter((one) => one !== kind && this.#storageOf(one) === storage) : []
      this.#known.set(kind, found)
    }
    return found
  }

  #storageOf({ group, version, resource }: AnyKind) {
    return this.#resources.find(group, version, resource)?.storage
  }
}

/** The object as another version has it; a copy, if it is another. Throws StatusError if a webhook has to convert it and does not. */
export async function convert(object: KubeObject, from: AnyKind, to: AnyKind): Promise<KubeObject> {
  if (from === to) return object
  const copy = thaw(object)
  const stored = from.storedAs ? await (from.storedAs.ask ?? from.storedAs).toStored(copy) : copy
  if (!to.storedAs?.ask) return to.storedAs ? to.storedAs.fromStored(stored) : stored
  const [converted = stored] = await to.storedAs.ask.fromStored([stored])
  return converted
}
