/** What a change of storage means for pods that wait. Source: the QueueingHints of kubernetes `scheduler/framework/plugins/volume*`. */
import type { PersistentVolume, Pod } from '../../api/core/v1/types.gen.ts'
import type { KubeObject } from '../../api/meta/v1/object.ts'
import type { CSIDriver, CSINode, CSIStorageCapacity, StorageClass } from '../../api/storage/v1/types.gen.ts'
import { semanticEqual } from '../../api/values/equal.ts'
import { compareQuantity } from '../../api/values/quantity.ts'
import type { EventRegistration, Hint } from '../framework/plugin.ts'
import { claimNamesOf } from './pod-volumes.ts'

type Hinting = NonNullable<EventRegistration['hint']>

const hint = (isWorth: boolean): Hint => (isWorth ? 'Queue' : 'Skip')

/** The claim is one of the pod's. */
export const ownClaim: Hinting = ({ pod, namespace }, _old, now) =>
  hint(now?.metadata.namespace === namespace && claimNamesOf(pod).includes(now.metadata.name))

/** A pod went that had claims. */
export const withClaims: Hinting = (_pod, old) => hint(old !== undefined && claimNamesOf(old as Pod).length > 0)

/** The pod has claims. */
export const hasClaims: Hinting = ({ pod }) => hint(claimNamesOf(pod).length > 0)

/** Volumes of the class are made elsewhere than before. */
export const otherTopologies: Hinting = (_pod, old, now) =>
  hint(!old || !semanticEqual((old as StorageClass).allowedTopologies, (now as StorageClass).allowedTopologies))

/** Claims of the class wait for their pod. */
export const waitingClass: Hinting = (_pod, _old, now) => hint((now as StorageClass).volumeBindingMode === 'WaitForFirstConsumer')

/** The driver's room is not asked for any more. */
export const roomIgnored: Hinting = (_pod, old, now) =>
  hint((!old || (old as CSIDriver).spec.storageCapacity === true) && !(now as CSIDriver).spec.storageCapacity)

/** There is more room than before, for all volumes or for one. */
export const moreRoom: Hinting = (_pod, old, now) => {
  const [before, after] = [roomOf(old), roomOf(now)]
  return hint(!old || (after !== undefined && (before === undefined || compareQuantity(after, before) > 0)))
}

function roomOf(capacity: KubeObject | undefined): string | undefined {
  const { maximumVolumeSize, capacity: size } = (capacity ?? {}) as Partial<CSIStorageCapacity>
  return maximumVolumeSize ?? size
}

/** The node can have more volumes of a driver. */
export const higherLimit: Hinting = (_pod, old, now) => {
  const limitsOf = (node: KubeObject | undefined) =>
    new Map(((node as CSINode | undefined)?.spec.drivers ?? []).map(({ name, allocatable }) => [name, allocatable?.count]))
  const before = limitsOf(old)
  const grows = [...limitsOf(now)].some(([driver, limit]) => {
    const last = before.get(driver)
    return limit === undefined ? last !== undefined : last !== undefined && limit > last
  })
  return hint(!old || grows)
}

/** A volume is in other zones or regions. */
export function movedVolume(labels: readonly string[]): Hinting {
  const placesOf = (volume: KubeObject) => labels.map((label) => (volume as PersistentVolume).metadata.labels?.[label])
  return (_pod, old, now) => hint(!old || !now || !semanticEqual(placesOf(old), placesOf(now)))
}
