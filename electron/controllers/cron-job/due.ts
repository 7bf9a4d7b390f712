/** Which run of a CronJob is due. Source: kubernetes `pkg/controller/cronjob/utils.go`. Instants are milliseconds since the epoch. */
import type { CronJob } from '../../api/batch/v1/types.gen.ts'
import type { Schedule } from './schedule.ts'

/** From so many missed runs on, it is told. */
const MANY = 100
/** So long after its time a run is looked for, so that it is not looked for a moment before. */
const SLACK = 100

export interface Due {
  /** The last run that should have begun; null if all have. */
  readonly run: number | null
  readonly tooManyMissed: boolean
}

/** `since`: runs before are not wanted any more, although none happened. */
export function dueRun(cronJob: CronJob, schedule: Schedule, now: number, since = 0): Due {
  const { startingDeadlineSeconds: seconds } = cronJob.spec
  const deadline = seconds === undefined ? 0 : now - seconds * 1000
  return lastRun(schedule, Math.max(lastOf(cronJob), since, deadline), now)
}

/** Milliseconds until the next run; null if there is none. Runs "@every" so often are counted from the last. */
export function untilNext(cronJob: CronJob, schedule: Schedule, now: number): number | null {
  const last = lastOf(cronJob)
  const next = schedule.next(lastRun(schedule, last, now).run ?? last)
  return next === null ? null : next + SLACK - now
}

function lastOf({ metadata, status }: CronJob): number {
  return Date.parse(status.lastScheduleTime ?? metadata.creationTimestamp)
}

function lastRun(schedule: Schedule, after: number, now: number): Due {
  const first = schedule.next(after)
  if (first === null || first > now) return { run: null, tooManyMissed: false }
  const second = schedule.next(first)
  if (second === null || second > now) return { run: first, tooManyMissed: false }
  const step = second - first
  let run = latestStart(schedule, first, step, now)
  for (let next = schedule.next(run); next !== null && next <= now; next = schedule.next(next)) run = next
  return { run, tooManyMissed: Math.floor((now - first) / step) + 1 > MANY }
}

/** A run not long before the last one up to `now`: to look at each run of a year would take long. */
function latestStart(schedule: Schedule, first: number, step: number, now: number): number {
  for (let span = step; span < now - first; span *= 2) {
    const from = first + Math.floor((now - span - first) / step) * step
    const next = schedule.next(from)
    if (next !== null && next <= now) return next
  }
  return first
}
