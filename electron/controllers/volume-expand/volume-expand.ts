/**
 * Has volumes grow with their claims. Folders on a node's disk have no size of their own, so theirs is only written down; others wait
 * for who made them. Source: kubernetes `pkg/controller/volume/expand`, KEP-1790.
 */
import { persistentVolumeClaim as claimKind } from '../../api/core/v1/persistent-volume-claim.ts'
import { persistentVolume as volumeKind } from '../../api/core/v1/persistent-volume.ts'
import type { PersistentVolume, PersistentVolumeClaim, PersistentVolumeClaimStatus } from '../../api/core/v1/types.gen.ts'
import { LOCAL_PROVISIONER } from '../../api/infra/v1alpha1/local-volumes.ts'
import { compareQuantity } from '../../api/values/quantity.ts'
import { formatTime } from '../../api/values/time.ts'
import { removeCondition, setCondition } from '../../machinery/conditions.ts'
import { isBeingDeleted, keyOf, splitKey } from '../../machinery/object.ts'
import { annotationOf, PROVISIONED_BY } from '../../machinery/volumes/annotations.ts'
import { storageOf } from '../../machinery/volumes/match.ts'
import { defineController, watch, type Change } from '../runtime/controller.ts'
import { states } from '../runtime/watches.ts'

const RESIZING = 'Resizing'

export const volumeExpandController = defineController({
  name: 'persistentvolume-expander-controller',
  component: 'volume_expand',
  create({ client, clock, events, informers }) {
    const claims = informers.for(claimKind)
    const volumes = informers.for(volumeKind)

    const expand = async (claim: PersistentVolumeClaim, volume: PersistentVolume): Promise<void> => {
      const storage = storageOf(claim.spec.resources.requests)
      const begun = await report(claim, {
        ...claim.status,
        allocatedResources: { ...claim.status.allocatedResources, storage },
        allocatedResourceStatuses: { ...claim.status.allocatedResourceStatuses, storage: 'ControllerResizeInProgress' },
        conditions: [...setCondition(claim.status.conditions, { type: RESIZING, status: 'True' }, formatTime(clock.now()))],
      })
      if (compareQuantity(storageOf(volume.spec.capacity), storage) < 0) {
        const capacity = { ...volume.spec.capacity, storage }
        await client.update(volumeKind, { ...volume, spec: { ...volume.spec, capacity } })
      }
      const { allocatedResourceStatuses: _steps, conditions, ...rest } = begun.status
      const done = await report(begun, {
        ...rest,
        capacity: { ...begun.status.capacity, storage },
        conditions: [...removeCondition(conditions, RESIZING)],
      })
      events.event(done, 'Normal', 'VolumeResizeSuccessful', 'Resize volume succeeded')
    }
    const report = (claim: PersistentVolumeClaim, status: PersistentVolumeClaimStatus) =>
      client.update(claimKind, { ...claim, status }, { subresource: 'status' })

    /** What the server says of it otherwise does not let it grow. */
    const wishes = (change: Change<PersistentVolumeClaim>): string[] =>
      change.type !== 'delete' && states(change).some(wantsMore) ? [keyOf(change.object)] : []

    return {
      watches: [watch(claims, wishes)],
      async reconcile(key) {
        const { namespace, name } = splitKey(key)
        const claim = claims.get(namespace, name)
        if (!claim || isBeingDeleted(claim) || !wantsMore(claim)) return undefined
        const volume = volumes.get(undefined, claim.spec.volumeName ?? '')
        if (volume?.spec.claimRef?.uid !== claim.metadata.uid) return undefined
        if (annotationOf(volume, PROVISIONED_BY) === LOCAL_PROVISIONER) await expand(claim, volume)
        else events.event(claim, 'Normal', 'ExternalExpanding', 'waiting for an external controller to expand this PVC')
        return undefined
      },
    }
  },
})

function wantsMore({ spec, status }: PersistentVolumeClaim): boolean {
  return status.phase === 'Bound' && compareQuantity(storageOf(spec.resources.requests), storageOf(status.capacity)) > 0
}
