/**
 * Tells which nodes do well, and keeps pods from those that do not. Source: kubernetes `pkg/controller/nodelifecycle`.
 *
 * A worker outlives the desktop: one that slept, was away or lost its network drives no pod from any node. A node that is not heard
 * is unknown, and gets no new pods; its pods are given up only where its silence is its own (`heartbeats.ts`).
 */
import { lease as leaseKind } from '../../api/coordination/v1/lease.ts'
import type { Lease } from '../../api/coordination/v1/types.gen.ts'
import { node as nodeKind } from '../../api/core/v1/node.ts'
import { pod as podKind } from '../../api/core/v1/pod.ts'
import type { Node } from '../../api/core/v1/types.gen.ts'
import { machine as machineKind } from '../../api/infra/v1alpha1/machine.ts'
import type { Machine } from '../../api/infra/v1alpha1/types.ts'
import { semanticEqual } from '../../api/values/equal.ts'
import { formatTime } from '../../api/values/time.ts'
import { findCondition, setCondition } from '../../machinery/conditions.ts'
import { isBeingDeleted } from '../../machinery/object.ts'
import { NOT_READY, UNREACHABLE } from '../node/taints.ts'
import { Wakefulness } from '../node/wakefulness.ts'
import { defineController, watch, type Change } from '../runtime/controller.ts'
import { indexByNode, podsOn } from '../workload/indices.ts'
import { isPodReady, readyCondition } from '../workload/pod-state.ts'
import { unknownConditions } from './conditions.ts'
import { Heartbeats } from './heartbeats.ts'
import { hasNoExecute, taintsFor } from './node-taints.ts'
import { zoneOf, Zones } from './zones.ts'

const LEASES = 'kube-node-lease'
const GRACE = 50_000
/** For a node that has registered and not yet said how it does. */
const STARTUP_GRACE = 60_000
const PERIOD = 5000
const LOOPBACK = /^(localhost|127\..*|::1)$/
/** The key for looking at all of them; no node is called so. */
const ALL = ''

