/** Keeps so many pods of a set running. Source: kubernetes `pkg/controller/replicaset`. */
import type { Pod } from '../../api/core/v1/types.gen.ts'
import { pod as podKind } from '../../api/core/v1/pod.ts'
import type { KubeObject } from '../../api/meta/v1/object.ts'
import { semanticEqual } from '../../api/values/equal.ts'
import { Expectations } from '../../machinery/expectations.ts'
import { controllerOf, isBeingDeleted, keyOf, splitKey } from '../../machinery/object.ts'
import { defineController, watch, type Change, type ControllerDescriptor } from '../runtime/controller.ts'
import { lookAgain } from '../runtime/look-again.ts'
import { controllerKey, itself, states } from '../runtime/watches.ts'
import { claim } from '../workload/claim.ts'
import { candidatesFor, controlledBy, indexByController } from '../workload/indices.ts'
import { createPodControl } from '../workload/pod-control.ts'
import { isPodActive, nextAvailable } from '../workload/pod-state.ts'
import type { ReplicaKind } from './replicas.ts'
import { scalePods } from './scale-pods.ts'
import { replicaStatus, type Observed } from './status.ts'

export function replicaController<T extends KubeObject>(set: ReplicaKind<T>): ControllerDescriptor {
  return defineController({
    name: set.name,
    component: set.component,
    create(context) {
      const { client, clock, informers } = context
      const sets = informers.for(set.kind)
      const pods = informers.for(podKind)
      indexByController(pods)
      indexByController(sets)
      const expectations = new Expectations(clock)
      const related = (object: T) => {
        const owner = controllerOf(object)
        const siblings = owner ? controlledBy(sets, owner.uid) : [object]
        return siblings.flatMap(({ metadata }) => controlledBy(pods, metadata.uid))
      }
      const scaling = { set, pods: createPodControl(context), expectations, related, clock }

      const forgetDeleted = (change: Change<T>) => {
        if (change.type === 'delete') expectations.forget(keyOf(change.object))
        return itself(change)
      }

      return {
        watches: [watch(sets, forgetDeleted), watch(pods, podChanges(set, sets, expectations))],
        async reconcile(key) {
          const { namespace, name } = splitKey(key)
          const object = sets.get(namespace, name)
          if (!object) return expectations.forget(key) as undefined
          const { selector, minReadySeconds } = set.specOf(object)
          const settled = expectations.satisfied(key)
          const candidates = candidatesFor(pods, object)
          const active = await claim(candidates.filter(isPodActive), {
            client,
            kind: podKind,
            owner: object,
            ownerKind: set.kind,
            selector,
          })
          const failure = settled && !isBeingDeleted(object) ? await scalePods(object, active, scaling) : null
          const now = clock.now()
          await report(object, { active, controlled: controlledBy(pods, object.metadata.uid), settled, failure, now })
          if (failure) throw failure.error
          const wait = nextAvailable(active, minReadySeconds, now)
          return lookAgain(wait, expectations.untilSatisfied(key))
        },
      }

      async function report(object: T, observed: Observed): Promise<void> {
        const status = replicaStatus(set, object, observed)
        if (semanticEqual(status, set.statusOf(object))) return
        await client.update(set.kind, set.withStatus(object, status), { subresource: 'status' })
      }
    },
  })
}

/** Keys of the sets that a pod's change concerns; meets what they expect of it. */
function podChanges<T extends KubeObject>(
  set: ReplicaKind<T>,
  sets: { get(namespace: string | undefined, name: string): T | undefined; list(namespace?: string): readonly T[] },
  expectations: Expectations,
): (change: Change<Pod>) => Iterable<string> {
  /** Null if the owner is another kind's, or another one of the name. */
  const ownerKey = (pod: Pod): string | null => {
    const key = controllerKey(pod, set.kind)
    if (key === null) return null
    const { namespace, name } = splitKey(key)
    return sets.get(namespace, name)?.metadata.uid === controllerOf(pod)?.uid ? key : null
  }
  const suitors = (pod: Pod) =>
    sets.list(pod.metadata.namespace).filter((object) => set.specOf(object).selector.matches(pod.metadata.labels))

  return (change) => {
    const { object: pod } = change
    const key = ownerKey(pod)
    if (key !== null) {
      // A pod may be seen for the first time when it is told to end already.
      if (change.type === 'add') expectations.creationObserved(key)
      if (change.type === 'delete' || isBeingDeleted(pod)) expectations.deletionObserved(key, pod.metadata.uid)
    }
    const keys = new Set(states(change).flatMap((state) => ownerKey(state) ?? []))
    if (!controllerOf(pod) && change.type !== 'delete' && !isBeingDeleted(pod)) for (const object of suitors(pod)) keys.add(keyOf(object))
    return keys
  }
}
