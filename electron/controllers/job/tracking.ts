/**
 * Counting pods exactly once (KEP-2307): the status first notes which pods ended, then they lose their finalizer, then the notes become
 * numbers. A step that is lost is done again without counting anything twice. Source: kubernetes `pkg/controller/job`
 * trackJobStatusAndRemoveFinalizers.
 */
import type { JobStatus } from '../../api/batch/v1/types.gen.ts'
import type { Pod } from '../../api/core/v1/types.gen.ts'
import { isBeingDeleted } from '../../machinery/object.ts'
import { IndexSet } from './index-set.ts'
import { isWithin, type View } from './observe.ts'
import { failureCounts, hasFailed, hasSucceeded, indexOf } from './pod-facts.ts'
import type { Verdict } from './verdict.ts'

/** So many pods are noted at a time, so that the status stays small. */
const MAX_NOTED = 500

export interface Account {
  /** The status with the notes. */
  readonly status: JobStatus
  /** Pods that may lose their finalizer once it is written. */
  readonly release: readonly Pod[]
  /** Whether all were noted that can be. */
  readonly whole: boolean
}

/** `before`: the status to which notes are added. */
export function account(view: View, before: JobStatus, verdict: Verdict | null): Account {
  const { job, indexes } = view
  const waiting = new Set(view.tracked.map(({ metadata }) => metadata.uid))
  const base = settle(before, waiting)
  const succeeded = [...(base.uncountedTerminatedPods?.succeeded ?? [])]
  const failed = [...(base.uncountedTerminatedPods?.failed ?? [])]
  const newIndexes: number[] = []
  const release: Pod[] = []
  let whole = true
  const byIndex = indexes ? [...view.tracked].sort((a, b) => (indexOf(a) ?? -1) - (indexOf(b) ?? -1)) : view.tracked
  for (const pod of byIndex) {
    if (!isDone(view, pod, verdict)) continue
    if (newIndexes.length + succeeded.length + failed.length >= MAX_NOTED) {
      whole = false
      break
    }
    release.push(pod)
    const { uid } = pod.metadata
    if (failed.includes(uid) || succeeded.includes(uid) || !isWithin(job, pod)) continue
    const index = indexOf(pod)
    if (hasSucceeded(pod)) {
      if (!indexes) succeeded.push(uid)
      else if (index !== null && !indexes.succeededBefore.has(index) && !newIndexes.includes(index)) newIndexes.push(index)
    } else if (hasFailed(pod, job) || verdict?.type === 'FailureTarget') {
      if (failureCounts(pod, job)) failed.push(uid)
    }
  }
  const status: JobStatus = { ...base, uncountedTerminatedPods: notes(succeeded, failed) }
  if (!indexes) return { status, release, whole }
  const completed = indexes.succeededBefore.union(IndexSet.of(newIndexes))
  const counted = withValue(withValue(status, 'succeeded', completed.size), 'completedIndexes', completed.toString())
  return { status: indexes.failed ? { ...counted, failedIndexes: indexes.failed.toString() } : counted, release, whole }
}

/** Whether nothing more is to be learnt from the pod. */
function isDone({ job, indexes }: View, pod: Pod, verdict: Verdict | null): boolean {
  if (isBeingDeleted(job) || verdict || hasSucceeded(pod)) return true
  const index = indexOf(pod)
  return hasFailed(pod, job) && (index === null || indexes?.kept.get(index) !== pod)
}

/** Notes about pods that no longer wait become numbers. */
export function settle(status: JobStatus, waiting: ReadonlySet<string>): JobStatus {
  const { succeeded = [], failed = [] } = status.uncountedTerminatedPods ?? {}
  const left = { succeeded: succeeded.filter((uid) => waiting.has(uid)), failed: failed.filter((uid) => waiting.has(uid)) }
  const counted = withValue(status, 'succeeded', (status.succeeded ?? 0) + succeeded.length - left.succeeded.length)
  return {
    ...withValue(counted, 'failed', (status.failed ?? 0) + failed.length - left.failed.length),
    uncountedTerminatedPods: notes(left.succeeded, left.failed),
  }
}

function notes(succeeded: string[], failed: string[]): NonNullable<JobStatus['uncountedTerminatedPods']> {
  return { ...(succeeded.length > 0 ? { succeeded } : {}), ...(failed.length > 0 ? { failed } : {}) }
}

export function hasNotes({ uncountedTerminatedPods: { succeeded = [], failed = [] } = {} }: JobStatus): boolean {
  return succeeded.length + failed.length > 0
}

/** For what Kubernetes leaves out where it is 0 or empty. */
export function withValue<K extends 'active' | 'succeeded' | 'failed' | 'completedIndexes'>(
  status: JobStatus,
  name: K,
  value: NonNullable<JobStatus[K]>,
): JobStatus {
  const { [name]: _old, ...rest } = status
  return value ? { ...rest, [name]: value } : rest
}
