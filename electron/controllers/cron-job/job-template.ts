import { cronJob as cronJobKind } from '../../api/batch/v1/cron-job.ts'
import type { CronJob, Job } from '../../api/batch/v1/types.gen.ts'
import type { Draft } from '../../api/meta/v1/object.ts'
import { controllerReference } from '../../machinery/object.ts'
import { wallClock } from './wall-clock.ts'

const SCHEDULED = 'batch.kubernetes.io/cronjob-scheduled-timestamp'

/** One name for each run, so that none is started twice. */
export function jobName({ metadata }: CronJob, run: number): string {
  return `${metadata.name}-${Math.floor(run / 60_000)}`
}

/** The job of the run at this instant, in milliseconds since the epoch. */
export function jobFor(cronJob: CronJob, run: number): Draft<Job> {
  const { jobTemplate, timeZone } = cronJob.spec
  const { namespace } = cronJob.metadata
  const { labels, annotations } = jobTemplate.metadata
  return {
    metadata: {
      name: jobName(cronJob, run),
      ...(namespace ? { namespace } : {}),
      ...(labels ? { labels } : {}),
      annotations: { ...annotations, [SCHEDULED]: wallClock(timeZone).format(run) },
      ownerReferences: [controllerReference(cronJob, cronJobKind)],
    },
    spec: jobTemplate.spec,
  }
}
