/** Runs one pod of a template on each node that fits. Source: kubernetes `pkg/controller/daemon`. */
import { controllerRevision } from '../../api/apps/v1/controller-revision.ts'
import { daemonSet as daemonSetKind } from '../../api/apps/v1/daemon-set.ts'
import type { ControllerRevision, DaemonSet } from '../../api/apps/v1/types.gen.ts'
import { node as nodeKind } from '../../api/core/v1/node.ts'
import { pod as podKind } from '../../api/core/v1/pod.ts'
import type { Node, Pod } from '../../api/core/v1/types.gen.ts'
import { semanticEqual } from '../../api/values/equal.ts'
import { KeyedBackoff } from '../../machinery/backoff.ts'
import { Expectations } from '../../machinery/expectations.ts'
import { controllerOf, isBeingDeleted, keyOf, splitKey } from '../../machinery/object.ts'
import { selectorFromObject } from '../../machinery/selector/label-selector.ts'
import { defineController, watch, type Change, type Outcome } from '../runtime/controller.ts'
import { lookAgain } from '../runtime/look-again.ts'
import { controllerKey, controllerKeys, itself, states } from '../runtime/watches.ts'
import { claim } from '../workload/claim.ts'
import { cleanUpRevisions, HashCollision, hashOf, REVISION_LABEL, syncHistory, type History } from '../workload/history.ts'
import { candidatesFor, indexByController } from '../workload/indices.ts'
import { createPodControl, isNamespaceEnding } from '../workload/pod-control.ts'
import { isPodTerminal, nextAvailable } from '../workload/pod-state.ts'
import { slowStart } from '../workload/slow-start.ts'
import { placementOn, planNode, type PlanOptions } from './placement.ts'
import { podForNode, targetNode } from './pod-template.ts'
import { planRollout } from './rolling.ts'
import { daemonSetStatus } from './status.ts'

const BURST = 250
/** Pods that end at once on a node are not replaced in a loop. */
const REPLACEMENT_BACKOFF = { initial: 1000, max: 15 * 60_000 }

