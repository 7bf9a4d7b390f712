/** The node's side of a kubelet: what it has, how it is, and what it tells of that. */
import { join } from 'node:path'
import { component, startIn, componentWith } from '../../base/lifecycle.ts'
import type { Component } from '../../base/lifecycle.ts'
import { messageOf } from '../../base/errors.ts'
import type { NodeStatus } from '../../api/core/v1/types.gen.ts'
import type { ImageInfo, RuntimeVersion } from '../runtime/cri-types.ts'
import type { KubeletDeps } from './kubelet-deps.ts'
import { allocatableOf, capacityOf, MAX_PODS } from './node/capacity.ts'
import type { CapacityInput } from './node/capacity.ts'
import { createLease } from './node/lease.ts'
import { memoryLimitOf } from './node/memory-limit.ts'
import { diskSpace, nodeInfo, readMachine } from './node/machine.ts'
import type { Machine } from './node/machine.ts'
import type { NodeFacts } from './node/node-facts.ts'
import { createNodeManager } from './node/node-manager.ts'
import type { NodeManager } from './node/node-manager.ts'
import { nodeStatus } from './node/node-status.ts'
import { PressureMemory, readSignals, shortages } from './node/pressure.ts'
import type { Pressure, Signals } from './node/pressure.ts'
import { createRuntimeHealth } from './runtime-health.ts'
import type { RuntimeHealthMonitor } from './runtime-health.ts'

export interface NodeParts extends Component {
  /** May be asked once it is ready. */
  facts(): NodeFacts
  readonly manager: NodeManager
  readonly health: RuntimeHealthMonitor
  readonly machine: Machine
  holds(pressure: Pressure): boolean
  /** What is left of memory, disk and process ids, measured now. */
  measure(): Promise<Signals>
  /** Folder of the disk that images are on. */
  imageDisk(): string
  /** Tells the cluster that the node goes, and why. */
  leave(why: string): Promise<void>
}

/** A relist that is older than this means that the runtime hangs. */
const PLEG_LIMIT = 3 * 60_000

export interface NodePartsDeps extends KubeletDeps {
  /** When all containers were last seen. */
  readonly lastRelist: () => number
}

export function createNodeParts(deps: NodePartsDeps): NodeParts {
  const { config, clock, logger, cri, client, events, checkpoints } = deps
  const health = createRuntimeHealth({ cri, clock })
  const pressure = new PressureMemory(clock)
  let machine: Machine | null = null
  let manager: NodeManager | null = null
  let capacity: CapacityInput | null = null
  let runtime: RuntimeVersion = { name: 'containerd', version: '' }
  let images: readonly ImageInfo[] = []
  let imageDisk = config.stateDir
  let startedAt = 0
  let leaving: string | null = null

  const measure = async (): Promise<Signals> => {
    const limit = config.memoryLimitBytes === undefined ? null : await memoryLimitOf(config.memoryLimitBytes)
    const signals = await readSignals({ state: config.stateDir, images: imageDisk }, limit)
    pressure.observe(shortages(signals))
    return signals
  }

  /** The rest of the node goes on when the runtime does not answer. */
  const look = async () => {
    await measure()
    if (health.runtimeFault !== null) return
    try {
      runtime = await cri.version()
      images = await cri.listImages()
    } catch (error) {
      logger.debug('the runtime did not tell its images', { error: messageOf(error) })
    }
  }

  const faults = (): string[] => {
    if (leaving !== null) return [leaving]
    const found = [health.runtimeFault, health.networkFault].filter((fault) => fault !== null)
    const silent = clock.now() - Math.max(deps.lastRelist(), startedAt)
    if (silent > PLEG_LIMIT)
      found.push(`PLEG is not healthy: pleg was last seen active ${Math.round(silent / 1000)}s ago; threshold is 3m0s`)
    return found
  }

  const status = async (previous: NodeStatus | undefined): Promise<NodeStatus> => {
    await look()
    return nodeStatus({
      nodeName: config.nodeName,
      nodeIPs: [config.nodeIP],
      capacity: capacityOf(ready(capacity)),
      allocatable: allocatableOf(ready(capacity)),
      nodeInfo: nodeInfo(ready(machine), runtime, deps.version),
      images,
      port: config.port,
      faults: faults(),
      holds: (kind) => pressure.holds(kind),
      previous: previous?.conditions ?? [],
      now: clock.now(),
    })
  }

  const base = component(async (stack, signal) => {
    startedAt = clock.now()
    machine = await readMachine(config.memoryLimitBytes)
    const disk = await diskSpace(config.stateDir)
    capacity = {
      cpus: machine.cpus,
      memoryBytes: machine.memoryBytes,
      diskBytes: disk.capacity,
      reserved: config.reserved ?? {},
      maxPods: MAX_PODS,
    }
    await startIn(stack, health, signal)
    const [filesystem] = await cri.imageFilesystems().catch(() => [])
    if (filesystem) imageDisk = filesystem.mountpoint
    const { nodeName, labels } = config
    const { architecture } = machine
    const node = createNodeManager({ client, clock, logger, events, checkpoints, nodeName, labels, architecture, status })
    manager = node
    await startIn(stack, node, signal)
    stack.use(health.changed.on(() => void node.update().catch(() => undefined)))
    await startIn(stack, createLease({ client, clock, logger, nodeName, node: () => node.node, reconnected: deps.reconnected }), signal)
  })

  return componentWith(base, {
    facts: () => ({
      nodeName: config.nodeName,
      hostIPs: [config.nodeIP],
      clusterDomain: config.clusterDomain,
      clusterDns: [config.dnsVip],
      memoryCapacity: ready(machine).memoryBytes,
      cgroupVersion: deps.cgroups.version,
      seccompDir: join(config.stateDir, 'seccomp'),
      logRoot: join(config.logDir, 'pods'),
      allocatable: allocatableOf(ready(capacity)),
    }),
    get manager() {
      return ready(manager)
    },
    get machine() {
      return ready(machine)
    },
    health,
    holds: (kind) => pressure.holds(kind),
    measure,
    imageDisk: () => imageDisk,
    async leave(why) {
      leaving = why
      await manager?.update()
    },
  })
}

function ready<T>(value: T | null): T {
  if (value === null) throw new Error('the node is asked before it is ready')
  return value
}
