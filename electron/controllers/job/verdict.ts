/** Whether a job has come to its end, and why. Source: kubernetes `pkg/controller/job` syncJob. Times are in milliseconds. */
import type { Job, JobCondition, SuccessPolicyRule } from '../../api/batch/v1/types.gen.ts'
import { findCondition } from '../../machinery/conditions.ts'
import { matchFailurePolicy } from './failure-policy.ts'
import { IndexSet } from './index-set.ts'
import type { IndexView, View } from './observe.ts'
import { hasFailed } from './pod-facts.ts'

/** First the end is announced; once all pods are counted and gone, it is `Failed` or `Complete` (KEP-3998, KEP-3939). */
export interface Verdict {
  readonly type: 'FailureTarget' | 'SuccessCriteriaMet'
  readonly reason: string
  readonly message: string
}

export function finalType({ type }: Verdict): 'Failed' | 'Complete' {
  return type === 'FailureTarget' ? 'Failed' : 'Complete'
}

export function isSuspended({ spec }: Job): boolean {
  return spec.suspend === true
}

export function verdictOf(view: View, now: number): Verdict | null {
  return announced(view.job) ?? failureOf(view, now) ?? indexFailureOf(view) ?? successByPolicy(view)
}

/** What was announced is not taken back. */
function announced({ status }: Job): Verdict | null {
  for (const type of ['SuccessCriteriaMet', 'FailureTarget'] as const) {
    const condition = findCondition<JobCondition>(status.conditions, type)
    if (condition?.status === 'True') return { type, reason: condition.reason ?? '', message: condition.message ?? '' }
  }
  return null
}

const failure = (reason: string, message: string): Verdict => ({ type: 'FailureTarget', reason, message })

function failureOf({ job, pods, failed }: View, now: number): Verdict | null {
  for (const pod of pods) {
    if (!hasFailed(pod, job)) continue
    const match = matchFailurePolicy(job.spec.podFailurePolicy, pod)
    if (match?.action === 'FailJob') return failure('PodFailurePolicy', match.message)
  }
  if (failed > (job.spec.backoffLimit ?? 6) || restartsTooOften({ job, pods })) {
    return failure('BackoffLimitExceeded', 'Job has reached the specified backoff limit')
  }
  if (untilDeadline(job, now) === 0) return failure('DeadlineExceeded', 'Job was active longer than specified deadline')
  return null
}

/** Containers that are restarted in place count while their pods run. */
function restartsTooOften({ job, pods }: Pick<View, 'job' | 'pods'>): boolean {
  if (job.spec.template.spec.restartPolicy !== 'OnFailure') return false
  let restarts = 0
  for (const { status } of pods) {
    if (status.phase !== 'Running' && status.phase !== 'Pending') continue
    for (const { restartCount } of [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])]) restarts += restartCount
  }
  return restarts > 0 && restarts >= (job.spec.backoffLimit ?? 6)
}

/** How long the job may still take; null if it has all the time, or does not run. */
export function untilDeadline(job: Job, now: number): number | null {
  const { activeDeadlineSeconds: seconds } = job.spec
  if (seconds === undefined || isSuspended(job) || !job.status.startTime) return null
  return Math.max(0, Date.parse(job.status.startTime) + seconds * 1000 - now)
}

function indexFailureOf({ job, indexes }: View): Verdict | null {
  const failed = indexes?.failed?.size ?? 0
  if (!indexes || failed === 0) return null
  if (job.spec.maxFailedIndexes !== undefined && failed > job.spec.maxFailedIndexes) {
    return failure('MaxFailedIndexesExceeded', 'Job has exceeded the specified maximal number of failed indexes')
  }
  return failed + indexes.succeeded.size >= indexes.completions ? failure('FailedIndexes', 'Job has failed indexes') : null
}

function successByPolicy({ job, indexes }: View): Verdict | null {
  if (!indexes || indexes.succeeded.size === 0) return null
  const rule = (job.spec.successPolicy?.rules ?? []).findIndex((each) => isMet(each, indexes))
  return rule < 0 ? null : { type: 'SuccessCriteriaMet', reason: 'SuccessPolicy', message: `Matched rules at index ${rule}` }
}

function isMet({ succeededIndexes, succeededCount }: SuccessPolicyRule, { succeeded, completions }: IndexView): boolean {
  if (succeededIndexes === undefined) return succeededCount !== undefined && succeeded.size >= succeededCount
  const wanted = IndexSet.parse(succeededIndexes, completions)
  return wanted.common(succeeded) >= (succeededCount ?? wanted.size)
}

/** By the number of completions; without one, the first success is enough once no other pod runs. */
export function completionOf({ job, succeeded }: View, active: number): Verdict | null {
  const { completions } = job.spec
  const reached = active === 0 && (completions === undefined ? succeeded > 0 : succeeded >= completions)
  if (!reached) return null
  return { type: 'SuccessCriteriaMet', reason: 'CompletionsReached', message: 'Reached expected number of succeeded pods' }
}
