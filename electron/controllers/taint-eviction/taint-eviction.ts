/**
 * Deletes pods from nodes whose NoExecute taints they do not bear, or no longer. Source: kubernetes `pkg/controller/tainteviction`.
 * Time while this machine slept does not count against a pod where a node's health is the reason.
 */
import { node as nodeKind } from '../../api/core/v1/node.ts'
import { pod as podKind } from '../../api/core/v1/pod.ts'
import type { Node, Pod, Taint } from '../../api/core/v1/types.gen.ts'
import { semanticEqual } from '../../api/values/equal.ts'
import { formatTime } from '../../api/values/time.ts'
import { setCondition } from '../../machinery/conditions.ts'
import { isBeingDeleted, keyOf, splitKey } from '../../machinery/object.ts'
import { Wakefulness } from '../node/wakefulness.ts'
import { defineController, watch, type Change } from '../runtime/controller.ts'
import { indexByNode, podsOn } from '../workload/indices.ts'
import { evictionTime } from './due.ts'

/** What is far off is looked at again so often, because clocks stop. */
const LOOK_EVERY = 60_000

export const taintEvictionController = defineController({
  name: 'taint-eviction-controller',
  workers: 8,
  create({ client, clock, informers, events }) {
    const nodes = informers.for(nodeKind)
    const pods = informers.for(podKind)
    indexByNode(pods)
    const wakefulness = new Wakefulness(clock)
    /** By uid: since when pods that shall go wait for it, on the monotonic clock. */
    const waiting = new Map<string, number>()

    const podChanged = ({ type, object, old }: Change<Pod>): string[] => {
      if (type === 'delete') waiting.delete(object.metadata.uid)
      return old && semanticEqual(concern(object), concern(old)) ? [] : [keyOf(object)]
    }
    const nodeChanged = ({ type, object, old }: Change<Node>): string[] => {
      if (old && semanticEqual(noExecuteTaints(object), noExecuteTaints(old))) return []
      if (type === 'add' && noExecuteTaints(object).length === 0) return []
      return podsOn(pods, object.metadata.name).map(keyOf)
    }

    return {
      watches: [watch(nodes, nodeChanged), watch(pods, podChanged)],
      start: (stack) => void stack.use(wakefulness.watch()),
      async reconcile(key) {
        const { namespace, name } = splitKey(key)
        const pod = pods.get(namespace, name)
        if (!pod || isBeingDeleted(pod) || !pod.spec.nodeName) return undefined
        const { uid } = pod.metadata
        const node = nodes.get(undefined, pod.spec.nodeName)
        const now = clock.monotonic()
        const since = waiting.get(uid) ?? now
        const at = evictionTime(node ? noExecuteTaints(node) : [], pod.spec.tolerations, { since, awake: wakefulness.check() })
        if (at === null) {
          if (waiting.delete(uid)) events.event(pod, 'Normal', 'TaintManagerEviction', `Cancelling deletion of Pod ${key}`)
          return undefined
        }
        waiting.set(uid, since)
        if (at > now) return { requeueAfter: Math.min(at - now, LOOK_EVERY) }
        await evict(pod)
        waiting.delete(uid)
        return undefined
      },
    }

    async function evict(pod: Pod): Promise<void> {
      const { uid } = pod.metadata
      const now = formatTime(clock.now())
      const why = { reason: 'DeletionByTaintManager', message: 'Taint manager: deleting due to NoExecute taint' }
      const conditions = setCondition(pod.status.conditions, { type: 'DisruptionTarget', status: 'True', ...why }, now)
      if (conditions !== pod.status.conditions) {
        await client.update(podKind, { ...pod, status: { ...pod.status, conditions: [...conditions] } }, { subresource: 'status' })
      }
      events.event(pod, 'Normal', 'TaintManagerEviction', `Marking for deletion Pod ${keyOf(pod)}`)
      await client.delete(podKind, pod.metadata, { preconditions: { uid } })
    }
  },
})

function noExecuteTaints({ spec }: Node): Taint[] {
  return (spec.taints ?? []).filter(({ effect }) => effect === 'NoExecute')
}

function concern({ metadata, spec }: Pod) {
  return [metadata.deletionTimestamp, spec.nodeName, spec.tolerations]
}
