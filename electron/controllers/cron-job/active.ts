/** The jobs that a CronJob's status names as running. Source: kubernetes `pkg/controller/cronjob` syncCronJob. */
import { job as jobKind } from '../../api/batch/v1/job.ts'
import type { CronJob, CronJobStatus, Job } from '../../api/batch/v1/types.gen.ts'
import type { ObjectReference } from '../../api/core/v1/types.gen.ts'
import { apiVersionOf } from '../../api/kind.ts'

function referenceTo({ metadata }: Job): ObjectReference {
  const { name, namespace, uid, resourceVersion } = metadata
  return { apiVersion: apiVersionOf(jobKind), kind: jobKind.kind, name, ...(namespace ? { namespace } : {}), uid, resourceVersion }
}

export function isActive({ status }: CronJob, { metadata }: Job): boolean {
  return status.active?.some(({ uid }) => uid === metadata.uid) ?? false
}

export function withActive(cronJob: CronJob, job: Job): CronJob {
  return isActive(cronJob, job) ? cronJob : withList(cronJob, [...(cronJob.status.active ?? []), referenceTo(job)])
}

export function withoutActive(cronJob: CronJob, gone: string | undefined): CronJob {
  return withList(
    cronJob,
    (cronJob.status.active ?? []).filter(({ uid }) => uid !== gone),
  )
}

function withList(cronJob: CronJob, list: readonly ObjectReference[]): CronJob {
  const { active: _old, ...rest } = cronJob.status
  const status: CronJobStatus = list.length > 0 ? { ...rest, active: [...list] } : rest
  return { ...cronJob, status }
}

/** With the time at which a job last succeeded. */
export function withSuccess(cronJob: CronJob, { status }: Job): CronJob {
  const { completionTime } = status
  const { lastSuccessfulTime: last } = cronJob.status
  if (!completionTime || (last && Date.parse(last) >= Date.parse(completionTime))) return cronJob
  return { ...cronJob, status: { ...cronJob.status, lastSuccessfulTime: completionTime } }
}
