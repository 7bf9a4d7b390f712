/**
 * Nodes without machines: they register, give signs of life, take pods, and say of each that it runs, as a test wants it. Pods that no
 * scheduler has bound are bound here, where they ask to be or else where the fewest are.
 */
import type { Node, Pod, PodCondition, PodStatus, Taint } from '../../api/core/v1/types.gen.ts'
import { lease as leaseKind } from '../../api/coordination/v1/lease.ts'
import { node as nodeKind } from '../../api/core/v1/node.ts'
import { pod as podKind } from '../../api/core/v1/pod.ts'
import type { Draft } from '../../api/meta/v1/object.ts'
import { formatMicroTime, formatTime } from '../../api/values/time.ts'
import { findCondition, setCondition } from '../../machinery/conditions.ts'
import { isBeingDeleted, keyOf, splitKey } from '../../machinery/object.ts'
import { hasReason } from '../../machinery/status.ts'
import { defineController, watch, type ControllerContext, type ControllerDescriptor, type Outcome } from '../runtime/controller.ts'
import { NOT_READY } from '../node/taints.ts'
import { itself } from '../runtime/watches.ts'
import { indexByNode, podsOn } from '../workload/indices.ts'
import { isPodTerminal } from '../workload/pod-state.ts'

/** What a pod does once it is bound. */
export type Behaviour = 'ready' | 'unready' | 'pending' | 'fail' | 'succeed'

export interface HollowNodes {
  /** Names; those added later register when `refresh` is called. */
  readonly names: Set<string>
  /** These give no sign of life and do nothing for their pods. */
  readonly silent: Set<string>
  /** Default: all get ready. */
  behaviour(pod: Pod): Behaviour
  /** Milliseconds from binding to running, and from deletion to the end. */
  startDelay: number
  stopDelay: number
  /** Looks at everything again after the above was changed. */
  refresh(): void
  /** Whether unbound pods are bound. */
  schedules: boolean
  readonly descriptor: ControllerDescriptor
}

export interface HollowOptions {
  readonly nodes?: number
  readonly startDelay?: number
  readonly stopDelay?: number
  /** Whether leases are renewed. Default: no, for fewer writes. */
  readonly heartbeats?: boolean
  /** Whether the taint that new nodes come with is taken off, as the node lifecycle controller does. Default: no. */
  readonly untaint?: boolean
  /** Labels of the nodes. */
  readonly labels?: (index: number) => Record<string, string>
}

const HEARTBEAT = 10_000
const LEASES = 'kube-node-lease'

export function hollowNodes(options: HollowOptions = {}): HollowNodes {
  const names = Array.from({ length: options.nodes ?? 1 }, (_, i) => `node-${i}`)
  const labels = new Map(names.map((name, i) => [name, options.labels?.(i) ?? {}]))
  let look = () => {}
  let addresses = 0

  const hollow: HollowNodes = {
    names: new Set(names),
    silent: new Set(),
    behaviour: () => 'ready',
    startDelay: options.startDelay ?? 0,
    stopDelay: options.stopDelay ?? 0,
    schedules: true,
    refresh: () => look(),
    descriptor: defineController({
      name: 'hollow-nodes',
      create(given) {
        const { clock, client, informers, queue } = given
        const nodes = informers.for(nodeKind)
        const pods = informers.for(podKind)
        indexByNode(pods)
        look = () => {
          for (const name of hollow.names) queue.add(name)
          for (const pod of pods.list()) queue.add(keyOf(pod))
        }

        const bind = async (pod: Pod): Promise<void> => {
          if (!hollow.schedules || isBeingDeleted(pod) || isPodTerminal(pod)) return
          const asked = nodeAskedFor(pod)
          const open = nodes.list().filter(({ metadata, spec }) => hollow.names.has(metadata.name) && (asked || !spec.unschedulable))
          const fit = open.filter(({ metadata }) => !asked || metadata.name === asked)
          const [target] = fit.sort((a, b) => podsOn(pods, a.metadata.name).length - podsOn(pods, b.metadata.name).length)
          if (!target) return
          const { name, namespace } = pod.metadata
          const path = `/api/v1/namespaces/${namespace}/pods/${name}/binding`
          const body = JSON.stringify({
            apiVersion: 'v1',
            kind: 'Binding',
            metadata: { name, namespace },
            target: { kind: 'Node', name: target.metadata.name },
          })
          const answer = await client.request({ method: 'POST', path, headers: { 'content-type': 'application/json' }, body })
          await answer.body[Symbol.asyncDispose]()
        }

        const run = async (pod: Pod): Promise<Outcome> => {
          const node = pod.spec.nodeName ?? ''
          if (!hollow.names.has(node) || hollow.silent.has(node)) return undefined
          const now = clock.now()
          if (isBeingDeleted(pod)) {
            const asked = Date.parse(pod.metadata.deletionTimestamp ?? '') - (pod.metadata.deletionGracePeriodSeconds ?? 0) * 1000
            const wait = isPodTerminal(pod) ? 0 : asked + hollow.stopDelay - now
            if (wait > 0) return { requeueAfter: wait }
            // Who holds it with a finalizer wants to see how it ended.
            if (pod.metadata.finalizers?.length && !isPodTerminal(pod)) {
              await client.update(podKind, { ...pod, status: { ...pod.status, phase: 'Failed' } }, { subresource: 'status' })
            }
            await client.delete(podKind, pod.metadata, { gracePeriodSeconds: 0, preconditions: { uid: pod.metadata.uid } })
            return undefined
          }
          const bound = findCondition(pod.status.conditions, 'PodScheduled')?.lastTransitionTime ?? pod.metadata.creationTimestamp
          const wait = Date.parse(bound) + hollow.startDelay - now
          if (wait > 0) return { requeueAfter: wait }
          const address = pod.status.podIP ?? `10.244.${1 + Math.floor(addresses / 250)}.${1 + (addresses++ % 250)}`
          const status = statusFor(pod, hollow.behaviour(pod), address, now)
          if (status) await client.update(podKind, { ...pod, status }, { subresource: 'status' })
          return undefined
        }

        const live = async (name: string): Promise<Outcome> => {
          if (!hollow.names.has(name) || hollow.silent.has(name)) return undefined
          const known = nodes.get(undefined, name)
          if (!known) await register(given, name, labels.get(name) ?? {})
          else if (findCondition(known.status.conditions, 'Ready')?.status !== 'True') await postReady(given, known)
          else if (options.untaint && isTainted(known)) await untaint(given, known)
          if (options.heartbeats) await renew(given, name)
          return options.heartbeats ? { requeueAfter: HEARTBEAT } : undefined
        }

        return {
          watches: [watch(nodes, itself), watch(pods, itself)],
          start: () => look(),
          async reconcile(key) {
            if (!key.includes('/')) return live(key)
            const { namespace, name } = splitKey(key)
            const pod = pods.get(namespace, name)
            if (!pod) return undefined
            if (pod.spec.nodeName) return run(pod)
            await bind(pod)
            return undefined
          },
        }
      },
    }),
  }
  return hollow
}

