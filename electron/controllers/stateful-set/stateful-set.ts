/** Runs pods that keep their names and claims, one of each number. Source: kubernetes `pkg/controller/statefulset`. */
import { controllerRevision } from '../../api/apps/v1/controller-revision.ts'
import { statefulSet as statefulSetKind } from '../../api/apps/v1/stateful-set.ts'
import type { ControllerRevision, StatefulSet } from '../../api/apps/v1/types.gen.ts'
import { persistentVolumeClaim as claimKind } from '../../api/core/v1/persistent-volume-claim.ts'
import { pod as podKind } from '../../api/core/v1/pod.ts'
import type { PersistentVolumeClaim, Pod, PodTemplateSpec } from '../../api/core/v1/types.gen.ts'
import { semanticEqual } from '../../api/values/equal.ts'
import { Expectations } from '../../machinery/expectations.ts'
import { isBeingDeleted, keyOf, splitKey } from '../../machinery/object.ts'
import { selectorFromObject } from '../../machinery/selector/label-selector.ts'
import { defineController, watch, type Change } from '../runtime/controller.ts'
import { lookAgain } from '../runtime/look-again.ts'
import { controllerKeys, itself, states } from '../runtime/watches.ts'
import { claim } from '../workload/claim.ts'
import { cleanUpRevisions, HashCollision, syncHistory, type History } from '../workload/history.ts'
import { candidatesFor, indexByController } from '../workload/indices.ts'
import { knownOwner, ownerKeys } from '../workload/owned-pods.ts'
import { OwnWrites } from '../workload/own-writes.ts'
import { isNamespaceEnding } from '../workload/pod-control.ts'
import { nextAvailable } from '../workload/pod-state.ts'
import { slowStart } from '../workload/slow-start.ts'
import { createClaims } from './claims.ts'
import { ordinalOf, ordinalsOf, podOfSet, revisionOf } from './identity.ts'
import { keepsRevision, planPods, type SetPlan } from './plan.ts'
import { createSetPods } from './pods.ts'
import { statefulSetStatus } from './status.ts'

interface Revisions {
  readonly current: ControllerRevision
  readonly update: ControllerRevision
  /** All but the revision of the present template, oldest first. */
  readonly old: readonly ControllerRevision[]
}

