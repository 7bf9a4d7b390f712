import { replicaSet as replicaSetKind } from '../../api/apps/v1/replica-set.ts'
import { statefulSet as statefulSetKind } from '../../api/apps/v1/stateful-set.ts'
import { namespace as namespaceKind } from '../../api/core/v1/namespace.ts'
import { persistentVolumeClaim as persistentVolumeClaimKind } from '../../api/core/v1/persistent-volume-claim.ts'
import { persistentVolume as persistentVolumeKind, storageClassOf } from '../../api/core/v1/persistent-volume.ts'
import { replicationController as replicationControllerKind } from '../../api/core/v1/replication-controller.ts'
import { service as serviceKind } from '../../api/core/v1/service.ts'
import { podDisruptionBudget as podDisruptionBudgetKind } from '../../api/policy/v1/pod-disruption-budget.ts'
import { deviceClass as deviceClassKind } from '../../api/resource/v1/device-class.ts'
import { resourceClaim as resourceClaimKind } from '../../api/resource/v1/resource-claim.ts'
import { resourceSlice as resourceSliceKind } from '../../api/resource/v1/resource-slice.ts'
import { csiDriver as csiDriverKind } from '../../api/storage/v1/csi-driver.ts'
import { csiStorageCapacity as storageCapacityKind } from '../../api/storage/v1/csi-storage-capacity.ts'
import { csiNode as csiNodeKind } from '../../api/storage/v1/csi-node.ts'
import { storageClass as storageClassKind } from '../../api/storage/v1/storage-class.ts'
import { volumeAttachment as volumeAttachmentKind } from '../../api/storage/v1/volume-attachment.ts'
import type { Informers } from '../../client/informer.ts'
import type { ClusterObjects } from '../snapshot/cluster-objects.ts'

const FREE_BY_CLASS = 'free-by-class'
const BY_CLAIM = 'by-claim'
const BY_CLASS = 'by-class'
const BY_NODE = 'by-node'

/** What plugins read of the cluster, from informers. */
export function informedObjects(informers: Informers): ClusterObjects {
  const namespaces = informers.for(namespaceKind)
  const services = informers.for(serviceKind)
  const replicaSets = informers.for(replicaSetKind)
  const statefulSets = informers.for(statefulSetKind)
  const replicationControllers = informers.for(replicationControllerKind)
  const budgets = informers.for(podDisruptionBudgetKind)
  const claims = informers.for(persistentVolumeClaimKind)
  const volumes = informers.for(persistentVolumeKind)
  const classes = informers.for(storageClassKind)
  const csiNodes = informers.for(csiNodeKind)
  const csiDrivers = informers.for(csiDriverKind)
  const capacities = informers.for(storageCapacityKind)
  const deviceClaims = informers.for(resourceClaimKind)
  const deviceClasses = informers.for(deviceClassKind)
  const slices = informers.for(resourceSliceKind)
  const attachments = informers.for(volumeAttachmentKind)
  attachments.addIndex(BY_NODE, ({ spec }) => [spec.nodeName])
  capacities.addIndex(BY_CLASS, ({ storageClassName }) => [storageClassName])
  volumes.addIndex(FREE_BY_CLASS, (volume) => (volume.spec.claimRef ? [] : [storageClassOf(volume)]))
  volumes.addIndex(BY_CLAIM, ({ spec: { claimRef } }) => (claimRef ? [`${claimRef.namespace ?? ''}/${claimRef.name ?? ''}`] : []))
  return {
    namespaceLabels(namespace) {
      const found = namespaces.get(undefined, namespace)
      return found && (found.metadata.labels ?? {})
    },
    namespaces: () => namespaces.list().map(({ metadata }) => metadata.name),
    services: (namespace) => services.list(namespace),
    replicaSet: (namespace, name) => replicaSets.get(namespace, name),
    statefulSet: (namespace, name) => statefulSets.get(namespace, name),
    replicationController: (namespace, name) => replicationControllers.get(namespace, name),
    disruptionBudgets: () => budgets.list(),
    persistentVolumeClaim: (namespace, name) => claims.get(namespace, name),
    persistentVolume: (name) => volumes.get(undefined, name),
    persistentVolumesFor: (className, namespace, claim) => [
      ...volumes.byIndex(BY_CLAIM, `${namespace}/${claim}`),
      ...volumes.byIndex(FREE_BY_CLASS, className),
    ],
    storageClass: (name) => classes.get(undefined, name),
    csiNode: (name) => csiNodes.get(undefined, name),
    volumeAttachments: (node) => attachments.byIndex(BY_NODE, node),
    csiDriver: (name) => csiDrivers.get(undefined, name),
    storageCapacities: (className) => capacities.byIndex(BY_CLASS, className),
    resourceClaim: (namespace, name) => deviceClaims.get(namespace, name),
    resourceClaims: () => deviceClaims.list(),
    deviceClass: (name) => deviceClasses.get(undefined, name),
    resourceSlices: () => slices.list(),
  }
}
