/** Starts jobs at set times. Source: kubernetes `pkg/controller/cronjob` (version 2). */
import { cronJob as cronJobKind } from '../../api/batch/v1/cron-job.ts'
import { isTimeZone } from '../../api/batch/v1/cron-schedule.ts'
import { job as jobKind } from '../../api/batch/v1/job.ts'
import type { CronJob, Job } from '../../api/batch/v1/types.gen.ts'
import { goQuote } from '../../api/values/field-error.ts'
import { semanticEqual } from '../../api/values/equal.ts'
import { formatTime } from '../../api/values/time.ts'
import { isAbort } from '../../base/async.ts'
import { messageOf } from '../../base/errors.ts'
import { isBeingDeleted, isControlledBy, keyOf, splitKey } from '../../machinery/object.ts'
import { hasReason } from '../../machinery/status.ts'
import { endingOf, isFinished } from '../job/finished.ts'
import { defineController, watch, type Change, type Outcome } from '../runtime/controller.ts'
import { controllerKeys } from '../runtime/watches.ts'
import { controlledBy, indexByController } from '../workload/indices.ts'
import { OwnWrites } from '../workload/own-writes.ts'
import { isNamespaceEnding } from '../workload/pod-control.ts'
import { isActive, withActive, withoutActive, withSuccess } from './active.ts'
import { dueRun, untilNext } from './due.ts'
import { superfluousJobs } from './history.ts'
import { jobFor, jobName } from './job-template.ts'
import { parseSchedule, type Schedule } from './schedule.ts'

/** A CronJob on its way to its new status. */
interface Progress {
  readonly cronJob: CronJob
  /** Milliseconds until it is to be looked at again; null: when something changes. */
  readonly wait: number | null
}

