/**
 * Simulated nodes, thousands in one process: one watch of nodes and one of pods for all of them. Each registers, gives signs of life,
 * takes the pods that are bound to it to running and ready and to their end, and writes no more than a real kubelet would. What runs in a
 * pod is said by its annotations or by `play` (`behaviour.ts`).
 */
import { node as nodeKind } from '../../electron/api/core/v1/node.ts'
import { pod as podKind } from '../../electron/api/core/v1/pod.ts'
import type { Pod, PodStatus } from '../../electron/api/core/v1/types.gen.ts'
import { statusPatch } from '../../electron/agent/kubelet/status/status-patch.ts'
import { isAbort } from '../../electron/base/async.ts'
import type { Clock } from '../../electron/base/clock.ts'
import { component, componentWith, type Component } from '../../electron/base/lifecycle.ts'
import type { Logger } from '../../electron/base/logger.ts'
import type { Random } from '../../electron/base/random.ts'
import type { Client } from '../../electron/client/client.ts'
import { createInformers } from '../../electron/client/informers.ts'
import { keyOf, splitKey } from '../../electron/machinery/object.ts'
import { exponentialLimiter } from '../../electron/machinery/rate-limiter.ts'
import { hasReason } from '../../electron/machinery/status.ts'
import { WorkQueue } from '../../electron/machinery/work-queue.ts'
import type { Play } from './behaviour.ts'
import { HollowNode, type NodeShape } from './hollow-node.ts'
import { HollowPod } from './hollow-pod.ts'

export interface HollowKubeletsDeps {
  /** Must be allowed what all nodes together are. */
  readonly client: Client
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly nodes: readonly NodeShape[]
  readonly play?: Play
  /** Milliseconds between signs of life; default 10 s as a kubelet's. Null: only the first. */
  readonly heartbeat?: number | null
  /** Whether nodes refuse pods that they have no room for, as kubelets do. Default: yes. */
  readonly admission?: boolean
}

export interface HollowKubelets extends Component {
  /** Another node registers. */
  add(shape: NodeShape): void
  /** The node's power is cut: its pods are as they were, and nobody speaks of them. */
  silence(name: string): void
  /** It has power again. `rebooted`: none of its containers outlived that. */
  wake(name: string, options?: { readonly rebooted?: boolean }): void
  /** For ever. Its object stays for others to delete. */
  remove(name: string): void
  /** Looks at every pod again: what `play` says has changed. */
  refresh(): void
}

const HEARTBEAT = 10_000
const WORKERS = 32

