/** Rolls out a Deployment's template through ReplicaSets. Source: kubernetes `pkg/controller/deployment`. */
import { deployment as deploymentKind } from '../../api/apps/v1/deployment.ts'
import { replicaSet as replicaSetKind } from '../../api/apps/v1/replica-set.ts'
import type { Deployment, ReplicaSet } from '../../api/apps/v1/types.gen.ts'
import { pod as podKind } from '../../api/core/v1/pod.ts'
import type { Pod } from '../../api/core/v1/types.gen.ts'
import { controllerOf, isBeingDeleted, keyOf, splitKey } from '../../machinery/object.ts'
import { selectorFromObject } from '../../machinery/selector/label-selector.ts'
import { defineController, watch, type Change, type Outcome } from '../runtime/controller.ts'
import { controllerKey, controllerKeys, itself } from '../runtime/watches.ts'
import { claim } from '../workload/claim.ts'
import { candidatesFor, indexByController } from '../workload/indices.ts'
import { isPodTerminal } from '../workload/pod-state.ts'
import { cleanUpHistory } from './cleanup.ts'
import { pauseCondition } from './conditions.ts'
import { isRolling, progressDeadline } from './fenceposts.ts'
import { syncSets } from './new-set.ts'
import { recreate } from './recreate.ts'
import { rollOneStep } from './rolling.ts'
import { scaleSets, wasScaled } from './scale.ts'
import { countedStatus, isComplete, rolloutStatus, untilDeadline } from './status.ts'
import { DeploymentSync, type Sets } from './sync.ts'

export const deploymentController = defineController({
  name: 'deployment-controller',
  create(context) {
    const { client, informers, events } = context
    const deployments = informers.for(deploymentKind)
    const replicaSets = informers.for(replicaSetKind)
    const pods = informers.for(podKind)
    indexByController(replicaSets)
    indexByController(pods)
    const ownersOf = controllerKeys<ReplicaSet>(deploymentKind)

    const setChanged = (change: Change<ReplicaSet>): Iterable<string> => {
      const { object } = change
      const owners = ownersOf(change)
      if (controllerOf(object) || change.type === 'delete' || isBeingDeleted(object)) return owners
      const suitors = deployments.list(object.metadata.namespace).filter((one) => selectorOf(one).matches(object.metadata.labels))
      return [...owners, ...suitors.map(keyOf)]
    }

    /** Who recreates waits for the last of the old pods to end. */
    const podChanged = ({ type, object }: Change<Pod>): Iterable<string> => {
      if (type !== 'delete' && !isPodTerminal(object)) return []
      const setKey = controllerKey(object, replicaSetKind)
      const set = setKey === null ? undefined : replicaSets.get(splitKey(setKey).namespace, splitKey(setKey).name)
      const key = set ? controllerKey(set, deploymentKind) : null
      if (key === null) return []
      const owner = deployments.get(splitKey(key).namespace, splitKey(key).name)
      return owner && !isRolling(owner) ? [key] : []
    }

    return {
      watches: [watch(deployments, itself), watch(replicaSets, setChanged), watch(pods, podChanged)],
      async reconcile(key) {
        const { namespace, name } = splitKey(key)
        const deployment = deployments.get(namespace, name)
        if (!deployment) return undefined
        const selector = selectorOf(deployment)
        if (selector.everything) {
          const why = 'This deployment is selecting all pods. A non-empty selector is required.'
          events.event(deployment, 'Warning', 'SelectingAll', why)
          return undefined
        }
        const claims = { client, kind: replicaSetKind, owner: deployment, ownerKind: deploymentKind, selector }
        const sets = await claim(candidatesFor(replicaSets, deployment), claims)
        return reconcileDeployment(new DeploymentSync(context, deployment, sets))
      },
    }

    async function reconcileDeployment(sync: DeploymentSync): Promise<Outcome> {
      const { deployment } = sync
      if (isBeingDeleted(deployment)) {
        await sync.save(countedStatus(deployment, await syncSets(sync, { create: false }), sync.time))
        return undefined
      }
      const pause = progressDeadline(deployment) === null ? null : pauseCondition(deployment)
      if (pause) await sync.saveCondition(pause)
      if (deployment.spec.paused || wasScaled(sync)) {
        const sets = await syncSets(sync, { create: false })
        await scaleSets(sync, sets)
        if (deployment.spec.paused) await cleanUpHistory(sync, sets.old)
        await sync.save(countedStatus(sync.deployment, sets, sync.time))
        return undefined
      }
      return report(sync, isRolling(deployment) ? await roll(sync) : await recreate(sync, pods))
    }

    async function roll(sync: DeploymentSync): Promise<Sets> {
      const { current, old } = await syncSets(sync, { create: true })
      if (current) await rollOneStep(sync, { current, old })
      return { current, old }
    }

    async function report(sync: DeploymentSync, sets: Sets): Promise<Outcome> {
      if (isComplete(sync.deployment, sync.deployment.status)) await cleanUpHistory(sync, sets.old)
      const status = rolloutStatus(sync.deployment, sets, sync.now, sync.time)
      await sync.save(status)
      const wait = untilDeadline(sync.deployment, status, sync.now)
      return wait === null ? undefined : { requeueAfter: wait }
    }
  },
})

function selectorOf({ spec }: Deployment) {
  return selectorFromObject(spec.selector)
}