export const statefulSetController = defineController({
  name: 'statefulset-controller',
  create(context) {
    const { client, clock, informers } = context
    const sets = informers.for(statefulSetKind)
    const revisions = informers.for(controllerRevision)
    const pods = informers.for(podKind)
    const known = informers.for(claimKind)
    indexByController(revisions)
    indexByController(pods)
    const creations = new Expectations(clock)
    const deletions = new Expectations(clock)
    const written = new OwnWrites()
    const claims = createClaims(context, known)
    const setPods = createSetPods(context)
    const owners = { kind: statefulSetKind, owners: sets, selectorOf }
    const concerned = ownerKeys(owners)

    const setChanged = (change: Change<StatefulSet>) => {
      if (change.type === 'delete') {
        creations.forget(keyOf(change.object))
        deletions.forget(keyOf(change.object))
        written.forget(change.object)
      }
      return itself(change)
    }
    const podChanged = (change: Change<Pod>) => {
      const { type, object: pod } = change
      const owner = knownOwner(pod, owners)
      // A pod may be seen for the first time when it is told to end already.
      if (owner && type === 'add') creations.creationObserved(keyOf(owner))
      if (owner && (type === 'delete' || isBeingDeleted(pod))) deletions.deletionObserved(keyOf(owner), pod.metadata.uid)
      return concerned(change)
    }
    const claimChanged = (change: Change<PersistentVolumeClaim>): Iterable<string> =>
      sets
        .list(change.object.metadata.namespace)
        .filter((set) => states(change).some((object) => isClaimOf(set, object)))
        .map(keyOf)

    return {
      watches: [
        watch(sets, setChanged),
        watch(pods, podChanged),
        watch(revisions, controllerKeys(statefulSetKind)),
        watch(known, claimChanged),
      ],
      async reconcile(key) {
        const { namespace, name } = splitKey(key)
        const set = sets.get(namespace, name)
        if (!set || written.isBehind(set)) return undefined
        const settled = creations.satisfied(key) && deletions.satisfied(key)
        const owned = { client, owner: set, ownerKind: statefulSetKind, selector: selectorOf(set) }
        const history = await claim(candidatesFor(revisions, set), { ...owned, kind: controllerRevision })
        const accepts = (pod: Pod) => ordinalOf(set, pod) !== null
        const mine = await claim(candidatesFor(pods, set), { ...owned, kind: podKind, accepts })
        const of = await revisionsOf(set, history)
        const now = clock.now()
        let failure: unknown
        try {
          if (settled && !isBeingDeleted(set)) await act(set, mine, of, now)
        } catch (error) {
          failure = error
        }
        await report(set, mine, of, settled && failure === undefined, now)
        if (failure !== undefined) throw failure
        await truncate(set, mine, of)
        const wait = nextAvailable(mine, set.spec.minReadySeconds ?? 0, now)
        return lookAgain(wait, creations.untilSatisfied(key), deletions.untilSatisfied(key))
      },
    }

    async function revisionsOf(set: StatefulSet, owned: readonly ControllerRevision[]): Promise<Revisions> {
      const { current: update, old } = await historyOf(set, owned)
      const current = [update, ...old].find(({ metadata }) => metadata.name === set.status.currentRevision) ?? update
      return { current, update, old }
    }

    async function historyOf(set: StatefulSet, owned: readonly ControllerRevision[]): Promise<History> {
      const { status, spec } = set
      const owner = { object: set, kind: statefulSetKind, template: spec.template, collisionCount: status.collisionCount }
      try {
        return await syncHistory(client, owner, owned)
      } catch (error) {
        if (error instanceof HashCollision) {
          const counted = { ...set, status: { ...status, collisionCount: (status.collisionCount ?? 0) + 1 } }
          written.wrote(await client.update(statefulSetKind, counted, { subresource: 'status' }))
        }
        throw error
      }
    }

    async function act(set: StatefulSet, mine: readonly Pod[], { current, update }: Revisions, now: number): Promise<void> {
      const stale = new Set(
        ordinalsOf(set).filter((ordinal) => claims.isStale(set, ordinal) && !mine.some((pod) => ordinalOf(set, pod) === ordinal)),
      )
      const plan = planPods({ set, pods: mine, updateRevision: update.metadata.name, stale, now })
      for (const pod of mine) await claims.retain(set, pod)
      for (const pod of plan.repair) await setPods.repair(set, pod)
      await create(set, plan.create, (ordinal) => (keepsRevision(set, ordinal) ? current : update))
      await remove(set, plan)
      // A pod that was made before its claims, or lost one, waits for them.
      for (const pod of mine) {
        const ordinal = ordinalOf(set, pod)
        if (pod.status.phase === 'Pending' && ordinal !== null && !isBeingDeleted(pod)) await claims.create(set, ordinal)
      }
    }

    async function create(
      set: StatefulSet,
      ordinals: readonly number[],
      revisionFor: (ordinal: number) => ControllerRevision,
    ): Promise<void> {
      if (ordinals.length === 0) return
      const key = keyOf(set)
      creations.expectCreations(key, ordinals.length)
      const { begun, error } = await slowStart(ordinals.length, async (i) => {
        const ordinal = ordinals[i] ?? 0
        const revision = revisionFor(ordinal)
        try {
          await claims.create(set, ordinal)
          await setPods.create(set, podOfSet(set, templateOf(set, revision), revision.metadata.name, ordinal))
        } catch (refused) {
          creations.creationObserved(key)
          if (!isNamespaceEnding(refused)) throw refused
        }
      })
      for (let i = begun; i < ordinals.length; i++) creations.creationObserved(key)
      if (error !== undefined) throw error
    }

    async function remove(set: StatefulSet, plan: SetPlan): Promise<void> {
      const doomed = [...plan.ended, ...plan.delete]
      if (doomed.length === 0) return
      const key = keyOf(set)
      deletions.expectDeletions(
        key,
        doomed.map(({ metadata }) => metadata.uid),
      )
      for (const pod of plan.ended) setPods.tellEnded(set, pod)
      const results = await Promise.allSettled(
        doomed.map(async (pod) => {
          let gone = false
          try {
            gone = await setPods.delete(set, pod)
          } finally {
            if (!gone) deletions.deletionObserved(key, pod.metadata.uid)
          }
        }),
      )
      const refused = results.find((result) => result.status === 'rejected')
      if (refused) throw refused.reason
    }

    async function report(
      set: StatefulSet,
      mine: readonly Pod[],
      { current, update }: Revisions,
      settled: boolean,
      now: number,
    ): Promise<void> {
      const status = statefulSetStatus(set, mine, { current: current.metadata.name, update: update.metadata.name }, settled, now)
      if (semanticEqual(status, set.status)) return
      written.wrote(await client.update(statefulSetKind, { ...set, status }, { subresource: 'status' }))
    }

    /** Revisions that pods have, or that pods may still be made of, do not count. */
    async function truncate(set: StatefulSet, mine: readonly Pod[], { current, old }: Revisions): Promise<void> {
      const live = new Set([current.metadata.name, ...mine.map(revisionOf)])
      const idle = old.filter(({ metadata }) => !live.has(metadata.name))
      if (!isBeingDeleted(set)) await cleanUpRevisions(client, idle, set.spec.revisionHistoryLimit ?? 10, new Set())
    }
  },
})

function selectorOf({ spec }: StatefulSet) {
  return selectorFromObject(spec.selector)
}

function templateOf({ spec }: StatefulSet, { data }: ControllerRevision): PodTemplateSpec {
  const stored = (data as { spec?: { template?: PodTemplateSpec & { $patch?: string } } } | undefined)?.spec?.template
  if (!stored) return spec.template
  const { $patch: _how, ...template } = stored
  return template
}

function isClaimOf({ metadata, spec }: StatefulSet, claim: PersistentVolumeClaim): boolean {
  return (spec.volumeClaimTemplates ?? []).some((template) => claim.metadata.name.startsWith(`${template.metadata.name}-${metadata.name}-`))
}
