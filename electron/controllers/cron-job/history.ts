/** Which ended jobs of a CronJob are more than it keeps. Source: kubernetes `pkg/controller/cronjob` cleanupFinishedJobs. */
import type { CronJob, Job } from '../../api/batch/v1/types.gen.ts'
import { endingOf } from '../job/finished.ts'

/** Those that began first. */
export function superfluousJobs({ spec }: CronJob, jobs: readonly Job[]): Job[] {
  return [
    ...oldest(
      jobs.filter((job) => endingOf(job) === 'Complete'),
      spec.successfulJobsHistoryLimit,
    ),
    ...oldest(
      jobs.filter((job) => endingOf(job) === 'Failed'),
      spec.failedJobsHistoryLimit,
    ),
  ]
}

function oldest(jobs: readonly Job[], limit: number | undefined): readonly Job[] {
  if (limit === undefined || jobs.length <= limit) return []
  return [...jobs].sort(byStart).slice(0, jobs.length - limit)
}

function byStart(a: Job, b: Job): number {
  const [x, y] = [startOf(a), startOf(b)]
  return x === y ? (a.metadata.name < b.metadata.name ? -1 : 1) : x - y
}

/** What never began comes last. */
function startOf({ status }: Job): number {
  return status.startTime ? Date.parse(status.startTime) : Number.MAX_SAFE_INTEGER
}
