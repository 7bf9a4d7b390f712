/** Which owners a pod's change concerns: who controls it, who did, and who could adopt it. */
import type { Pod } from '../../api/core/v1/types.gen.ts'
import type { AnyKind } from '../../api/kind.ts'
import type { KubeObject } from '../../api/meta/v1/object.ts'
import type { Lister } from '../../client/informer.ts'
import type { Expectations } from '../../machinery/expectations.ts'
import { controllerOf, isBeingDeleted, keyOf, splitKey } from '../../machinery/object.ts'
import type { LabelSelector } from '../../machinery/selector/label-selector.ts'
import type { Change } from '../runtime/controller.ts'
import { controllerKey, states } from '../runtime/watches.ts'

export interface PodOwners<T extends KubeObject> {
  readonly kind: AnyKind
  readonly owners: Lister<T>
  readonly selectorOf: (owner: T) => LabelSelector
  /** Met by what is seen. */
  readonly expectations?: Expectations
}

/** The owner as it is known; undefined if it is another kind's, another one of the name, or gone. */
export function knownOwner<T extends KubeObject>(pod: Pod, { kind, owners }: Pick<PodOwners<T>, 'kind' | 'owners'>): T | undefined {
  const key = controllerKey(pod, kind)
  if (key === null) return undefined
  const { namespace, name } = splitKey(key)
  const owner = owners.get(namespace, name)
  return owner?.metadata.uid === controllerOf(pod)?.uid ? owner : undefined
}

export function ownerKeys<T extends KubeObject>(of: PodOwners<T>): (change: Change<Pod>) => Set<string> {
  const { owners, selectorOf, expectations } = of
  return (change) => {
    const { object: pod } = change
    const owner = knownOwner(pod, of)
    if (owner) {
      // A pod may be seen for the first time when it is told to end already.
      if (change.type === 'add') expectations?.creationObserved(keyOf(owner))
      if (change.type === 'delete' || isBeingDeleted(pod)) expectations?.deletionObserved(keyOf(owner), pod.metadata.uid)
    }
    const keys = new Set<string>()
    for (const state of states(change)) {
      const known = knownOwner(state, of)
      if (known) keys.add(keyOf(known))
    }
    if (controllerOf(pod) || change.type === 'delete' || isBeingDeleted(pod)) return keys
    for (const suitor of owners.list(pod.metadata.namespace)) {
      if (selectorOf(suitor).matches(pod.metadata.labels)) keys.add(keyOf(suitor))
    }
    return keys
  }
}
