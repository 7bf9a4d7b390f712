/** What is done from time to time: logs, ended containers, images, and what is left of pods that are gone. */
import { sleep } from '../../../base/clock.ts'
import type { Clock } from '../../../base/clock.ts'
import { messageOf } from '../../../base/errors.ts'
import { component } from '../../../base/lifecycle.ts'
import type { Component } from '../../../base/lifecycle.ts'
import type { Logger } from '../../../base/logger.ts'
import type { PodCgroups } from '../../cgroups/pod-cgroups.ts'
import type { Cri } from '../../runtime/cri.ts'
import type { PodCache } from '../pleg/pod-cache.ts'
import type { PodManager } from '../pods/pod-manager.ts'
import type { VolumeManager } from '../volumes/volume-manager.ts'
import { collectContainers } from './container-gc.ts'
import type { ImageGc } from './image-gc.ts'
import { rotateLogs } from './log-rotation.ts'
import type { LogRotationOptions } from './log-rotation.ts'

export interface HousekeepingDeps {
  readonly cri: Cri
  readonly cache: PodCache
  readonly clock: Clock
  readonly logger: Logger
  readonly pods: PodManager
  readonly volumes: VolumeManager
  readonly cgroups: PodCgroups
  readonly images: ImageGc
  /** Whether the API server has told of all its pods: before that, what seems left over may be wanted. */
  readonly synced: () => boolean
  readonly logRotation?: LogRotationOptions
}

const LOGS = 10_000
const CLEANING = 60_000

export function createHousekeeping(deps: HousekeepingDeps): Component {
  const { cri, cache, clock, logger, pods, volumes, cgroups, images } = deps

  const removeLeftovers = async () => {
    if (!deps.synced()) return
    pods.removeOrphans()
    const known = new Set(pods.workers.map(({ state }) => state.uid))
    for (const uid of await volumes.found()) {
      if (known.has(uid) || cache.get(uid)) continue
      await volumes.tearDown(uid)
      await volumes.remove(uid)
    }
    await cgroups.removeOthers(known)
    await cgroups.updateClasses(pods.active())
  }

  const every = async (ms: number, what: string, task: () => Promise<unknown>, signal: AbortSignal) => {
    while (!signal.aborted) {
      await sleep(clock, ms, signal).catch(() => undefined)
      if (signal.aborted) return
      await task().catch((error: unknown) => logger.warn(`${what} failed`, { error: messageOf(error) }))
    }
  }

  return component(async (stack, signal) => {
    const running = Promise.all([
      every(LOGS, 'log rotation', () => rotateLogs({ cri, cache, clock, logger }, deps.logRotation), signal),
      every(CLEANING, 'collecting containers', () => collectContainers({ cri, cache }), signal),
      every(CLEANING, 'collecting images', () => images.collect(), signal),
      every(CLEANING, 'removing leftovers', removeLeftovers, signal),
    ])
    stack.defer(async () => void (await running))
  })
}
