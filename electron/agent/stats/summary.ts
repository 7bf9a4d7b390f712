/** /stats/summary of a kubelet. Source: k8s.io/kubelet stats/v1alpha1. */
import type { Clock } from '../../base/clock.ts'
import { formatTime } from '../../api/values/time.ts'
import { diskSpace } from '../kubelet/node/machine.ts'
import type { DiskSpace } from '../kubelet/node/machine.ts'
import type { PodCache } from '../kubelet/pleg/pod-cache.ts'
import { findContainer, readySandbox } from '../kubelet/pleg/runtime-pod.ts'
import type { PodManager } from '../kubelet/pods/pod-manager.ts'
import type { PodState } from '../kubelet/pods/pod-state.ts'
import { readNodeUsage } from './node-usage.ts'
import type { InterfaceUsage, NodeUsage } from './node-usage.ts'
import type { SandboxNetworks } from './sandbox-networks.ts'
import { speed } from './usage-sampler.ts'
import type { MeasuredUsage, UsageSampler } from './usage-sampler.ts'

export interface SummaryDeps {
  readonly nodeName: string
  readonly clock: Clock
  readonly pods: PodManager
  readonly cache: PodCache
  readonly sampler: UsageSampler
  readonly networks: SandboxNetworks
  /** Folders of the node's state and of images. */
  readonly disks: () => { readonly state: string; readonly images: string }
  readonly memoryCapacity: () => number
  /** Of the machine; for tests. */
  readonly readNode?: () => Promise<NodeUsage>
}

type Json = Record<string, unknown>

export class SummarySource {
  readonly #deps: SummaryDeps
  readonly #startedAt: number
  #node: { usage: NodeUsage; at: number; nanoCores: number | null } | null = null

  constructor(deps: SummaryDeps) {
    this.#deps = deps
    this.#startedAt = deps.clock.now()
  }

  async summary(): Promise<Json> {
    const { sampler, disks, pods } = this.#deps
    const [usages, node, state, images] = await Promise.all([
      sampler.measure(),
      this.node(),
      diskSpace(disks().state),
      diskSpace(disks().images),
    ])
    const running = pods.workers.filter(({ stage }) => stage === 'running' || stage === 'ending')
    return {
      node: this.#nodeJson(node, state, images),
      pods: await Promise.all(running.map((worker) => this.#podJson(worker.state, usages))),
    }
  }

  /** What the machine uses, with the speed since it was asked before. */
  async node(): Promise<NodeUsage & { readonly at: number; readonly nanoCores: number | null }> {
    const usage = await (this.#deps.readNode ?? readNodeUsage)()
    const at = this.#deps.clock.now()
    const before = this.#node
      ? { at: this.#node.at, cpuNanoSeconds: this.#node.usage.cpuNanoSeconds, nanoCores: this.#node.nanoCores }
      : undefined
    const nanoCores = speed({ at, cpuNanoSeconds: usage.cpuNanoSeconds }, before)
    // Asked again at once, the figure of before is as good.
    if (!before || at - before.at >= 1000) this.#node = { usage, at, nanoCores }
    return { ...usage, at, nanoCores }
  }

  #nodeJson(node: NodeUsage & { at: number; nanoCores: number | null }, state: DiskSpace, images: DiskSpace): Json {
    const time = formatTime(node.at)
    const capacity = this.#deps.memoryCapacity()
    return {
      nodeName: this.#deps.nodeName,
      startTime: formatTime(this.#startedAt),
      cpu: { time, ...(node.nanoCores === null ? {} : { usageNanoCores: node.nanoCores }), usageCoreNanoSeconds: node.cpuNanoSeconds },
      memory: {
        time,
        availableBytes: Math.max(0, capacity - node.workingSetBytes),
        usageBytes: node.memoryBytes,
        workingSetBytes: node.workingSetBytes,
        rssBytes: node.rssBytes,
      },
      network: networkJson(time, node.network),
      fs: diskJson(time, state),
      runtime: { imageFs: diskJson(time, images), containerFs: diskJson(time, images) },
    }
  }

  async #podJson(state: PodState, usages: ReadonlyMap<string, MeasuredUsage>): Promise<Json> {
    const { cache, networks } = this.#deps
    const { metadata, spec } = state.pod
    const runtime = cache.get(state.uid)
    const containers = [...spec.containers, ...(spec.initContainers ?? []), ...(spec.ephemeralContainers ?? [])].flatMap(({ name }) => {
      const container = findContainer(runtime, name)
      const usage = container?.state === 'running' ? usages.get(container.id) : undefined
      return container && usage ? [{ name, startedAt: container.startedAt, usage }] : []
    })
    const sandbox = readySandbox(runtime)
    const network = sandbox && !sandbox.hostNetwork ? await networks.read(sandbox.id) : null
    const time = formatTime(this.#deps.clock.now())
    const sum = (pick: (usage: MeasuredUsage) => number) => containers.reduce((total, { usage }) => total + pick(usage), 0)
    const measured = containers.every(({ usage }) => usage.nanoCores !== null)
    return {
      podRef: { name: metadata.name, namespace: metadata.namespace, uid: metadata.uid },
      startTime: state.status.startTime ?? time,
      containers: containers.map(({ name, startedAt, usage }) => containerJson(name, startedAt, usage)),
      cpu: {
        time,
        ...(measured ? { usageNanoCores: sum((u) => u.nanoCores ?? 0) } : {}),
        usageCoreNanoSeconds: sum((u) => u.cpuNanoSeconds),
      },
      memory: {
        time,
        usageBytes: sum((u) => u.memoryBytes),
        workingSetBytes: sum((u) => u.workingSetBytes),
        rssBytes: sum((u) => u.rssBytes),
      },
      ...(network ? { network: networkJson(time, network) } : {}),
      'ephemeral-storage': { time, usedBytes: sum((u) => u.diskBytes), inodesUsed: sum((u) => u.diskInodes) },
    }
  }
}

function containerJson(name: string, startedAt: number, usage: MeasuredUsage): Json {
  const time = formatTime(usage.at)
  return {
    name,
    startTime: formatTime(startedAt),
    cpu: { time, ...(usage.nanoCores === null ? {} : { usageNanoCores: usage.nanoCores }), usageCoreNanoSeconds: usage.cpuNanoSeconds },
    memory: {
      time,
      usageBytes: usage.memoryBytes,
      workingSetBytes: usage.workingSetBytes,
      rssBytes: usage.rssBytes,
      pageFaults: usage.pageFaults,
      majorPageFaults: usage.majorPageFaults,
    },
    rootfs: { time, usedBytes: usage.diskBytes, inodesUsed: usage.diskInodes },
  }
}

function networkJson(time: string, interfaces: readonly InterfaceUsage[]): Json {
  const all = interfaces.map(({ name, rxBytes, rxErrors, txBytes, txErrors }) => ({ name, rxBytes, rxErrors, txBytes, txErrors }))
  const main = all.find(({ name }) => name === 'eth0') ?? all[0]
  return { time, ...main, interfaces: all }
}

function diskJson(time: string, { capacity, available, inodes, inodesFree }: DiskSpace): Json {
  return {
    time,
    capacityBytes: capacity,
    availableBytes: available,
    usedBytes: capacity - available,
    inodes,
    inodesFree,
    inodesUsed: inodes - inodesFree,
  }
}
