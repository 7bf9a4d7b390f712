/** Which pods a job needs now and which are too many. Source: kubernetes `pkg/controller/job` manageJob. Times are in milliseconds. */
import type { Job } from '../../api/batch/v1/types.gen.ts'
import type { Pod } from '../../api/core/v1/types.gen.ts'
import { podsToDelete } from '../workload/deletion-order.ts'
import { isPodTerminating } from '../workload/pod-state.ts'
import { attemptsWith, indexesOf, isWithin, type IndexView, type View } from './observe.ts'
import { untilRetry, type FailureRow } from './pod-backoff.ts'
import { endOf, indexOf, replacesOnlyEnded } from './pod-facts.ts'
import { isSuspended } from './verdict.ts'

/** So many at a time. */
const BURST = 500

export interface PodPlan {
  readonly remove: readonly Pod[]
  /** The index of each new pod; null where pods have none. */
  readonly add: readonly (number | null)[]
  /** After this there may be more to add; null: nothing waits. */
  readonly wait: number | null
}

const NOTHING: PodPlan = { remove: [], add: [], wait: null }

/** Pods are either removed or added at one time. */
export function planPods(view: View, row: FailureRow, now: number): PodPlan {
  const { job, active, terminating } = view
  const wanted = wantedActive(view)
  const remove = tooMany(view, Math.max(0, active.length - wanted), now)
  if (remove.length > 0) return { ...NOTHING, remove: isSuspended(job) ? remove : remove.slice(0, BURST) }
  const missing = wanted - active.length - (replacesOnlyEnded(job) ? terminating : 0)
  if (missing <= 0) return NOTHING
  const { indexes } = view
  if (!indexes?.failed) {
    const wait = untilRetry(row, now)
    if (wait > 0) return { ...NOTHING, wait }
  }
  const count = Math.min(missing, BURST)
  if (!indexes) return { ...NOTHING, add: Array<null>(count).fill(null) }
  const pending = pendingIndexes(view, indexes, count)
  return indexes.failed ? whoseWaitIsOver(job, pending, indexes, now) : { ...NOTHING, add: pending }
}

function wantedActive({ job, active, succeeded }: View): number {
  const { completions, parallelism = 1 } = job.spec
  if (isSuspended(job)) return 0
  if (completions === undefined) return succeeded > 0 ? active.length : parallelism
  return Math.max(0, Math.min(completions - succeeded, parallelism))
}

/** Of an Indexed job, also all but one of each index and those whose index it does not have. */
function tooMany({ job, active }: View, atLeast: number, now: number): Pod[] {
  const remove = job.spec.completionMode === 'Indexed' ? superfluous(job, active, now) : []
  if (remove.length >= atLeast) return remove
  const left = active.filter((pod) => !remove.includes(pod))
  return [...remove, ...podsToDelete(left, left, atLeast - remove.length, now)]
}

function superfluous(job: Job, active: readonly Pod[], now: number): Pod[] {
  const remove: Pod[] = []
  const byIndex = new Map<number, Pod[]>()
  for (const pod of active) {
    const index = indexOf(pod)
    if (index === null || !isWithin(job, pod)) remove.push(pod)
    else byIndex.set(index, [...(byIndex.get(index) ?? []), pod])
  }
  for (const pods of byIndex.values()) if (pods.length > 1) remove.push(...podsToDelete(pods, pods, pods.length - 1, now))
  return remove
}

function pendingIndexes({ job, pods, active }: View, { completions, succeeded, failed }: IndexView, count: number): number[] {
  let settled = succeeded.union(indexesOf(job, active))
  if (failed) settled = settled.union(failed)
  if (replacesOnlyEnded(job)) settled = settled.union(indexesOf(job, pods.filter(isPodTerminating)))
  return settled.missing(count, completions)
}

function whoseWaitIsOver(job: Job, pending: readonly number[], { kept }: IndexView, now: number): PodPlan {
  const waits = pending.map((index) => {
    const pod = kept.get(index)
    return pod ? untilRetry({ failures: attemptsWith(pod, job), last: endOf(pod) }, now) : 0
  })
  const add = pending.filter((_, i) => waits[i] === 0)
  const waiting = waits.filter((wait) => wait > 0)
  return { ...NOTHING, add, wait: waiting.length > 0 ? Math.min(...waiting) : null }
}
