/** Whether a driver has room for a volume that a node can reach (KEP-1472). Source: kubernetes `plugins/volumebinding/binder.go`, `hasEnoughCapacity`. */
import type { PersistentVolumeClaim } from '../../../api/core/v1/types.gen.ts'
import type { CSIStorageCapacity, StorageClass } from '../../../api/storage/v1/types.gen.ts'
import { compareQuantity } from '../../../api/values/quantity.ts'
import { selectorFromObject } from '../../../machinery/selector/label-selector.ts'
import { storageOf } from '../../../machinery/volumes/match.ts'
import type { SelectableNode } from '../../matching/node-selector.ts'
import type { ClusterObjects } from '../../snapshot/cluster-objects.ts'

/** Of drivers that do not tell, it is believed. */
export function hasRoom(
  { metadata, provisioner }: StorageClass,
  claim: PersistentVolumeClaim,
  node: SelectableNode,
  objects: ClusterObjects,
): boolean {
  if (!objects.csiDriver(provisioner)?.spec.storageCapacity) return true
  const wanted = storageOf(claim.spec.resources.requests)
  return objects.storageCapacities(metadata.name).some((one) => isEnough(one, wanted) && reaches(one, node))
}

function isEnough({ capacity, maximumVolumeSize }: CSIStorageCapacity, wanted: Parameters<typeof compareQuantity>[0]): boolean {
  const most = maximumVolumeSize ?? capacity
  return most !== undefined && compareQuantity(most, wanted) >= 0
}

/** Without a topology nobody reaches it. */
function reaches({ nodeTopology }: CSIStorageCapacity, { labels }: SelectableNode): boolean {
  return nodeTopology !== undefined && selectorFromObject(nodeTopology).matches(labels)
}