async function register({ client, clock }: ControllerContext, name: string, labels: Record<string, string>): Promise<void> {
  const draft: Draft<Node> = {
    metadata: { name, labels: { 'kubernetes.io/hostname': name, 'kubernetes.io/os': 'linux', ...labels } },
    status: {
      capacity: { cpu: '8', memory: '16Gi', pods: '110' },
      conditions: [ready(formatTime(clock.now()))],
      addresses: [{ type: 'InternalIP', address: '192.0.2.1' }],
    },
  }
  await client.create(nodeKind, draft)
}

async function postReady({ client, clock }: ControllerContext, node: Node): Promise<void> {
  const conditions = [...setCondition(node.status.conditions, ready(formatTime(clock.now())), formatTime(clock.now()))]
  await client.update(nodeKind, { ...node, status: { ...node.status, conditions } }, { subresource: 'status' })
}

function isTainted({ spec }: Node): boolean {
  return spec.taints?.some(isArrival) ?? false
}

function isArrival({ key, effect }: Taint): boolean {
  return key === NOT_READY && effect === 'NoSchedule'
}

async function untaint({ client }: ControllerContext, node: Node): Promise<void> {
  const taints = node.spec.taints?.filter((taint) => !isArrival(taint)) ?? []
  await client.update(nodeKind, { ...node, spec: { ...node.spec, taints } })
}

function ready(now: string) {
  const reason = { reason: 'KubeletReady', message: 'kubelet is posting ready status' }
  return { type: 'Ready', status: 'True', lastHeartbeatTime: now, lastTransitionTime: now, ...reason }
}

async function renew({ client, clock }: ControllerContext, name: string): Promise<void> {
  const spec = { holderIdentity: name, leaseDurationSeconds: 40, renewTime: formatMicroTime(clock.now()) }
  try {
    await client.patch(leaseKind, { namespace: LEASES, name }, { type: 'merge', body: { spec } })
  } catch (error) {
    if (!hasReason(error, 'NotFound')) throw error
    await client.create(leaseKind, { metadata: { namespace: LEASES, name }, spec })
  }
}

function nodeAskedFor({ spec }: Pod): string | undefined {
  const terms = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms
  return terms?.[0]?.matchFields?.find(({ key }) => key === 'metadata.name')?.values?.[0]
}

/** Null if it is as it shall be. */
function statusFor(pod: Pod, behaviour: Behaviour, podIP: string, now: number): PodStatus | null {
  const { status, spec } = pod
  if (behaviour === 'pending' || isPodTerminal(pod)) return null
  const phase = behaviour === 'fail' ? 'Failed' : behaviour === 'succeed' ? 'Succeeded' : 'Running'
  const isReady = behaviour === 'ready' ? 'True' : 'False'
  if (status.phase === phase && findCondition(status.conditions, 'Ready')?.status === isReady) return null
  const time = formatTime(now)
  let conditions: readonly PodCondition[] = status.conditions ?? []
  for (const type of ['Initialized', 'ContainersReady', 'Ready', 'PodScheduled']) {
    conditions = setCondition(conditions, { type, status: type === 'Initialized' || type === 'PodScheduled' ? 'True' : isReady }, time)
  }
  const containerStatuses = spec.containers.map(({ name, image = '' }) => ({
    name,
    image,
    imageID: '',
    ready: isReady === 'True',
    restartCount: 0,
    lastState: {},
    state: phase === 'Running' ? { running: { startedAt: time } } : { terminated: { exitCode: phase === 'Failed' ? 1 : 0 } },
  }))
  return {
    ...status,
    phase,
    conditions: [...conditions],
    containerStatuses,
    podIP,
    podIPs: [{ ip: podIP }],
    startTime: status.startTime ?? time,
  }
}
