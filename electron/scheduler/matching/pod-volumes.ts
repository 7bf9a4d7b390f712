/** The claims behind a pod's volumes. */
import type { PersistentVolumeClaim, Pod } from '../../api/core/v1/types.gen.ts'
import type { ClusterObjects } from '../snapshot/cluster-objects.ts'

/** Names of the claims that the pod's volumes stand for, those of its own included. */
export function claimNamesOf({ metadata, spec }: Pod): string[] {
  return (spec.volumes ?? []).flatMap(({ name, persistentVolumeClaim, ephemeral }) => {
    if (persistentVolumeClaim) return persistentVolumeClaim.claimName
    return ephemeral ? `${metadata.name}-${name}` : []
  })
}

/** Those that are there. */
export function claimsOf(pod: Pod, objects: ClusterObjects): PersistentVolumeClaim[] {
  return claimNamesOf(pod).flatMap((name) => objects.persistentVolumeClaim(pod.metadata.namespace ?? '', name) ?? [])
}
