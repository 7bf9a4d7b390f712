/** Takes away pods that nobody else will. Source: kubernetes `pkg/controller/podgc`. */
import { node as nodeKind } from '../../api/core/v1/node.ts'
import { pod as podKind } from '../../api/core/v1/pod.ts'
import type { Pod, PodCondition, PodStatus } from '../../api/core/v1/types.gen.ts'
import { formatTime } from '../../api/values/time.ts'
import { isAbort } from '../../base/async.ts'
import { isConditionTrue, setCondition } from '../../machinery/conditions.ts'
import { isBeingDeleted, keyOf } from '../../machinery/object.ts'
import { hasReason } from '../../machinery/status.ts'
import { OUT_OF_SERVICE } from '../node/taints.ts'
import { defineController } from '../runtime/controller.ts'
import { isPodTerminal } from '../workload/pod-state.ts'

const PERIOD = 20_000
/** So long a node must be missing before it is asked whether it is gone. */
const QUARANTINE = 40_000
const TERMINATED_THRESHOLD = 12_500
const NODE_GONE: PodCondition = {
  type: 'DisruptionTarget',
  status: 'True',
  reason: 'DeletionByPodGC',
  message: 'PodGC: node no longer exists',
}
const ALL = 'all'

export const podGcController = defineController({
  name: 'pod-garbage-collector-controller',
  workers: 1,
  create({ client, clock, informers, logger, queue, options }) {
    const { terminatedPodThreshold: threshold = TERMINATED_THRESHOLD } = options
    const pods = informers.for(podKind)
    const nodes = informers.for(nodeKind)
    /** Names of nodes that pods are bound to and that are not there: since when, on the monotonic clock. */
    const missing = new Map<string, number>()

    return {
      watches: [],
      start: () => queue.add(ALL),
      async reconcile() {
        const all = pods.list()
        for (const pod of surplus(all)) await remove(pod)
        for (const pod of all.filter(isStranded)) await remove(pod)
        const gone = await goneNodes(all)
        for (const pod of all.filter(({ spec }) => gone.has(spec.nodeName ?? ''))) await remove(pod, NODE_GONE)
        for (const pod of all.filter((each) => isBeingDeleted(each) && !each.spec.nodeName)) await remove(pod)
        return { requeueAfter: PERIOD }
      },
    }

    /** Ended pods beyond the number that is kept: evicted ones first, then the oldest. */
    function surplus(all: readonly Pod[]): readonly Pod[] {
      if (threshold <= 0) return []
      const ended = all.filter(isPodTerminal)
      return ended.length <= threshold ? [] : ended.sort(byWorth).slice(0, ended.length - threshold)
    }

    /** It is asked to end, and whoever runs the cluster has said that its node will not answer any more. */
    function isStranded(pod: Pod): boolean {
      const node = isBeingDeleted(pod) ? nodes.get(undefined, pod.spec.nodeName ?? '') : undefined
      if (!node || isConditionTrue(node.status.conditions, 'Ready')) return false
      return node.spec.taints?.some(({ key }) => key === OUT_OF_SERVICE) ?? false
    }

    async function goneNodes(all: readonly Pod[]): Promise<Set<string>> {
      const bound = new Set(all.flatMap(({ spec }) => spec.nodeName || []))
      for (const name of missing.keys()) if (!bound.has(name) || nodes.get(undefined, name)) missing.delete(name)
      const gone = new Set<string>()
      for (const name of bound) {
        if (nodes.get(undefined, name)) continue
        const since = missing.get(name) ?? clock.monotonic()
        missing.set(name, since)
        if (clock.monotonic() - since >= QUARANTINE && !(await exists(name))) gone.add(name)
      }
      return gone
    }

    /** In doubt it does. */
    async function exists(name: string): Promise<boolean> {
      try {
        await client.get(nodeKind, { name })
      } catch (error) {
        return !hasReason(error, 'NotFound')
      }
      return true
    }

    /** At once and without asking its node. A failure is logged: the next round tries again. */
    async function remove(pod: Pod, condition?: PodCondition): Promise<void> {
      const { metadata, status } = pod
      try {
        if (!isPodTerminal(pod)) {
          const now = formatTime(clock.now())
          const conditions = condition ? setCondition(status.conditions, condition, now) : (status.conditions ?? [])
          const failed: PodStatus = { ...status, phase: 'Failed', conditions: [...conditions] }
          await client.update(podKind, { ...pod, status: failed }, { subresource: 'status' })
        }
        await client.delete(podKind, metadata, { gracePeriodSeconds: 0, preconditions: { uid: metadata.uid } })
      } catch (error) {
        if (isAbort(error)) throw error
        if (!hasReason(error, 'NotFound', 'Conflict')) logger.warn('a pod was not collected', { pod: keyOf(pod), error })
      }
    }
  },
})

function byWorth(a: Pod, b: Pod): number {
  const evicted = Number(isEvicted(b)) - Number(isEvicted(a))
  if (evicted !== 0) return evicted
  const age = Date.parse(a.metadata.creationTimestamp) - Date.parse(b.metadata.creationTimestamp)
  if (age !== 0) return age
  return keyOf(a) < keyOf(b) ? -1 : 1
}

function isEvicted({ status }: Pod): boolean {
  return status.phase === 'Failed' && status.reason === 'Evicted'
}