export const daemonSetController = defineController({
  name: 'daemonset-controller',
  workers: 2,
  create(context) {
    const { client, clock, informers, events, queue } = context
    const sets = informers.for(daemonSetKind)
    const revisions = informers.for(controllerRevision)
    const pods = informers.for(podKind)
    const nodes = informers.for(nodeKind)
    indexByController(revisions)
    indexByController(pods)
    const creations = new Expectations(clock)
    const deletions = new Expectations(clock)
    const backoff = new KeyedBackoff<string>(clock, REPLACEMENT_BACKOFF)
    const podControl = createPodControl(context)

    const setChanged = (change: Change<DaemonSet>) => {
      if (change.type === 'delete') {
        creations.forget(keyOf(change.object))
        deletions.forget(keyOf(change.object))
        backoff.collect()
      }
      return itself(change)
    }

    const ownerKey = (pod: Pod): string | null => {
      const key = controllerKey(pod, daemonSetKind)
      if (key === null) return null
      const { namespace, name } = splitKey(key)
      return sets.get(namespace, name)?.metadata.uid === controllerOf(pod)?.uid ? key : null
    }
    const podChanged = (change: Change<Pod>): Iterable<string> => {
      const { object: pod } = change
      const key = ownerKey(pod)
      if (key !== null) {
        // A pod may be seen for the first time when it is told to end already.
        if (change.type === 'add') creations.creationObserved(key)
        if (change.type === 'delete' || isBeingDeleted(pod)) deletions.deletionObserved(key, pod.metadata.uid)
      }
      const keys = new Set(states(change).flatMap((state) => ownerKey(state) ?? []))
      if (!controllerOf(pod) && change.type !== 'delete' && !isBeingDeleted(pod)) {
        for (const set of sets.list(pod.metadata.namespace)) if (selectorOf(set).matches(pod.metadata.labels)) keys.add(keyOf(set))
      }
      return keys
    }

    /** Signs of life of nodes concern nobody here. */
    const nodeChanged = ({ object, old }: Change<Node>): Iterable<string> =>
      old && semanticEqual(placing(object), placing(old)) ? [] : sets.list().map(keyOf)

    return {
      watches: [
        watch(sets, setChanged),
        watch(revisions, controllerKeys(daemonSetKind)),
        watch(pods, podChanged),
        watch(nodes, nodeChanged),
      ],
      async reconcile(key) {
        const { namespace, name } = splitKey(key)
        const set = sets.get(namespace, name)
        if (!set) return undefined
        const selector = selectorOf(set)
        if (selector.everything) {
          events.event(set, 'Warning', 'SelectingAll', 'This daemon set is selecting all pods. A non-empty selector is required.')
          return undefined
        }
        if (isBeingDeleted(set)) return undefined
        const owned = { client, owner: set, ownerKind: daemonSetKind, selector }
        const history = await historyOf(set, await claim(candidatesFor(revisions, set), { ...owned, kind: controllerRevision }))
        const settled = creations.satisfied(key) && deletions.satisfied(key)
        const mine = await claim(candidatesFor(pods, set), { ...owned, kind: podKind })
        const options: PlanOptions = { set, hash: hashOf(history.current), now: clock.now() }
        let failure: unknown
        let next: Outcome
        if (settled) {
          try {
            next = await act(options, mine)
            const live = new Set(mine.map(({ metadata }) => metadata.labels?.[REVISION_LABEL] ?? ''))
            await cleanUpRevisions(client, history.old, set.spec.revisionHistoryLimit ?? 10, live)
          } catch (error) {
            failure = error
          }
        }
        const status = daemonSetStatus(nodes.list(), byNode(mine), options, settled)
        if (!semanticEqual(status, set.status)) await client.update(daemonSetKind, { ...set, status }, { subresource: 'status' })
        if (failure !== undefined) throw failure
        const wait = nextAvailable(mine, set.spec.minReadySeconds ?? 0, options.now)
        return lookAgain(wait, next?.requeueAfter, creations.untilSatisfied(key), deletions.untilSatisfied(key))
      },
    }

    async function historyOf(set: DaemonSet, owned: readonly ControllerRevision[]): Promise<History> {
      const { status, spec } = set
      const owner = { object: set, kind: daemonSetKind, template: spec.template, collisionCount: status.collisionCount }
      try {
        return await syncHistory(client, owner, owned)
      } catch (error) {
        if (error instanceof HashCollision) {
          const counted = { ...set, status: { ...status, collisionCount: (status.collisionCount ?? 0) + 1 } }
          await client.update(daemonSetKind, counted, { subresource: 'status' })
        }
        throw error
      }
    }

    /** First every node gets what it should have; a rolling update goes on once nothing is under way. */
    async function act(options: PlanOptions, mine: readonly Pod[]): Promise<Outcome> {
      const { set } = options
      const pods = byNode(mine)
      const doomed: Pod[] = mine.filter((pod) => !pod.spec.nodeName && !isBeingDeleted(pod) && !nodes.get(undefined, targetNode(pod)))
      const wanting: string[] = []
      const waits: number[] = []
      for (const node of nodes.list()) {
        const plan = planNode(node, pods.get(node.metadata.name) ?? [], options)
        if (plan.create) wanting.push(node.metadata.name)
        doomed.push(...plan.delete)
        for (const pod of plan.ended) {
          const wait = untilReplaced(set, pod)
          if (wait === 0) doomed.push(pod)
          else waits.push(wait)
        }
      }
      await change(options, doomed, wanting)
      const key = keyOf(set)
      if (set.spec.updateStrategy.type === 'RollingUpdate' && creations.satisfied(key) && deletions.satisfied(key)) {
        const running = nodes.list().filter((node) => placementOn(set, node).shouldRun)
        const rollout = planRollout(new Map(running.map(({ metadata: { name } }) => [name, pods.get(name) ?? []])), options)
        await change(options, rollout.delete, rollout.create)
      }
      return waits.length > 0 ? { requeueAfter: Math.min(...waits) } : undefined
    }

    /** Milliseconds until the ended pod may be replaced. */
    function untilReplaced(set: DaemonSet, pod: Pod): number {
      const node = targetNode(pod)
      const key = `${set.metadata.uid}/${node}`
      if (backoff.isWaiting(key)) return Math.max(1, backoff.get(key))
      backoff.failed(key)
      if (pod.status.phase === 'Succeeded') {
        const text = `Found succeeded daemon pod ${keyOf(pod)} on node ${node}, will try to delete it`
        events.event(set, 'Normal', 'SucceededDaemonPod', text)
      } else {
        events.event(set, 'Warning', 'FailedDaemonPod', `Found failed daemon pod ${keyOf(pod)} on node ${node}, will try to kill it`)
      }
      return 0
    }

    async function change({ set, hash }: PlanOptions, doomed: readonly Pod[], wanting: readonly string[]): Promise<void> {
      const key = keyOf(set)
      const toCreate = wanting.slice(0, BURST)
      const toDelete = doomed.slice(0, BURST)
      if (toCreate.length > 0) creations.expectCreations(key, toCreate.length)
      if (toDelete.length > 0)
        deletions.expectDeletions(
          key,
          toDelete.map(({ metadata }) => metadata.uid),
        )
      const created = await slowStart(toCreate.length, async (index) => {
        try {
          await podControl.create(set, podForNode(set, toCreate[index] ?? '', hash))
        } catch (refused) {
          creations.creationObserved(key)
          if (!isNamespaceEnding(refused)) throw refused
        }
      })
      for (let i = created.begun; i < toCreate.length; i++) creations.creationObserved(key)
      const deleted = await Promise.allSettled(
        toDelete.map(async (pod) => {
          let gone = false
          try {
            gone = await podControl.delete(set, pod)
          } finally {
            if (!gone) deletions.deletionObserved(key, pod.metadata.uid)
          }
        }),
      )
      if (wanting.length > BURST || doomed.length > BURST) queue.add(key)
      const refused = deleted.find((result) => result.status === 'rejected')
      if (created.error !== undefined) throw created.error
      if (refused) throw refused.reason
    }
  },
})

function selectorOf({ spec }: DaemonSet) {
  return selectorFromObject(spec.selector)
}

/** What decides where daemons run. */
function placing({ metadata, spec }: Node) {
  return [metadata.labels, spec.taints]
}

/** Ended pods that are being deleted no longer stand in anyone's way. */
function byNode(pods: readonly Pod[]): Map<string, Pod[]> {
  const out = new Map<string, Pod[]>()
  for (const pod of pods) {
    if (isPodTerminal(pod) && isBeingDeleted(pod)) continue
    const node = targetNode(pod)
    const list = out.get(node)
    if (list) list.push(pod)
    else out.set(node, [pod])
  }
  return out
}