export const cronJobController = defineController({
  name: 'cronjob-controller',
  create(context) {
    const { client, clock, informers, events } = context
    const cronJobs = informers.for(cronJobKind)
    const jobs = informers.for(jobKind)
    indexByController(jobs)
    const written = new OwnWrites()
    /** When the schedule was last changed, by uid: a run that the new one would have had before is not made up for. */
    const changes = new Map<string, number>()

    const cronJobChanged = ({ type, object, old }: Change<CronJob>): string[] => {
      const { uid } = object.metadata
      if (type === 'delete') {
        written.forget(object)
        changes.delete(uid)
      } else if (old && (old.spec.schedule !== object.spec.schedule || old.spec.timeZone !== object.spec.timeZone)) {
        changes.set(uid, clock.now())
      }
      return [keyOf(object)]
    }

    return {
      watches: [watch(cronJobs, cronJobChanged), watch(jobs, controllerKeys(cronJobKind))],
      async reconcile(key) {
        const { namespace, name } = splitKey(key)
        const cronJob = cronJobs.get(namespace, name)
        if (!cronJob || written.isBehind(cronJob)) return undefined
        const mine = controlledBy(jobs, cronJob.metadata.uid)
        let current = await withoutMissing(noteEnds(cronJob, mine), mine)
        let outcome: Outcome
        try {
          const started = await runIfDue(current)
          current = started.cronJob
          outcome = started.wait === null ? undefined : { requeueAfter: started.wait }
          for (const job of superfluousJobs(current, mine)) current = await remove(current, job)
        } catch (error) {
          await write(cronJob, current)
          throw error
        }
        await write(cronJob, current)
        return outcome
      },
    }

    function noteEnds(cronJob: CronJob, mine: readonly Job[]): CronJob {
      let current = cronJob
      for (const job of mine) {
        const { name, uid } = job.metadata
        const ending = endingOf(job)
        if (!ending && !isActive(cronJob, job)) {
          const text = `Saw a job that the controller did not create or forgot: ${name}`
          events.event(cronJob, 'Warning', 'UnexpectedJob', text)
        } else if (ending && isActive(cronJob, job)) {
          events.event(cronJob, 'Normal', 'SawCompletedJob', `Saw completed job: ${name}, condition: ${ending}`)
          current = withoutActive(current, uid)
        }
        if (ending === 'Complete') current = withSuccess(current, job)
      }
      return current
    }

    /** Jobs that are not in the copy here may be too new for it, so the server is asked. */
    async function withoutMissing(cronJob: CronJob, mine: readonly Job[]): Promise<CronJob> {
      let current = cronJob
      for (const { name = '', namespace, uid } of cronJob.status.active ?? []) {
        if (mine.some(({ metadata }) => metadata.uid === uid)) continue
        const job = await find({ name, namespace })
        if (job && job.metadata.uid === uid) continue
        events.event(cronJob, 'Normal', 'MissingJob', `Active job went missing: ${name}`)
        current = withoutActive(current, uid)
      }
      return current
    }

    async function find(at: { readonly name: string; readonly namespace: string | undefined }): Promise<Job | null> {
      try {
        return await client.get(jobKind, at)
      } catch (error) {
        if (hasReason(error, 'NotFound')) return null
        throw error
      }
    }

    async function runIfDue(cronJob: CronJob): Promise<Progress> {
      const schedule = isBeingDeleted(cronJob) || cronJob.spec.suspend ? null : scheduleOf(cronJob)
      if (!schedule) return { cronJob, wait: null }
      const now = clock.now()
      const { run, tooManyMissed } = dueRun(cronJob, schedule, now, changes.get(cronJob.metadata.uid))
      if (tooManyMissed) {
        const text = 'too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew'
        events.event(cronJob, 'Warning', 'TooManyMissedTimes', text)
      }
      const after = run !== null && mayRun(cronJob, run, now) ? await startRun(cronJob, run) : cronJob
      return { cronJob: after, wait: untilNext(after, schedule, now) }
    }

    function scheduleOf(cronJob: CronJob): Schedule | null {
      const { schedule, timeZone } = cronJob.spec
      if (timeZone !== undefined && !isTimeZone(timeZone)) {
        events.event(cronJob, 'Warning', 'UnknownTimeZone', `invalid timeZone: ${goQuote(timeZone)}: unknown time zone ${timeZone}`)
        return null
      }
      try {
        return parseSchedule(schedule, timeZone)
      } catch (error) {
        events.event(cronJob, 'Warning', 'UnparseableSchedule', `unparseable schedule: ${goQuote(schedule)} : ${messageOf(error)}`)
        return null
      }
    }

    function mayRun(cronJob: CronJob, run: number, now: number): boolean {
      const { startingDeadlineSeconds: seconds, concurrencyPolicy } = cronJob.spec
      const { active = [], lastScheduleTime } = cronJob.status
      if (seconds !== undefined && run + seconds * 1000 < now) {
        const text = `Missed scheduled time to start a job: ${new Date(run).toUTCString().replace('GMT', '+0000')}`
        events.event(cronJob, 'Warning', 'MissSchedule', text)
        return false
      }
      if (active.some(({ name }) => name === jobName(cronJob, run)) || (lastScheduleTime && Date.parse(lastScheduleTime) === run))
        return false
      if (concurrencyPolicy === 'Forbid' && active.length > 0) {
        const text = 'Not starting job because prior execution is running and concurrency policy is Forbid'
        events.event(cronJob, 'Normal', 'JobAlreadyActive', text)
        return false
      }
      return true
    }

    async function startRun(cronJob: CronJob, run: number): Promise<CronJob> {
      let current = cronJob
      if (cronJob.spec.concurrencyPolicy === 'Replace') {
        for (const { name = '', namespace, uid } of cronJob.status.active ?? []) {
          const job = await find({ name, namespace })
          current = job && job.metadata.uid === uid ? await remove(current, job) : withoutActive(current, uid)
        }
      }
      const job = await createJob(current, run)
      if (!job) return current
      const active = isFinished(job) ? current : withActive(current, job)
      return { ...active, status: { ...active.status, lastScheduleTime: formatTime(run) } }
    }

    /** Null if it is another's, or the namespace is ending. */
    async function createJob(cronJob: CronJob, run: number): Promise<Job | null> {
      try {
        const job = await client.create(jobKind, jobFor(cronJob, run))
        events.event(cronJob, 'Normal', 'SuccessfulCreate', `Created job ${job.metadata.name}`)
        return job
      } catch (error) {
        if (isNamespaceEnding(error)) return null
        if (hasReason(error, 'AlreadyExists')) {
          const job = await find({ name: jobName(cronJob, run), namespace: cronJob.metadata.namespace })
          return job && isControlledBy(job, cronJob) ? job : null
        }
        if (!isAbort(error)) events.event(cronJob, 'Warning', 'FailedCreate', `Error creating job: ${messageOf(error)}`)
        throw error
      }
    }

    async function remove(cronJob: CronJob, { metadata }: Job): Promise<CronJob> {
      try {
        await client.delete(jobKind, metadata, { propagationPolicy: 'Background', preconditions: { uid: metadata.uid } })
        events.event(cronJob, 'Normal', 'SuccessfulDelete', `Deleted job ${metadata.name}`)
      } catch (error) {
        if (!hasReason(error, 'NotFound')) {
          if (!isAbort(error)) events.event(cronJob, 'Warning', 'FailedDelete', `Deleted job: ${messageOf(error)}`)
          throw error
        }
      }
      return withoutActive(cronJob, metadata.uid)
    }

    async function write(before: CronJob, { status }: CronJob): Promise<void> {
      if (semanticEqual(status, before.status)) return
      written.wrote(await client.update(cronJobKind, { ...before, status }, { subresource: 'status' }))
    }
  },
})