export function createHollowKubelets(deps: HollowKubeletsDeps): HollowKubelets {
  const { client, clock, random, logger, play = () => ({}), heartbeat = HEARTBEAT, admission = true } = deps
  const nodes = new Map<string, HollowNode>()
  const running = new Map<string, HollowPod>()
  const told = new Map<string, PodStatus>()
  const stopping = new AbortController()
  const { signal } = stopping
  const queue = new WorkQueue<string>({ clock, rateLimiter: exponentialLimiter(50, 10_000) })
  const informers = createInformers(client, { clock, logger, random })
  const nodeObjects = informers.for(nodeKind)
  const pods = informers.for(podKind, { fieldSelector: 'spec.nodeName!=' })
  pods.addIndex('node', ({ spec }) => [spec.nodeName ?? ''])
  let addresses = 0

  const add = (shape: NodeShape) => {
    if (nodes.has(shape.name)) throw new Error(`there is a simulated node ${shape.name} already`)
    const at = nodes.size + 1
    nodes.set(shape.name, new HollowNode(shape, `10.${192 + (at >> 16)}.${(at >> 8) & 255}.${at & 255}`, client, clock))
    queue.add(shape.name)
  }
  const refresh = (name?: string) => {
    for (const pod of name === undefined ? pods.list() : pods.byIndex('node', name)) queue.add(keyOf(pod))
  }
  const drop = (uid: string) => {
    running.get(uid)?.stop()
    running.delete(uid)
    told.delete(uid)
  }
  const address = () => {
    addresses++
    return `100.${64 + ((addresses >> 16) & 63)}.${(addresses >> 8) & 255}.${addresses & 255}`
  }

  const beaten = new Set<string>()
  /** Nodes that register together do not go on together. */
  const beat = async (node: HollowNode): Promise<number | null> => {
    await node.beat(nodeObjects.get(undefined, node.name), signal)
    if (heartbeat === null || beaten.has(node.name)) return heartbeat
    beaten.add(node.name)
    return heartbeat * random.float()
  }

  const sync = async (node: HollowNode, pod: Pod): Promise<number | null> => {
    const { uid } = pod.metadata
    let hollow = running.get(uid)
    if (!hollow) {
      hollow = new HollowPod(pod, { clock, play, hostIP: node.address, podIP: address(), changed: () => queue.add(keyOf(pod)) })
      running.set(uid, hollow)
    }
    const active = admission
      ? pods.byIndex('node', node.name).filter(({ status }) => status.phase !== 'Succeeded' && status.phase !== 'Failed')
      : null
    const { status, gone, wait } = hollow.step(pod, { node: nodeObjects.get(undefined, node.name), active })
    const patch = statusPatch(told.get(uid) ?? pod.status, status)
    if (patch) {
      await node.turn(signal)
      await client.patch(
        podKind,
        pod.metadata,
        { type: 'strategic', body: { metadata: { uid }, status: patch } },
        { subresource: 'status', signal },
      )
      told.set(uid, status)
    }
    if (gone) {
      await node.turn(signal)
      await client.delete(podKind, pod.metadata, { gracePeriodSeconds: 0, preconditions: { uid }, signal })
    }
    return wait
  }

  const look = (key: string): Promise<number | null> | null => {
    if (!key.includes('/')) {
      const node = nodes.get(key)
      return node && !node.silent ? beat(node) : null
    }
    const { namespace, name } = splitKey(key)
    const pod = pods.get(namespace, name)
    const node = pod && nodes.get(pod.spec.nodeName ?? '')
    return pod && node && !node.silent ? sync(node, pod) : null
  }

  const work = async () => {
    for (let key = await queue.get(); key !== undefined; key = await queue.get()) {
      try {
        const wait = (await look(key)) ?? null
        queue.forget(key)
        if (wait !== null) queue.addAfter(key, wait)
      } catch (error) {
        if (!isAbort(error) && !hasReason(error, 'NotFound', 'Conflict')) logger.warn('a simulated node met a fault', { key, error })
        queue.addRateLimited(key)
      } finally {
        queue.done(key)
      }
    }
  }

  for (const shape of deps.nodes) add(shape)
  const base = component(async (stack, starting) => {
    stack.use(informers)
    await informers.start(starting)
    stack.use(
      pods.on({
        add: (pod) => queue.add(keyOf(pod)),
        update: (pod) => queue.add(keyOf(pod)),
        delete: ({ metadata }) => drop(metadata.uid),
      }),
    )
    const workers = Array.from({ length: WORKERS }, work)
    stack.defer(async () => {
      stopping.abort(new DOMException('the simulated nodes are stopped', 'AbortError'))
      queue.close()
      for (const uid of [...running.keys()]) drop(uid)
      await Promise.all(workers)
    })
  })

  return componentWith(base, {
    add,
    silence(name) {
      const node = nodes.get(name)
      if (node) node.silent = true
    },
    wake(name, { rebooted = false } = {}) {
      const node = nodes.get(name)
      if (!node) return
      node.silent = false
      if (rebooted) for (const { metadata } of pods.byIndex('node', name)) running.get(metadata.uid)?.reboot()
      queue.add(name)
      refresh(name)
    },
    remove(name) {
      for (const { metadata } of pods.byIndex('node', name)) drop(metadata.uid)
      nodes.delete(name)
    },
    refresh: () => refresh(),
  })
}
