/** Makes the number of pods what it should be. Source: kubernetes `pkg/controller/replicaset` manageReplicas. */
import type { Pod } from '../../api/core/v1/types.gen.ts'
import type { KubeObject } from '../../api/meta/v1/object.ts'
import type { Clock } from '../../base/clock.ts'
import type { Expectations } from '../../machinery/expectations.ts'
import { keyOf } from '../../machinery/object.ts'
import { podsToDelete } from '../workload/deletion-order.ts'
import { isNamespaceEnding, podFromTemplate, type PodControl } from '../workload/pod-control.ts'
import { slowStart } from '../workload/slow-start.ts'
import type { ReplicaKind } from './replicas.ts'
import type { Observed } from './status.ts'

/** So many pods are created or deleted at once at most; the rest follows when those are seen. */
const BURST = 500

export interface ScaleDeps<T extends KubeObject> {
  readonly set: ReplicaKind<T>
  readonly pods: PodControl
  readonly expectations: Expectations
  /** Its own pods, and those of sets of the same owner, which do the same work. */
  readonly related: (object: T) => readonly Pod[]
  readonly clock: Clock
}

/** What the server refused is returned, for the status to tell. */
export async function scalePods<T extends KubeObject>(object: T, active: readonly Pod[], deps: ScaleDeps<T>): Promise<Observed['failure']> {
  const difference = active.length - deps.set.specOf(object).replicas
  if (difference < 0) return createPods(object, Math.min(-difference, BURST), deps)
  if (difference > 0) return deletePods(object, active, Math.min(difference, BURST), deps)
  return null
}

async function createPods<T extends KubeObject>(object: T, count: number, deps: ScaleDeps<T>): Promise<Observed['failure']> {
  const { set, pods, expectations } = deps
  const key = keyOf(object)
  const draft = podFromTemplate(set.specOf(object).template, object, set.kind)
  expectations.expectCreations(key, count)
  const { begun, error } = await slowStart(count, async () => {
    try {
      await pods.create(object, draft)
    } catch (refused) {
      expectations.creationObserved(key)
      if (!isNamespaceEnding(refused)) throw refused
    }
  })
  for (let i = begun; i < count; i++) expectations.creationObserved(key)
  return error === undefined ? null : { reason: 'FailedCreate', error }
}

async function deletePods<T extends KubeObject>(
  object: T,
  active: readonly Pod[],
  count: number,
  { pods, expectations, related, clock }: ScaleDeps<T>,
): Promise<Observed['failure']> {
  const key = keyOf(object)
  const chosen = podsToDelete(active, related(object), count, clock.now())
  expectations.expectDeletions(
    key,
    chosen.map(({ metadata }) => metadata.uid),
  )
  const results = await Promise.allSettled(
    chosen.map(async (pod) => {
      let deleted = false
      try {
        deleted = await pods.delete(object, pod)
      } finally {
        if (!deleted) expectations.deletionObserved(key, pod.metadata.uid)
      }
    }),
  )
  const failed = results.find((result) => result.status === 'rejected')
  return failed ? { reason: 'FailedDelete', error: failed.reason } : null
}
