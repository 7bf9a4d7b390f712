/** Who owns whom, as the informers have last seen it. Source: kubernetes `pkg/controller/garbagecollector/graph.go`. */
import type { AnyKind } from '../../api/kind.ts'
import type { KubeObject } from '../../api/meta/v1/object.ts'
import type { OwnerReference } from '../../api/meta/v1/types.gen.ts'
import { hasFinalizer, isBeingDeleted } from '../../machinery/object.ts'
import { groupOf } from '../runtime/watches.ts'

/** Held by an object that goes only after those of its dependents that ask it to wait. */
export const FOREGROUND = 'foregroundDeletion'
/** Held by an object whose dependents shall outlive it. */
export const ORPHAN = 'orphan'

/** As much of an object as its fate depends on. */
export interface Vertex {
  readonly uid: string
  readonly kind: AnyKind
  readonly namespace: string | undefined
  readonly name: string
  readonly owners: readonly OwnerReference[]
  readonly isDeleting: boolean
  /** It is being deleted and waits for its dependents. */
  readonly awaitsDependents: boolean
  /** It is being deleted and lets its dependents go first. */
  readonly orphansDependents: boolean
}

export function vertexOf(kind: AnyKind, object: KubeObject): Vertex {
  const { uid, name, namespace, ownerReferences = [] } = object.metadata
  const isDeleting = isBeingDeleted(object)
  return {
    uid,
    kind,
    namespace,
    name,
    owners: ownerReferences,
    isDeleting,
    awaitsDependents: isDeleting && hasFinalizer(object, FOREGROUND),
    orphansDependents: isDeleting && hasFinalizer(object, ORPHAN),
  }
}

export class OwnerGraph {
  readonly #vertices = new Map<string, Vertex>()
  /** By the uid of the owner, which need not be known itself. */
  readonly #dependents = new Map<string, Map<string, Vertex>>()

  get(uid: string): Vertex | undefined {
    return this.#vertices.get(uid)
  }

  /** What the reference means, if it was seen; nothing if what has this uid is not where the reference says. */
  ownerOf({ namespace }: Vertex, { uid, apiVersion, kind, name }: OwnerReference): Vertex | undefined {
    const owner = this.#vertices.get(uid)
    if (owner?.name !== name || owner.kind.kind !== kind || owner.kind.group !== groupOf(apiVersion)) return undefined
    return owner.kind.namespaced && owner.namespace !== namespace ? undefined : owner
  }

  /** Whether one of its owners may be gone, or takes its dependents with it. */
  isInDoubt(vertex: Vertex): boolean {
    return vertex.owners.some((reference) => this.ownerOf(vertex, reference)?.awaitsDependents ?? true)
  }

  dependentsOf(uid: string): readonly Vertex[] {
    return [...(this.#dependents.get(uid)?.values() ?? [])]
  }

  /** Those without whose end the owner may not go. */
  blocking(uid: string): readonly Vertex[] {
    return this.dependentsOf(uid).filter(({ owners }) => owners.some((owner) => owner.uid === uid && owner.blockOwnerDeletion === true))
  }

  set(vertex: Vertex): void {
    this.remove(vertex.uid)
    this.#vertices.set(vertex.uid, vertex)
    for (const { uid } of vertex.owners) {
      const dependents = this.#dependents.get(uid) ?? new Map<string, Vertex>()
      this.#dependents.set(uid, dependents.set(vertex.uid, vertex))
    }
  }

  remove(uid: string): void {
    const old = this.#vertices.get(uid)
    if (!old) return
    this.#vertices.delete(uid)
    for (const owner of old.owners) {
      const dependents = this.#dependents.get(owner.uid)
      dependents?.delete(uid)
      if (dependents?.size === 0) this.#dependents.delete(owner.uid)
    }
  }
}
