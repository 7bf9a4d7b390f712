/** What a job's status says of its course. Source: kubernetes `pkg/controller/job` syncJob. */
import type { Job, JobCondition, JobStatus } from '../../api/batch/v1/types.gen.ts'
import { formatTime } from '../../api/values/time.ts'
import { findCondition, isConditionTrue, setCondition } from '../../machinery/conditions.ts'
import type { View } from './observe.ts'
import { withValue } from './tracking.ts'
import { finalType, isSuspended, type Verdict } from './verdict.ts'

/** Pods of the job now. */
export type PodCounts = Pick<JobStatus, 'active' | 'ready' | 'terminating'>

export function countsOf({ active, ready, terminating }: View): Required<PodCounts> {
  return { active: active.length, ready, terminating }
}

export function withCounts(status: JobStatus, { active, ready, terminating }: Required<PodCounts>): JobStatus {
  return { ...withValue(status, 'active', active), ready, terminating }
}

/** A job's time begins when it may run for the first time. */
export function started(job: Job, now: number): Job {
  if (job.status.startTime || isSuspended(job)) return job
  return { ...job, status: { ...job.status, startTime: formatTime(now) } }
}

export interface Suspension {
  readonly status: JobStatus
  /** What changed. */
  readonly event: 'Suspended' | 'Resumed' | null
}

/** The time of a job that is held does not run: it begins anew. */
export function withSuspension(status: JobStatus, job: Job, now: number): Suspension {
  const { conditions } = status
  const time = formatTime(now)
  if (isSuspended(job)) {
    if (isConditionTrue(conditions, 'Suspended')) return { status, event: null }
    return { status: withCondition(status, 'Suspended', 'True', 'JobSuspended', 'Job suspended', now), event: 'Suspended' }
  }
  if (!isConditionTrue(conditions, 'Suspended')) return { status, event: null }
  const resumed = withCondition(status, 'Suspended', 'False', 'JobResumed', 'Job resumed', now)
  return { status: { ...resumed, startTime: time }, event: 'Resumed' }
}

/** The announcement, which comes before the end. */
export function withAnnouncement(status: JobStatus, { type, reason, message }: Verdict, now: number): JobStatus {
  return findCondition(status.conditions, type)?.status === 'True' ? status : withCondition(status, type, 'True', reason, message, now)
}

export function withEnd(status: JobStatus, verdict: Verdict, now: number): JobStatus {
  const ended = withCondition(status, finalType(verdict), 'True', verdict.reason, verdict.message, now)
  return finalType(verdict) === 'Complete' ? { ...ended, completionTime: formatTime(now) } : ended
}

function withCondition(status: JobStatus, type: string, value: string, reason: string, message: string, now: number): JobStatus {
  const time = formatTime(now)
  const condition: JobCondition = { type, status: value, reason, message, lastProbeTime: time }
  return { ...status, conditions: [...setCondition(status.conditions, condition, time)] }
}
