/** Deletes pods whose devices have a NoExecute taint that their claims do not bear. Source: kubernetes `pkg/controller/devicetainteviction`. */
import { pod as podKind } from '../../api/core/v1/pod.ts'
import type { Pod } from '../../api/core/v1/types.gen.ts'
import { resourceClaim as claimKind } from '../../api/resource/v1/resource-claim.ts'
import { resourceSlice as sliceKind } from '../../api/resource/v1/resource-slice.ts'
import type { DeviceTaint, ResourceClaim, ResourceSlice } from '../../api/resource/v1/types.gen.ts'
import { semanticEqual } from '../../api/values/equal.ts'
import { formatTime } from '../../api/values/time.ts'
import { setCondition } from '../../machinery/conditions.ts'
import { claimNameFor, isReservedFor } from '../../machinery/devices/pod-claims.ts'
import { deviceEvictionTime } from '../../machinery/devices/taints.ts'
import { isBeingDeleted, keyOf, splitKey } from '../../machinery/object.ts'
import { defineController, watch, type Change } from '../runtime/controller.ts'
import { states } from '../runtime/watches.ts'
import { isPodTerminal } from '../workload/pod-state.ts'

const BY_POOL = 'by-pool'
/** What is far off is looked at again so often, because clocks stop. */
const LOOK_EVERY = 60_000

export const deviceTaintEvictionController = defineController({
  name: 'device-taint-eviction-controller',
  create({ client, clock, informers, events }) {
    const pods = informers.for(podKind)
    const claims = informers.for(claimKind)
    const slices = informers.for(sliceKind)
    slices.addIndex(BY_POOL, ({ spec }) => [`${spec.driver}/${spec.pool.name}`])
    claims.addIndex(BY_POOL, (claim) => [...new Set(resultsOf(claim).map(({ driver, pool }) => `${driver}/${pool}`))])

    const podChanged = ({ type, object, old }: Change<Pod>): string[] =>
      type !== 'delete' && object.spec.resourceClaims?.length && object.spec.nodeName !== old?.spec.nodeName ? [keyOf(object)] : []
    const claimChanged = (change: Change<ResourceClaim>): string[] =>
      change.type === 'delete' || semanticEqual(change.object.status, change.old?.status) ? [] : states(change).flatMap(usersOf)
    const sliceChanged = ({ type, object, old }: Change<ResourceSlice>): string[] => {
      if (type === 'delete' || semanticEqual(taintsOf(object), old && taintsOf(old))) return []
      return claims.byIndex(BY_POOL, `${object.spec.driver}/${object.spec.pool.name}`).flatMap(usersOf)
    }

    /** Of the newest generation of the pool. */
    const taintsAt = (driver: string, pool: string, device: string): readonly DeviceTaint[] => {
      const all = slices.byIndex(BY_POOL, `${driver}/${pool}`)
      const newest = Math.max(...all.map(({ spec }) => spec.pool.generation))
      const current = all.filter(({ spec }) => spec.pool.generation === newest)
      return current.flatMap(({ spec }) => spec.devices ?? []).find(({ name }) => name === device)?.taints ?? []
    }
    const evictionTime = (pod: Pod): number | null => {
      let first: number | null = null
      for (const entry of pod.spec.resourceClaims ?? []) {
        const claim = claims.get(pod.metadata.namespace, claimNameFor(pod, entry) ?? '')
        if (!claim || !isReservedFor(claim, pod)) continue
        for (const { driver, pool, device, tolerations = [], adminAccess } of resultsOf(claim)) {
          // Who watches over a device may want to see it broken.
          const at = adminAccess ? null : deviceEvictionTime(taintsAt(driver, pool, device), tolerations)
          if (at !== null) first = Math.min(first ?? at, at)
        }
      }
      return first
    }

    return {
      watches: [watch(pods, podChanged), watch(claims, claimChanged), watch(slices, sliceChanged)],
      async reconcile(key) {
        const { namespace, name } = splitKey(key)
        const pod = pods.get(namespace, name)
        if (!pod?.spec.nodeName || isBeingDeleted(pod) || isPodTerminal(pod)) return undefined
        const at = evictionTime(pod)
        if (at === null) return undefined
        const wait = at - clock.now()
        if (wait > 0) return { requeueAfter: Math.min(wait, LOOK_EVERY) }
        const now = formatTime(clock.now())
        const why = { reason: 'DeletionByDeviceTaintManager', message: 'Device Taint manager: deleting due to NoExecute taint' }
        const conditions = setCondition(pod.status.conditions, { type: 'DisruptionTarget', status: 'True', ...why }, now)
        if (conditions !== pod.status.conditions) {
          await client.update(podKind, { ...pod, status: { ...pod.status, conditions: [...conditions] } }, { subresource: 'status' })
        }
        events.event(pod, 'Normal', 'DeviceTaintManagerEviction', 'Marking for deletion')
        await client.delete(podKind, pod.metadata, { preconditions: { uid: pod.metadata.uid } })
        return undefined
      },
    }
  },
})

function resultsOf({ status }: ResourceClaim) {
  return status.allocation?.devices.results ?? []
}

function usersOf({ metadata, status }: ResourceClaim): string[] {
  return (status.reservedFor ?? []).flatMap(({ resource, name }) => (resource === 'pods' ? `${metadata.namespace}/${name}` : []))
}

function taintsOf({ spec }: ResourceSlice): unknown {
  return [spec.pool.generation, (spec.devices ?? []).flatMap(({ name, taints = [] }) => (taints.length > 0 ? [[name, taints]] : []))]
}
