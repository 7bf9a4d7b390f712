/** Registers this node with the API server and keeps its status true. Source: kubernetes `kubelet_node_status.go`. */
import { sleep } from '../../../base/clock.ts'
import type { Clock } from '../../../base/clock.ts'
import { messageOf } from '../../../base/errors.ts'
import { component, componentWith } from '../../../base/lifecycle.ts'
import type { Component } from '../../../base/lifecycle.ts'
import type { Logger } from '../../../base/logger.ts'
import { node as nodeKind } from '../../../api/core/v1/node.ts'
import type { Node, NodeStatus } from '../../../api/core/v1/types.gen.ts'
import type { Client } from '../../../client/client.ts'
import { hasReason } from '../../../machinery/status.ts'
import type { Checkpoints } from '../../checkpoint/checkpoints.ts'
import type { EventSink } from '../events.ts'
import { nodeReference } from '../events.ts'
import { contradicts, differs } from './node-status.ts'

export interface NodeManagerDeps {
  readonly client: Pick<Client, 'get' | 'create' | 'patch'>
  readonly clock: Clock
  readonly logger: Logger
  readonly events: EventSink
  readonly checkpoints: Checkpoints
  readonly nodeName: string
  readonly architecture: string
  readonly labels: Readonly<Record<string, string>>
  /** The status as of now; `previous` for what lasts. */
  readonly status: (previous: NodeStatus | undefined) => Promise<NodeStatus>
}

export interface NodeManager extends Component {
  /** As last seen, if only on disk; null before the first registration. */
  readonly node: Node | null
  /** Told by an informer. */
  observe(node: Node): void
  /** Looks and tells now. */
  update(signal?: AbortSignal): Promise<void>
}

/** Milliseconds between looks, and after which the API hears of the status although nothing changed. */
const LOOK = 10_000
const REPORT = 5 * 60_000
/** While the node is not ready, others wait for it. */
const LOOK_UNREADY = 1000
const RETRY = 5000

export function createNodeManager(deps: NodeManagerDeps): NodeManager {
  const { client, clock, logger, events, checkpoints, nodeName } = deps
  const at = { name: nodeName }
  const reference = nodeReference({ metadata: { name: nodeName } as Node['metadata'] })
  let known: Node | null = null
  let told: NodeStatus | null = null
  let toldAt = 0
  let woken = new AbortController()

  const labels = () => ({
    'beta.kubernetes.io/arch': deps.architecture,
    'beta.kubernetes.io/os': 'linux',
    'kubernetes.io/arch': deps.architecture,
    'kubernetes.io/hostname': nodeName,
    'kubernetes.io/os': 'linux',
    ...deps.labels,
  })

  const observe = (node: Node) => {
    if (known && Number(node.metadata.resourceVersion) < Number(known.metadata.resourceVersion)) return
    known = node
    void checkpoints.save(nodeKind, node)
    if (told && contradicts(node.status, told)) woken.abort()
  }

  const register = async (status: NodeStatus, signal: AbortSignal | undefined) => {
    try {
      const found = await client.get(nodeKind, at, { ...(signal ? { signal } : {}) })
      const missing = Object.entries(labels()).filter(([key, value]) => found.metadata.labels?.[key] !== value)
      if (!missing.length) return observe(found)
      observe(await client.patch(nodeKind, at, { type: 'merge', body: { metadata: { labels: Object.fromEntries(missing) } } }, { signal }))
    } catch (error) {
      if (!hasReason(error, 'NotFound')) throw error
      const annotations = { 'volumes.kubernetes.io/controller-managed-attach-detach': 'true' }
      observe(await client.create(nodeKind, { metadata: { ...at, labels: labels(), annotations }, spec: {}, status }, { signal }))
      logger.info('registered the node', { node: nodeName })
    }
    told = null
  }

  const tell = async (status: NodeStatus, signal: AbortSignal | undefined) => {
    const { addresses, ...rest } = status
    const body = { status: { ...rest, addresses: [...(addresses ?? []), { $patch: 'replace' }] } }
    const before = known
    observe(await client.patch(nodeKind, at, { type: 'strategic', body }, { subresource: 'status', signal }))
    tellEvents(before, status)
    told = status
    toldAt = clock.now()
  }

  const tellEvents = (before: Node | null, status: NodeStatus) => {
    const { bootID } = before?.status.nodeInfo ?? {}
    if (bootID && bootID !== status.nodeInfo.bootID) {
      events.event(reference, 'Warning', 'Rebooted', `Node ${nodeName} has been rebooted, boot id: ${status.nodeInfo.bootID}`)
    }
    const previous = before?.status.conditions
    for (const { type, status: value, reason = '' } of status.conditions ?? []) {
      if (previous?.find((condition) => condition.type === type)?.status === value) continue
      const name = type === 'Ready' ? (value === 'True' ? 'NodeReady' : 'NodeNotReady') : `NodeHas${reason.replace(/^KubeletHas/, '')}`
      events.event(reference, 'Normal', name, `Node ${nodeName} status is now: ${name}`)
    }
  }

  const update = async (signal?: AbortSignal) => {
    const status = await deps.status(told ?? known?.status)
    if (told === null) await register(status, signal)
    const isTold = told !== null && !differs(told, status) && !(known && contradicts(known.status, status))
    if (isTold && clock.now() - toldAt < REPORT) return
    try {
      await tell(status, signal)
    } catch (error) {
      // Somebody deleted the node while this machine still is one.
      if (hasReason(error, 'NotFound')) told = null
      throw error
    }
  }

  const run = async (signal: AbortSignal) => {
    let reachable = true
    while (!signal.aborted) {
      woken = new AbortController()
      let wait = LOOK
      try {
        await update(signal)
        reachable = true
        if (!isReady(told)) wait = LOOK_UNREADY
      } catch (error) {
        if (signal.aborted) return
        logger[reachable ? 'warn' : 'debug']('the status of the node was not told', { error: messageOf(error) })
        reachable = false
        wait = RETRY
      }
      await sleep(clock, wait, AbortSignal.any([signal, woken.signal])).catch(() => undefined)
    }
  }

  const base = component(async (stack, signal) => {
    known ??= (await checkpoints.load(nodeKind, undefined, nodeName)) ?? null
    events.event(reference, 'Normal', 'Starting', 'Starting kubelet.')
    const running = run(signal)
    stack.defer(() => running)
  })

  return componentWith(base, {
    get node() {
      return known
    },
    observe,
    update,
  })
}

function isReady(status: NodeStatus | null): boolean {
  return status?.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True') ?? false
}
