/** A job and its pods as one look finds them. Source: kubernetes `pkg/controller/job` syncJobCtx. */
import type { Job } from '../../api/batch/v1/types.gen.ts'
import type { Pod } from '../../api/core/v1/types.gen.ts'
import { hasFinalizer } from '../../machinery/object.ts'
import { isPodActive, isPodReady, isPodTerminating } from '../workload/pod-state.ts'
import { IndexSet } from './index-set.ts'
import { matchFailurePolicy } from './failure-policy.ts'
import { endOf, failureCounts, failuresAfter, failuresBefore, hasFailed, hasSucceeded, indexOf, TRACKING } from './pod-facts.ts'

export interface View {
  readonly job: Job
  readonly pods: readonly Pod[]
  /** Those that were not counted for good: they have the finalizer, and nobody is taking it off. */
  readonly tracked: readonly Pod[]
  readonly active: readonly Pod[]
  readonly ready: number
  readonly terminating: number
  /** Ended, and neither counted nor noted to be counted. */
  readonly newlySucceeded: readonly Pod[]
  readonly newlyFailed: readonly Pod[]
  /** With those that the status does not count yet. */
  readonly succeeded: number
  readonly failed: number
  /** Null if the job is not Indexed. */
  readonly indexes: IndexView | null
}

export interface IndexView {
  readonly completions: number
  /** As the status has them. */
  readonly succeededBefore: IndexSet
  readonly succeeded: IndexSet
  /** Null if the limit is the job's, not each index's. */
  readonly failed: IndexSet | null
  /** Failed pods that hold the count of failures of an index until another pod does. */
  readonly kept: ReadonlyMap<number, Pod>
}

export function observe(job: Job, pods: readonly Pod[], losing: ReadonlySet<string>): View {
  const { status, spec } = job
  const tracked = pods.filter((pod) => hasFinalizer(pod, TRACKING) && !losing.has(pod.metadata.uid))
  const noted = { succeeded: status.uncountedTerminatedPods?.succeeded ?? [], failed: status.uncountedTerminatedPods?.failed ?? [] }
  const counts = tracked.filter((pod) => isWithin(job, pod))
  const newlySucceeded = counts.filter((pod) => hasSucceeded(pod) && !noted.succeeded.includes(pod.metadata.uid))
  const newlyFailed = counts.filter((pod) => hasFailed(pod, job) && !noted.failed.includes(pod.metadata.uid))
  const active = pods.filter(isPodActive)
  const indexes = spec.completionMode === 'Indexed' ? observeIndexes(job, tracked, active) : null
  const succeeded = (status.succeeded ?? 0) + newlySucceeded.length + noted.succeeded.length
  return {
    job,
    pods,
    tracked,
    active,
    ready: active.filter(isPodReady).length,
    terminating: pods.filter(isPodTerminating).length,
    newlySucceeded,
    newlyFailed,
    succeeded: indexes ? indexes.succeeded.size : succeeded,
    failed: (status.failed ?? 0) + newlyFailed.filter((pod) => failureCounts(pod, job)).length + noted.failed.length,
    indexes,
  }
}

/** Pods of an Indexed job count only for an index that it has. */
export function isWithin({ spec }: Job, pod: Pod): boolean {
  if (spec.completionMode !== 'Indexed') return true
  const index = indexOf(pod)
  return index !== null && index < (spec.completions ?? 0)
}

/** Of those that are within, by index. */
export function indexesOf(job: Job, pods: readonly Pod[]): IndexSet {
  return IndexSet.of(pods.filter((pod) => isWithin(job, pod)).map((pod) => indexOf(pod) ?? 0))
}

function observeIndexes(job: Job, tracked: readonly Pod[], active: readonly Pod[]): IndexView {
  const { spec, status } = job
  const completions = spec.completions ?? 0
  const succeededBefore = IndexSet.parse(status.completedIndexes, completions)
  const succeeded = succeededBefore.union(indexesOf(job, tracked.filter(hasSucceeded)))
  if (spec.backoffLimitPerIndex === undefined) return { completions, succeededBefore, succeeded, failed: null, kept: new Map() }
  const ended = tracked.filter((pod) => endsIndex(pod, job))
  const failed = IndexSet.parse(status.failedIndexes, completions).union(indexesOf(job, ended))
  const settled = succeeded.union(failed).union(indexesOf(job, active))
  return { completions, succeededBefore, succeeded, failed, kept: lastFailures(job, tracked, settled) }
}

/** Whether the pod's failure is the last that its index may have. */
function endsIndex(pod: Pod, job: Job): boolean {
  if (!hasFailed(pod, job)) return false
  if (matchFailurePolicy(job.spec.podFailurePolicy, pod)?.action === 'FailIndex') return true
  return failureCounts(pod, job) && failuresBefore(pod).counted >= (job.spec.backoffLimitPerIndex ?? 0)
}

function lastFailures(job: Job, tracked: readonly Pod[], settled: IndexSet): Map<number, Pod> {
  const out = new Map<number, Pod>()
  for (const pod of tracked) {
    const index = indexOf(pod)
    if (index === null || !isWithin(job, pod) || settled.has(index) || !hasFailed(pod, job)) continue
    const other = out.get(index)
    if (!other || isLater(pod, other)) out.set(index, pod)
  }
  return out
}

function isLater(pod: Pod, other: Pod): boolean {
  return absoluteFailures(pod) >= absoluteFailures(other) && endOf(pod) >= endOf(other)
}

function absoluteFailures(pod: Pod): number {
  const { counted, ignored } = failuresBefore(pod)
  return counted + ignored
}

/** How often the index has failed with this pod, counted or not. */
export function attemptsWith(pod: Pod, job: Job): number {
  const { counted, ignored } = failuresAfter(pod, job)
  return counted + ignored
}
