/** What a StatefulSet says of its pods. Source: kubernetes `pkg/controller/statefulset` updateStatus, completeRollingUpdate. */
import type { StatefulSet, StatefulSetStatus } from '../../api/apps/v1/types.gen.ts'
import type { Pod } from '../../api/core/v1/types.gen.ts'
import { isBeingDeleted } from '../../machinery/object.ts'
import { withoutZeros } from '../workload/counts.ts'
import { isPodAvailable, isPodReady } from '../workload/pod-state.ts'
import { revisionOf } from './identity.ts'

export interface Revisions {
  readonly current: string
  readonly update: string
}

/** `settled`: what was declared was acted on. `now` is in milliseconds since the epoch. */
export function statefulSetStatus(
  set: StatefulSet,
  pods: readonly Pod[],
  revisions: Revisions,
  settled: boolean,
  now: number,
): StatefulSetStatus {
  const { collisionCount, conditions, observedGeneration = 0 } = set.status
  const { replicas: declared = 1, minReadySeconds = 0, updateStrategy } = set.spec
  const staying = pods.filter((pod) => !isBeingDeleted(pod))
  const ready = pods.filter((pod) => pod.status.phase === 'Running' && isPodReady(pod))
  const updated = staying.filter((pod) => revisionOf(pod) === revisions.update).length
  const through = [updated, ready.length, pods.length].every((count) => count === declared)
  const isDone = updateStrategy.type === 'RollingUpdate' && through
  const current = staying.filter((pod) => revisionOf(pod) === revisions.current).length
  return {
    replicas: pods.length,
    availableReplicas: ready.filter((pod) => isPodAvailable(pod, minReadySeconds, now)).length,
    currentRevision: isDone ? revisions.update : revisions.current,
    updateRevision: revisions.update,
    collisionCount: collisionCount ?? 0,
    ...withoutZeros({
      readyReplicas: ready.length,
      currentReplicas: isDone ? updated : current,
      updatedReplicas: updated,
      observedGeneration: settled ? (set.metadata.generation ?? 0) : observedGeneration,
    }),
    ...(conditions ? { conditions } : {}),
  }
}
