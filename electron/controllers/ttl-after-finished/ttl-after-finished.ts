/** Deletes jobs some time after they ended, where they say so. Source: kubernetes `pkg/controller/ttlafterfinished`. */
import { job as jobKind } from '../../api/batch/v1/job.ts'
import type { Job } from '../../api/batch/v1/types.gen.ts'
import { isBeingDeleted, splitKey } from '../../machinery/object.ts'
import { endedAt } from '../job/finished.ts'
import { defineController, watch } from '../runtime/controller.ts'
import { itself } from '../runtime/watches.ts'

export const ttlAfterFinishedController = defineController({
  name: 'ttl-after-finished-controller',
  create({ client, clock, informers }) {
    const jobs = informers.for(jobKind)
    return {
      watches: [watch(jobs, itself)],
      async reconcile(key) {
        const { namespace, name } = splitKey(key)
        const job = jobs.get(namespace, name)
        const wait = job ? untilExpiry(job, clock.now()) : null
        if (wait === null) return undefined
        if (wait > 0) return { requeueAfter: wait }
        // The time to live may have been changed at the last moment.
        const fresh = await client.get(jobKind, { namespace, name })
        const left = untilExpiry(fresh, clock.now())
        if (left !== 0) return left === null ? undefined : { requeueAfter: left }
        const { uid, resourceVersion } = fresh.metadata
        await client.delete(jobKind, fresh.metadata, { propagationPolicy: 'Foreground', preconditions: { uid, resourceVersion } })
        return undefined
      },
    }
  },
})

/** Milliseconds; null for a job that stays, has not ended, or goes already. */
function untilExpiry(job: Job, now: number): number | null {
  const { ttlSecondsAfterFinished: seconds } = job.spec
  const ended = endedAt(job)
  if (seconds === undefined || ended === null || isBeingDeleted(job)) return null
  return Math.max(0, ended + seconds * 1000 - now)
}
