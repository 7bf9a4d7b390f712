/** Creates, removes and lets go of a job's pods. Source: kubernetes `pkg/controller/job` manageJob, deleteJobPods. */
import { pod as podKind } from '../../api/core/v1/pod.ts'
import type { Pod } from '../../api/core/v1/types.gen.ts'
import type { Client } from '../../client/client.ts'
import type { Expectations } from '../../machinery/expectations.ts'
import { hasFinalizer, keyOf } from '../../machinery/object.ts'
import { hasReason } from '../../machinery/status.ts'
import { isNamespaceEnding, type PodControl } from '../workload/pod-control.ts'
import { isPodReady } from '../workload/pod-state.ts'
import { slowStart } from '../workload/slow-start.ts'
import type { View } from './observe.ts'
import type { PodPlan } from './plan.ts'
import { TRACKING } from './pod-facts.ts'
import { podOfJob } from './pod-template.ts'
import { countsOf, type PodCounts } from './status.ts'

export interface JobPodsDeps {
  readonly client: Client
  readonly control: PodControl
  readonly expectations: Expectations
  /** Uids of pods whose finalizer is being taken off and that have not been seen without it. */
  readonly losing: Set<string>
}

export interface Carried {
  readonly counts: Required<PodCounts>
  /** The first failure. */
  readonly error: unknown
}

export interface JobPods {
  carryOut(view: View, plan: PodPlan): Promise<Carried>
  /** Ends all that run. They keep their finalizers until they are counted. */
  endAll(view: View): Promise<Carried>
  /** Takes the finalizer off; returns uids of those that have it no longer. */
  release(pods: readonly Pod[]): Promise<{ readonly released: ReadonlySet<string>; readonly error: unknown }>
}

export function createJobPods({ client, control, expectations, losing }: JobPodsDeps): JobPods {
  const untrack = async ({ metadata }: Pod): Promise<void> => {
    losing.add(metadata.uid)
    try {
      await client.patch(podKind, metadata, { type: 'strategic', body: untracking(metadata.uid) })
    } catch (error) {
      if (hasReason(error, 'NotFound')) return
      losing.delete(metadata.uid)
      throw error
    }
  }

  const remove = async (view: View, pods: readonly Pod[], before: (pod: Pod) => Promise<void>): Promise<Carried> => {
    const key = keyOf(view.job)
    expectations.expectDeletions(
      key,
      pods.map(({ metadata }) => metadata.uid),
    )
    const counts = countsOf(view)
    const results = await Promise.allSettled(
      pods.map(async (pod) => {
        let deleted = false
        try {
          await before(pod)
          deleted = await control.delete(view.job, pod)
          counts.active--
          counts.ready -= isPodReady(pod) ? 1 : 0
          counts.terminating += deleted ? 1 : 0
        } finally {
          if (!deleted) expectations.deletionObserved(key, pod.metadata.uid)
        }
      }),
    )
    return { counts, error: results.find((result) => result.status === 'rejected')?.reason }
  }

  const add = async (view: View, indexes: readonly (number | null)[]): Promise<Carried> => {
    const { job } = view
    const key = keyOf(job)
    const counts = countsOf(view)
    expectations.expectCreations(key, indexes.length)
    const { begun, error } = await slowStart(indexes.length, async (i) => {
      const index = indexes[i] ?? null
      try {
        await control.create(job, podOfJob(job, index, index === null ? undefined : view.indexes?.kept.get(index)))
        counts.active++
      } catch (refused) {
        expectations.creationObserved(key)
        if (!isNamespaceEnding(refused)) throw refused
      }
    })
    for (let i = begun; i < indexes.length; i++) expectations.creationObserved(key)
    return { counts, error }
  }

  return {
    async carryOut(view, plan) {
      // Whoever is removed because it is one too many neither succeeded nor failed.
      if (plan.remove.length > 0)
        return remove(view, plan.remove, (pod) => (hasFinalizer(pod, TRACKING) ? untrack(pod) : Promise.resolve()))
      return plan.add.length > 0 ? add(view, plan.add) : { counts: countsOf(view), error: undefined }
    },
    endAll: (view) => remove(view, view.active, () => Promise.resolve()),
    async release(pods) {
      const results = await Promise.allSettled(pods.map(untrack))
      const released = pods.filter((_, i) => results[i]?.status === 'fulfilled').map(({ metadata }) => metadata.uid)
      return { released: new Set(released), error: results.find((result) => result.status === 'rejected')?.reason }
    },
  }
}

export function untracking(uid: string, resourceVersion?: string) {
  const version = resourceVersion === undefined ? {} : { resourceVersion }
  return { metadata: { uid, ...version, '$deleteFromPrimitiveList/finalizers': [TRACKING] } }
}
