/** What a set says of its pods. Source: kubernetes `pkg/controller/replicaset/replica_set_utils.go`. */
import type { Pod } from '../../api/core/v1/types.gen.ts'
import type { KubeObject } from '../../api/meta/v1/object.ts'
import { formatTime } from '../../api/values/time.ts'
import { messageOf } from '../../base/errors.ts'
import { isConditionTrue, removeCondition, setCondition } from '../../machinery/conditions.ts'
import { selectorFromLabels } from '../../machinery/selector/label-selector.ts'
import { withoutZeros } from '../workload/counts.ts'
import { isPodAvailable, isPodReady, isPodTerminating } from '../workload/pod-state.ts'
import type { ReplicaCondition, ReplicaKind, ReplicaStatus } from './replicas.ts'

export interface Observed {
  /** Those that count. */
  readonly active: readonly Pod[]
  /** All that the set controls. */
  readonly controlled: readonly Pod[]
  /** Whether the declared number was acted on; else what was done before is still awaited. */
  readonly settled: boolean
  /** Why pods could not be created or deleted. */
  readonly failure: { readonly reason: 'FailedCreate' | 'FailedDelete'; readonly error: unknown } | null
  /** Milliseconds since the epoch. */
  readonly now: number
}

const REPLICA_FAILURE = 'ReplicaFailure'

export function replicaStatus<T extends KubeObject>(set: ReplicaKind<T>, object: T, observed: Observed): ReplicaStatus {
  const { template, minReadySeconds } = set.specOf(object)
  const { active, controlled, settled, failure, now } = observed
  const labeled = selectorFromLabels(template.metadata.labels)
  const conditions = failureCondition(set.statusOf(object).conditions, failure, now)
  return {
    replicas: active.length,
    ...withoutZeros({
      fullyLabeledReplicas: active.filter(({ metadata }) => labeled.matches(metadata.labels)).length,
      readyReplicas: active.filter(isPodReady).length,
      availableReplicas: active.filter((pod) => isPodAvailable(pod, minReadySeconds, now)).length,
      observedGeneration: (settled ? object.metadata.generation : set.statusOf(object).observedGeneration) ?? 0,
    }),
    ...(set.countsTerminating ? { terminatingReplicas: controlled.filter(isPodTerminating).length } : {}),
    ...(conditions.length > 0 ? { conditions } : {}),
  }
}

function failureCondition(
  before: readonly ReplicaCondition[] | undefined,
  failure: Observed['failure'],
  now: number,
): readonly ReplicaCondition[] {
  if (!failure) return removeCondition(before, REPLICA_FAILURE)
  // The message may name another pod each time: to write that down would be a change to reconcile again, without end.
  if (before && isConditionTrue(before, REPLICA_FAILURE)) return before
  const { reason, error } = failure
  return setCondition(before, { type: REPLICA_FAILURE, status: 'True', reason, message: messageOf(error) }, formatTime(now))
}
