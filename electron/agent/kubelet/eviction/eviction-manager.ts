/** Ends pods before the node itself fails for lack of memory or disk. Source: kubernetes `kubelet/eviction`. */
import { join } from 'node:path'
import { sleep } from '../../../base/clock.ts'
import type { Clock } from '../../../base/clock.ts'
import { messageOf } from '../../../base/errors.ts'
import { component } from '../../../base/lifecycle.ts'
import type { Component } from '../../../base/lifecycle.ts'
import type { Logger } from '../../../base/logger.ts'
import type { Pod } from '../../../api/core/v1/types.gen.ts'
import { formatQuantity, quantityOf } from '../../../api/values/quantity.ts'
import type { Cri } from '../../runtime/cri.ts'
import { folderBytes } from '../../stats/volume-usage.ts'
import type { UsageSampler } from '../../stats/usage-sampler.ts'
import { podReference } from '../events.ts'
import type { EventSink } from '../events.ts'
import { collectContainers } from '../gc/container-gc.ts'
import type { ImageGc } from '../gc/image-gc.ts'
import { shortages } from '../node/pressure.ts'
import type { Signals } from '../node/pressure.ts'
import type { PodCache } from '../pleg/pod-cache.ts'
import { findContainer } from '../pleg/runtime-pod.ts'
import { podLogDirectory } from '../pods/names.ts'
import type { PodManager } from '../pods/pod-manager.ts'
import type { PodWorker } from '../pods/pod-worker.ts'
import { withCondition } from '../sync/resizer.ts'
import type { VolumeManager } from '../volumes/volume-manager.ts'
import { countedVolumes, exceededLimit, hasLocalLimits } from './local-storage.ts'
import { isCritical, rank } from './rank.ts'
import type { Candidate } from './rank.ts'

export interface EvictionDeps {
  readonly cri: Cri
  readonly cache: PodCache
  readonly clock: Clock
  readonly logger: Logger
  readonly events: EventSink
  readonly pods: PodManager
  readonly volumes: VolumeManager
  readonly images: ImageGc
  readonly sampler: UsageSampler
  /** Measured now. */
  readonly signals: () => Promise<Signals>
  readonly logRoot: () => string
}

const LOOK = 10_000
/** Looks at pods' own limits, which means reading their folders, come more rarely. */
const LIMITS_EVERY = 3
/** Seconds that a pod has when the node cannot wait. */
const GRACE = 1

export function createEvictionManager(deps: EvictionDeps): Component {
  const manager = new EvictionManager(deps)
  const run = async (signal: AbortSignal) => {
    for (let looks = 0; !signal.aborted; looks++) {
      await sleep(deps.clock, LOOK, signal).catch(() => undefined)
      if (signal.aborted) return
      try {
        if (looks % LIMITS_EVERY === 0) await manager.enforceLimits()
        await manager.relieve()
      } catch (error) {
        deps.logger.warn('the node could not be relieved', { error: messageOf(error) })
      }
    }
  }
  return component(async (stack, signal) => {
    const running = run(signal)
    stack.defer(() => running)
  })
}

export class EvictionManager {
  readonly #deps: EvictionDeps

  constructor(deps: EvictionDeps) {
    this.#deps = deps
  }

  /** Ends pods that take more of the disk than they may. */
  async enforceLimits(): Promise<void> {
    for (const worker of this.#running()) {
      const { pod } = worker.state
      if (!hasLocalLimits(pod) || isCritical(pod)) continue
      const exceeded = exceededLimit(pod, await this.#localUsage(pod))
      if (exceeded !== null) this.#evict(worker, exceeded)
    }
  }

  /** Frees what is short: first what nobody uses, then one pod at a time. */
  async relieve(): Promise<void> {
    const { cri, cache, images, signals } = this.#deps
    let now = await signals()
    let short = shortages(now)
    if (short.has('disk')) {
      await collectContainers({ cri, cache })
      await images.collect(true)
      now = await signals()
      short = shortages(now)
    }
    const resource = short.has('memory') ? 'memory' : short.has('disk') ? 'ephemeral-storage' : null
    if (resource === null) return
    const [victim] = rank(await this.#candidates(resource), resource)
    const worker = victim && this.#deps.pods.get(victim.pod.metadata.uid)
    if (!worker) return
    const message = shortageMessage(victim, resource, now)
    this.#evict(worker, message)
  }

  #running(): PodWorker[] {
    return this.#deps.pods.workers.filter(({ stage, state }) => stage === 'running' && !state.mustEnd)
  }

  async #candidates(resource: 'memory' | 'ephemeral-storage'): Promise<Candidate[]> {
    const usages = await this.#deps.sampler.measure()
    const all = this.#running().map(async ({ state: { pod, uid } }): Promise<Candidate> => {
      if (resource === 'ephemeral-storage') {
        const { containers, volumes } = await this.#localUsage(pod)
        const usage = [...containers.values(), ...volumes.values()].reduce((a, b) => a + b, 0)
        return { pod, usage, containers }
      }
      const runtime = this.#deps.cache.get(uid)
      const of = (name: string) => usages.get(findContainer(runtime, name)?.id ?? '')?.workingSetBytes ?? 0
      const containers = new Map(pod.spec.containers.map(({ name }) => [name, of(name)]))
      return { pod, usage: [...containers.values()].reduce((a, b) => a + b, 0), containers }
    })
    return Promise.all(all)
  }

  async #localUsage(pod: Pod) {
    const { cache, sampler, volumes, logRoot } = this.#deps
    const { uid } = pod.metadata
    const usages = await sampler.measure()
    const runtime = cache.get(uid)
    const containers = new Map<string, number>()
    for (const { name } of pod.spec.containers) {
      const layer = usages.get(findContainer(runtime, name)?.id ?? '')?.diskBytes ?? 0
      containers.set(name, layer + (await folderBytes(join(logRoot(), podLogDirectory(pod), name))))
    }
    const folders = new Map<string, number>()
    for (const { name } of countedVolumes(pod)) {
      const mounted = volumes.mounted(uid, name)
      if (mounted) folders.set(name, await folderBytes(mounted.path))
    }
    return { containers, volumes: folders }
  }

  #evict(worker: PodWorker, message: string): void {
    const { state } = worker
    this.#deps.events.event(podReference(state.pod), 'Warning', 'Evicted', message)
    state.conditions = withCondition(state, { type: 'DisruptionTarget', status: 'True', reason: 'TerminationByKubelet', message })
    worker.fail('Evicted', message, GRACE)
  }
}

function shortageMessage({ pod, containers }: Candidate, resource: string, { memoryAvailable, nodeDisk }: Signals): string {
  const bytes = (value: number) => formatQuantity(quantityOf(Math.round(value), 'BinarySI'))
  const [threshold, available] = resource === 'memory' ? ['100Mi', bytes(memoryAvailable)] : ['10%', bytes(nodeDisk.available)]
  const head = `The node was low on resource: ${resource}. Threshold quantity: ${threshold}, available: ${available}. `
  const greedy = pod.spec.containers.flatMap(({ name, resources }) => {
    const used = containers.get(name) ?? 0
    const request = resources.requests?.[resource] ?? '0'
    return used > 0 ? [`Container ${name} was using ${bytes(used)}, request is ${request}, has larger consumption of ${resource}. `] : []
  })
  return head + greedy.join('')
}
