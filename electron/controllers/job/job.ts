/** Runs pods until so many have succeeded. Source: kubernetes `pkg/controller/job`. */
import { job as jobKind } from '../../api/batch/v1/job.ts'
import type { Job, JobStatus } from '../../api/batch/v1/types.gen.ts'
import { pod as podKind } from '../../api/core/v1/pod.ts'
import type { Pod } from '../../api/core/v1/types.gen.ts'
import { semanticEqual } from '../../api/values/equal.ts'
import { Expectations } from '../../machinery/expectations.ts'
import { hasFinalizer, isBeingDeleted, isControlledBy, keyOf, withFinalizer } from '../../machinery/object.ts'
import { selectorFromObject } from '../../machinery/selector/label-selector.ts'
import { defineController, watch, type Change, type Outcome } from '../runtime/controller.ts'
import { lookAgain } from '../runtime/look-again.ts'
import { claim } from '../workload/claim.ts'
import { candidatesFor, controlledBy, indexByController } from '../workload/indices.ts'
import { knownOwner, ownerKeys } from '../workload/owned-pods.ts'
import { OwnWrites } from '../workload/own-writes.ts'
import { createPodControl } from '../workload/pod-control.ts'
import { isFinished } from './finished.ts'
import { createJobPods, type Carried } from './job-pods.ts'
import { isManagedElsewhere } from './managed-by.ts'
import { observe, type View } from './observe.ts'
import { releaseOrphan } from './orphans.ts'
import { planPods } from './plan.ts'
import { afterEnds, NO_FAILURES, type FailureRow } from './pod-backoff.ts'
import { TRACKING } from './pod-facts.ts'
import { countsOf, started, withAnnouncement, withCounts, withEnd, withSuspension } from './status.ts'
import { account, hasNotes, settle } from './tracking.ts'
import { completionOf, finalType, untilDeadline, verdictOf, type Verdict } from './verdict.ts'

/** Before the key of a pod that may be an orphan; no namespace contains a slash. */
const POD = 'pod/'

