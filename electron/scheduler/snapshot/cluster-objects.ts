/** What plugins read of the cluster beside its nodes and pods. */
import type { ReplicaSet, StatefulSet } from '../../api/apps/v1/types.gen.ts'
import type { PersistentVolume, PersistentVolumeClaim, ReplicationController, Service } from '../../api/core/v1/types.gen.ts'
import type { PodDisruptionBudget } from '../../api/policy/v1/types.gen.ts'
import type { DeviceClass, ResourceClaim, ResourceSlice } from '../../api/resource/v1/types.gen.ts'
import type { CSIDriver, CSINode, CSIStorageCapacity, StorageClass, VolumeAttachment } from '../../api/storage/v1/types.gen.ts'
import type { Labels } from '../../machinery/selector/requirement.ts'

export interface ClusterObjects {
  /** Undefined for a namespace that is not known. */
  namespaceLabels(namespace: string): Labels | undefined
  namespaces(): Iterable<string>
  services(namespace: string): readonly Service[]
  replicaSet(namespace: string, name: string): ReplicaSet | undefined
  statefulSet(namespace: string, name: string): StatefulSet | undefined
  replicationController(namespace: string, name: string): ReplicationController | undefined
  disruptionBudgets(): readonly PodDisruptionBudget[]
  persistentVolumeClaim(namespace: string, name: string): PersistentVolumeClaim | undefined
  persistentVolume(name: string): PersistentVolume | undefined
  /** Volumes of a class ("": of none) that no claim has, and those that are promised to this claim. */
  persistentVolumesFor(className: string, namespace: string, claim: string): Iterable<PersistentVolume>
  storageClass(name: string): StorageClass | undefined
  /** Which CSI drivers a node has. */
  csiNode(name: string): CSINode | undefined
  /** What is attached to a node, or is being attached or detached. */
  volumeAttachments(node: string): readonly VolumeAttachment[]
  csiDriver(name: string): CSIDriver | undefined
  /** How much room there is for volumes of a class, and where. */
  storageCapacities(className: string): readonly CSIStorageCapacity[]
  resourceClaim(namespace: string, name: string): ResourceClaim | undefined
  resourceClaims(): readonly ResourceClaim[]
  deviceClass(name: string): DeviceClass | undefined
  resourceSlices(): readonly ResourceSlice[]
}

/** A cluster of which nothing else is known. */
export const NO_OBJECTS: ClusterObjects = Object.freeze({
  namespaceLabels: () => undefined,
  namespaces: () => [],
  services: () => [],
  replicaSet: () => undefined,
  statefulSet: () => undefined,
  replicationController: () => undefined,
  disruptionBudgets: () => [],
  persistentVolumeClaim: () => undefined,
  persistentVolume: () => undefined,
  persistentVolumesFor: () => [],
  storageClass: () => undefined,
  csiNode: () => undefined,
  volumeAttachments: () => [],
  csiDriver: () => undefined,
  storageCapacities: () => [],
  resourceClaim: () => undefined,
  resourceClaims: () => [],
  deviceClass: () => undefined,
  resourceSlices: () => [],
})