export const nodeLifecycleController = defineController({
  name: 'node-lifecycle-controller',
  component: 'node-controller',
  /** One: what may be done to a node depends on how the others do. */
  workers: 1,
  create({ client, clock, informers, events, queue, options }) {
    const { nodeMonitorGracePeriod: grace = GRACE, nodeMonitorPeriod: period = PERIOD } = options
    const nodes = informers.for(nodeKind)
    const leases = informers.for(leaseKind, { namespace: LEASES })
    const machines = informers.for(machineKind)
    const pods = informers.for(podKind)
    indexByNode(pods)
    const wakefulness = new Wakefulness(clock)
    const zones = new Zones(() => nodes.list(), clock, options)
    const heartbeats = new Heartbeats({ clock, wakefulness, isLocal: (name) => isLocal(machines.get(undefined, name)) })

    const nodeChanged = (change: Change<Node>): string[] => {
      const { type, object } = change
      const { name } = object.metadata
      if (type === 'delete') {
        heartbeats.forget(name)
        zones.recount()
        events.event(object, 'Normal', 'RemovingNode', `Removing Node ${name} from Controller`)
        return []
      }
      if (type === 'add') events.event(object, 'Normal', 'RegisteredNode', `Registered Node ${name} in Controller`)
      heartbeats.note(name, { status: statusSign(object) })
      zones.recount()
      return type === 'update' && semanticEqual(judged(object), judged(change.old)) ? [] : [name]
    }
    const leaseChanged = ({ type, object }: Change<Lease>): string[] => {
      if (type !== 'delete') heartbeats.note(object.metadata.name, { lease: object.spec.renewTime })
      return []
    }

    return {
      watches: [watch(nodes, nodeChanged), watch(leases, leaseChanged)],
      start(stack) {
        stack.use(wakefulness.watch())
        for (const node of nodes.list()) heartbeats.recall(node.metadata.name, { status: statusSign(node) })
        for (const { metadata, spec } of leases.list()) heartbeats.recall(metadata.name, { lease: spec.renewTime })
        queue.add(ALL)
      },
      async reconcile(key) {
        if (key === ALL) {
          zones.recount()
          for (const { metadata } of nodes.list()) queue.add(metadata.name)
          return { requeueAfter: period }
        }
        const node = nodes.get(undefined, key)
        if (!node || isBeingDeleted(node)) return undefined
        if (await lostSight(node)) return undefined
        await taint(node)
        if (isGivenUp(node)) await giveUpPods(node)
        return undefined
      },
    }

    /** True if the node's status was written: then it is looked at again. */
    async function lostSight(node: Node): Promise<boolean> {
      const { name } = node.metadata
      const ready = findCondition(node.status.conditions, 'Ready')
      // Without its own eyes and ears nobody tells whether a node is silent.
      if (nodes.staleSince !== null || leases.staleSince !== null) return false
      if (heartbeats.silence(name) <= (ready ? grace : Math.max(grace, STARTUP_GRACE))) return false
      const conditions = unknownConditions(node, formatTime(clock.now()))
      if (conditions === node.status.conditions) return false
      await client.update(nodeKind, { ...node, status: { ...node.status, conditions: [...conditions] } }, { subresource: 'status' })
      if (ready?.status === 'True') events.event(node, 'Normal', 'NodeNotReady', `Node ${name} status is now: NodeNotReady`)
      return true
    }

    /** It is silent, and nothing but itself can be the reason. */
    function isGivenUp(node: Node): boolean {
      if (findCondition(node.status.conditions, 'Ready')?.status !== 'Unknown') return false
      if (zones.allFail || nodes.staleSince !== null || leases.staleSince !== null) return false
      return (heartbeats.ownSilence(node.metadata.name) ?? 0) > grace
    }

    async function taint(node: Node): Promise<void> {
      const taints = taintsFor(node, noExecuteFor(node), formatTime(clock.now()))
      if (semanticEqual(taints, node.spec.taints)) return
      await client.update(nodeKind, { ...node, spec: { ...node.spec, taints } })
    }

    function noExecuteFor(node: Node): string | null {
      const status = findCondition(node.status.conditions, 'Ready')?.status
      const isFailing = status === 'False' && !zones.allFail && heartbeats.isHeard(node.metadata.name)
      const key = isFailing ? NOT_READY : isGivenUp(node) ? UNREACHABLE : null
      if (key === null) return null
      const isTainted = hasNoExecute(node, NOT_READY) || hasNoExecute(node, UNREACHABLE)
      return isTainted || zones.mayEvict(zoneOf(node)) ? key : null
    }

    /** Nobody shall be sent to pods of which nobody hears. */
    async function giveUpPods(node: Node): Promise<void> {
      for (const pod of podsOn(pods, node.metadata.name).filter(isPodReady)) {
        const ready = readyCondition(pod)
        if (!ready) continue
        const now = formatTime(clock.now())
        const conditions = setCondition(pod.status.conditions, { ...ready, status: 'False', lastTransitionTime: now }, now)
        await client.update(podKind, { ...pod, status: { ...pod.status, conditions: [...conditions] } }, { subresource: 'status' })
        events.event(pod, 'Warning', 'NodeNotReady', 'Node is not ready')
      }
    }
  },
})

/** A kubelet dates each of its reports; what is written here leaves the date as it was. */
function statusSign({ status }: Node): string | undefined {
  return findCondition(status.conditions, 'Ready')?.lastHeartbeatTime
}

/** It is on this machine: no network lies between. Of a node without a Machine that is not known. */
function isLocal(machine: Machine | undefined): boolean {
  const { provider, ssh } = machine?.spec ?? {}
  return provider === 'sandbox' || (ssh !== undefined && !ssh.jump && LOOPBACK.test(ssh.host))
}

/** What decides about taints. */
function judged({ spec, status }: Node) {
  return [spec.taints, spec.unschedulable, status.conditions?.map((condition) => [condition.type, condition.status])]
}
