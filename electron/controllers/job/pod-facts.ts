/** What a job's pod says of itself. Source: kubernetes `pkg/controller/job/{job_controller,indexed_job_utils,tracking_utils}.go`. */
import type { Job } from '../../api/batch/v1/types.gen.ts'
import type { Pod } from '../../api/core/v1/types.gen.ts'
import { findCondition } from '../../machinery/conditions.ts'
import { isBeingDeleted } from '../../machinery/object.ts'
import { matchFailurePolicy } from './failure-policy.ts'

/** Keeps a pod until the job has counted how it ended (KEP-2307). */
export const TRACKING = 'batch.kubernetes.io/job-tracking'
export const COMPLETION_INDEX = 'batch.kubernetes.io/job-completion-index'
/** How often the index failed before this pod; those that a policy ignores stand apart (KEP-3850). */
export const INDEX_FAILURES = 'batch.kubernetes.io/job-index-failure-count'
export const INDEX_IGNORED_FAILURES = 'batch.kubernetes.io/job-index-ignored-failure-count'

/** A pod that is merely on its way out is not replaced (KEP-3939). */
export function replacesOnlyEnded({ spec }: Job): boolean {
  return spec.podReplacementPolicy === 'Failed'
}

export function hasSucceeded({ status }: Pod): boolean {
  return status.phase === 'Succeeded'
}

/** Deleted pods count as failed: without a node they never say how they ended. */
export function hasFailed(pod: Pod, job: Job): boolean {
  if (pod.status.phase === 'Failed') return true
  return !replacesOnlyEnded(job) && isBeingDeleted(pod) && !hasSucceeded(pod)
}

/** Whether its failure counts against the limits. */
export function failureCounts(pod: Pod, { spec }: Job): boolean {
  return matchFailurePolicy(spec.podFailurePolicy, pod)?.action !== 'Ignore'
}

/** Null if there is none. */
export function indexOf({ metadata }: Pod): number | null {
  const text = metadata.annotations?.[COMPLETION_INDEX]
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : null
}

function countIn({ metadata }: Pod, annotation: string): number {
  const text = metadata.annotations?.[annotation]
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : 0
}

export interface IndexFailures {
  readonly counted: number
  readonly ignored: number
}

/** Failures of the index before this pod. */
export function failuresBefore(pod: Pod): IndexFailures {
  return { counted: countIn(pod, INDEX_FAILURES), ignored: countIn(pod, INDEX_IGNORED_FAILURES) }
}

/** Failures of the index with this pod's own, if it failed; none if no pod was before. */
export function failuresAfter(pod: Pod | undefined, job: Job): IndexFailures {
  if (!pod) return { counted: 0, ignored: 0 }
  const { counted, ignored } = failuresBefore(pod)
  return failureCounts(pod, job) ? { counted: counted + 1, ignored } : { counted, ignored: ignored + 1 }
}

/** When the pod ended, in milliseconds since the epoch, as well as it is known. */
export function endOf(pod: Pod): number {
  return endOfContainers(pod) ?? endOfReadiness(pod) ?? endByDeletion(pod) ?? Date.parse(pod.metadata.creationTimestamp)
}

function endOfContainers({ status }: Pod): number | null {
  const ends = (status.containerStatuses ?? []).map(({ state }) => Date.parse(state?.terminated?.finishedAt ?? ''))
  return ends.length === 0 || ends.some(Number.isNaN) ? null : Math.max(...ends)
}

function endOfReadiness({ status }: Pod): number | null {
  const ready = findCondition(status.conditions, 'Ready')
  return ready?.status === 'False' && ready.lastTransitionTime ? Date.parse(ready.lastTransitionTime) : null
}

function endByDeletion({ metadata }: Pod): number | null {
  if (!metadata.deletionTimestamp) return null
  return Date.parse(metadata.deletionTimestamp) - (metadata.deletionGracePeriodSeconds ?? 0) * 1000
}
