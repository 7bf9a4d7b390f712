/** The stages of a pod's life on this node, put together from the parts that do the work. */
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '../../../base/clock.ts'
import type { PodCgroups } from '../../cgroups/pod-cgroups.ts'
import type { Cri } from '../../runtime/cri.ts'
import { hasCode } from '../../runtime/runtime-error.ts'
import type { Backoff } from '../backoff.ts'
import type { ImagePuller } from '../images/image-puller.ts'
import type { NodeFacts } from '../node/node-facts.ts'
import type { PodObjects } from '../objects/pod-objects.ts'
import type { PodCache } from '../pleg/pod-cache.ts'
import { isStopped } from '../pleg/runtime-pod.ts'
import type { ProbeManager } from '../probes/probe-manager.ts'
import { isEnd, podStatus, rejectedStatus, terminatedStatus } from '../status/pod-status.ts'
import type { StatusManager } from '../status/status-manager.ts'
import type { Killer } from '../sync/killer.ts'
import type { PodSyncer } from '../sync/pod-syncer.ts'
import type { TokenCache } from '../volumes/tokens.ts'
import type { VolumeManager } from '../volumes/volume-manager.ts'
import type { Allocations } from './allocations.ts'
import { podLogDirectory } from './names.ts'
import type { PodState } from './pod-state.ts'
import type { PodStages } from './pod-worker.ts'

export interface StagesDeps {
  readonly cri: Cri
  readonly clock: Clock
  readonly cache: PodCache
  readonly syncer: PodSyncer
  readonly killer: Killer
  readonly statuses: StatusManager
  readonly probes: ProbeManager
  readonly volumes: VolumeManager
  readonly cgroups: PodCgroups
  readonly objects: PodObjects
  readonly tokens: TokenCache
  readonly images: ImagePuller
  readonly backoff: Backoff
  readonly allocations: Allocations
  readonly node: () => NodeFacts
}

const DEADLINE = {
  reason: 'DeadlineExceeded',
  message: 'Pod was active on the node longer than the specified deadline',
}

export function createPodStages(deps: StagesDeps): PodStages {
  const { cri, clock, cache, syncer, killer, statuses, probes, volumes, cgroups, objects, tokens, images, backoff, allocations } = deps

  /** Nothing is told of a pod before the runtime was asked: one that ran before a restart would look as if it had never begun. */
  const seen = async ({ uid }: PodState) => {
    if (!cache.knows(uid)) await cache.refresh(uid)
  }

  const publish = (state: PodState, isTerminal: boolean) => {
    const { pod, uid, waiting, failure, conditions } = state
    const common = { pod, runtime: cache.get(uid), previous: state.status, waiting, readiness: probes, failure, conditions }
    state.status = podStatus({ ...common, isTerminal, hostIPs: deps.node().hostIPs, now: clock.now() })
    statuses.set(pod, state.status)
  }

  /** Milliseconds until the pod must end; null without a deadline. */
  const untilDeadline = ({ pod, startedAt }: PodState): number | null => {
    const seconds = pod.spec.activeDeadlineSeconds
    return seconds === undefined || startedAt === null ? null : startedAt + seconds * 1000 - clock.now()
  }

  return {
    tell: (state) => {
      if (state.rejected || isEnd(state.status.phase)) statuses.set(state.pod, state.status)
      else publish(state, false)
    },

    async run(state, signal) {
      await seen(state)
      // What probes said before a restart counts from the first status on.
      if (cache.get(state.uid)) probes.add(state.pod)
      publish(state, false)
      if (isEnd(state.status.phase)) return 'end'
      const left = untilDeadline(state)
      if (left !== null && left <= 0) {
        state.failure = DEADLINE
        return 'end'
      }
      try {
        const next = await syncer.sync(state, signal)
        return left === null ? next : Math.min(next, Math.max(1, left))
      } finally {
        if (!signal.aborted) publish(state, false)
      }
    },

    async end(state, signal) {
      const { uid } = state
      probes.stopLivenessAndStartup(uid)
      await seen(state)
      if (!state.removed && !state.rejected) publish(state, false)
      const runtime = await cache.refresh(uid)
      if (runtime) await killer.killPod(state.pod, runtime, { signal, grace: state.failureGrace })
      if (!isStopped(await cache.refresh(uid))) throw new Error('containers still run after they were stopped')
      probes.remove(uid)
    },

    async release(state) {
      const { uid, pod } = state
      await volumes.tearDown(uid)
      if (!(await cgroups.remove(pod))) throw new Error('processes are left in the group of a pod that has ended')
      tokens.forget(uid)
      images.forget(uid)
      objects.unregister(uid)
      backoff.forgetAll(`${uid}/`)
      if (state.removed) return
      if (state.rejected && state.failure) state.status = rejectedStatus(pod, state.failure, clock.now())
      else {
        publish(state, true)
        state.status = terminatedStatus(pod, state.status)
      }
      statuses.release(pod, state.status)
    },

    async clear(state) {
      const { uid, pod } = state
      const runtime = await cache.refresh(uid)
      for (const { id } of runtime?.containers ?? []) await ignoreMissing(() => cri.removeContainer(id))
      for (const { id } of runtime?.sandboxes ?? []) await ignoreMissing(() => cri.removeSandbox(id))
      await cache.refresh(uid)
      await volumes.remove(uid)
      await rm(join(deps.node().logRoot, podLogDirectory(pod)), { recursive: true, force: true })
      await allocations.forget(uid)
      statuses.forget(uid)
    },
  }
}

async function ignoreMissing(remove: () => Promise<void>): Promise<void> {
  try {
    await remove()
  } catch (error) {
    if (!hasCode(error, 'NotFound')) throw error
  }
}