export const jobController = defineController({
  name: 'job-controller',
  create(context) {
    const { client, clock, informers, events } = context
    const jobs = informers.for(jobKind)
    const pods = informers.for(podKind)
    indexByController(pods)
    const expectations = new Expectations(clock)
    /** By the uid of the job. */
    const rows = new Map<string, FailureRow>()
    const written = new OwnWrites()
    const losing = new Set<string>()
    const jobPods = createJobPods({ client, control: createPodControl(context), expectations, losing })
    const owners = { kind: jobKind, owners: jobs, selectorOf, expectations }
    const concerned = ownerKeys(owners)

    const orphanKeys = (job: Job) =>
      controlledBy(pods, job.metadata.uid)
        .filter((pod) => hasFinalizer(pod, TRACKING))
        .map((pod) => POD + keyOf(pod))

    const jobChanged = ({ type, object }: Change<Job>): string[] => {
      if (type === 'delete') {
        expectations.forget(keyOf(object))
        rows.delete(object.metadata.uid)
        written.forget(object)
      } else if (!isFinished(object) || isManagedElsewhere(object)) return [keyOf(object)]
      return [keyOf(object), ...orphanKeys(object)]
    }

    const podChanged = (change: Change<Pod>): Iterable<string> => {
      const { object: pod } = change
      const tracked = change.type !== 'delete' && hasFinalizer(pod, TRACKING)
      if (!tracked) losing.delete(pod.metadata.uid)
      const keys = concerned(change)
      const owner = knownOwner(pod, owners)
      if (tracked && (!owner || isFinished(owner))) keys.add(POD + keyOf(pod))
      return keys
    }

    return {
      watches: [watch(jobs, jobChanged), watch(pods, podChanged)],
      async reconcile(key) {
        const [name = '', namespace, isPod] = key.split('/').reverse()
        if (isPod !== undefined) {
          const pod = pods.get(namespace, name)
          if (pod) await releaseOrphan(client, pod)
          return undefined
        }
        const job = jobs.get(namespace, name)
        if (!job || isManagedElsewhere(job) || isFinished(job)) return undefined
        // Pods that were counted since are counted no longer by themselves: an older status would have them replaced.
        return written.isBehind(job) ? undefined : sync(job)
      },
    }

    async function sync(job: Job): Promise<Outcome> {
      const { uid } = job.metadata
      const settled = expectations.satisfied(keyOf(job))
      // Before the pods are read: a pod that is seen without its finalizer meanwhile stands there with it still.
      const away = new Set(losing)
      const mine = await podsOf(job)
      const now = clock.now()
      const view = observe(started(job, now), mine, away)
      const row = rows.get(uid) ?? NO_FAILURES
      const acted = await act(view, afterEnds(row, view.newlySucceeded, view.newlyFailed), settled, now)
      const { verdict, event, carried } = acted
      const { status, release, whole } = account(view, withCounts(acted.status, carried.counts), verdict)
      const noted = await write(job, verdict ? withAnnouncement(status, verdict, now) : status)
      const among = (list: readonly Pod[]) => list.filter((pod) => release.includes(pod))
      rows.set(uid, afterEnds(row, among(view.newlySucceeded), among(view.newlyFailed)))
      if (event) events.event(job, 'Normal', event, `Job ${event.toLowerCase()}`)

      const { released, error } = await jobPods.release(release)
      const left = view.tracked.map(({ metadata }) => metadata.uid).filter((each) => !released.has(each))
      const counted = settle(noted.status, new Set(left))
      const ended = verdict && whole && error === undefined && !hasNotes(counted) && carried.counts.terminating === 0
      await write(noted, ended ? withEnd(counted, verdict, now) : counted)
      if (ended) tellEnd(noted, counted, verdict)
      if (error !== undefined || carried.error !== undefined) throw error ?? carried.error
      return ended ? undefined : lookAgain(acted.wait, expectations.untilSatisfied(keyOf(job)))
    }

    /** All that the selector selects; what was just adopted is tracked from now on. */
    async function podsOf(job: Job): Promise<Pod[]> {
      const selector = selectorOf(job)
      const finalizer = TRACKING
      const claims = { client, kind: podKind, owner: job, ownerKind: jobKind, selector, finalizer }
      const mine = await claim(candidatesFor(pods, job), claims)
      return mine.map((pod) =>
        isControlledBy(pod, job) ? pod : { ...pod, metadata: { ...pod.metadata, finalizers: withFinalizer(pod, TRACKING) } },
      )
    }

    /** Pods are ended if the job is at its end, else brought to the number that there should be. */
    async function act(view: View, row: FailureRow, settled: boolean, now: number): Promise<Acted> {
      const { job } = view
      const untouched: Carried = { counts: countsOf(view), error: undefined }
      const verdict = verdictOf(view, now)
      if (verdict) {
        const carried = settled ? await jobPods.endAll(view) : untouched
        // Pods that are left, or that are not seen yet, must end before the end is announced.
        const sure = settled && carried.counts.active === 0
        return { verdict: sure ? verdict : null, carried, status: job.status, event: null, wait: null }
      }
      const manages = settled && !isBeingDeleted(job)
      const plan = manages ? planPods(view, row, now) : null
      const carried = plan ? await jobPods.carryOut(view, plan) : untouched
      const complete = completionOf(view, carried.counts.active)
      const { status, event } = manages && !complete ? withSuspension(job.status, job, now) : { status: job.status, event: null }
      const waits = [plan?.wait, untilDeadline(job, now)].filter((wait) => typeof wait === 'number')
      return { verdict: complete, carried, status, event, wait: waits.length > 0 ? Math.min(...waits) : null }
    }

    async function write(job: Job, status: JobStatus): Promise<Job> {
      if (semanticEqual(status, job.status)) return job
      const updated = await client.update(jobKind, { ...job, status }, { subresource: 'status' })
      written.wrote(updated)
      return updated
    }

    function tellEnd(job: Job, { succeeded = 0 }: JobStatus, verdict: Verdict): void {
      if (finalType(verdict) === 'Failed') return events.event(job, 'Warning', verdict.reason, verdict.message)
      if (job.spec.completions !== undefined && succeeded > job.spec.completions) {
        const text = 'Too many succeeded pods running after completion count reached'
        events.event(job, 'Warning', 'TooManySucceededPods', text)
      }
      events.event(job, 'Normal', 'Completed', 'Job completed')
    }
  },
})

interface Acted {
  readonly verdict: Verdict | null
  readonly carried: Carried
  readonly status: JobStatus
  readonly event: 'Suspended' | 'Resumed' | null
  /** Milliseconds until the job is to be looked at again. */
  readonly wait: number | null
}

function selectorOf({ spec }: Job) {
  return selectorFromObject(spec.selector)
}
