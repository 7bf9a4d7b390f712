/** Which pods use which claims. */
import type { PersistentVolumeClaim, Pod, Volume } from '../../api/core/v1/types.gen.ts'
import type { Informer } from '../../client/informer.ts'
import { keyOf } from '../../machinery/object.ts'

const BY_CLAIM = 'by-claim'

/** "web-data" of the volume "data" in the pod "web": claims that live and die with their pod. Source: component-helpers `storage/ephemeral`. */
export function ephemeralClaimName({ metadata }: Pod, { name }: Volume): string {
  return `${metadata.name}-${name}`
}

/** Keys of the claims that the pod's volumes name. */
export function claimKeysOf(pod: Pod): string[] {
  const { namespace } = pod.metadata
  const names = (pod.spec.volumes ?? []).flatMap((volume) => {
    if (volume.persistentVolumeClaim) return volume.persistentVolumeClaim.claimName
    return volume.ephemeral ? ephemeralClaimName(pod, volume) : []
  })
  return [...new Set(names)].map((name) => `${namespace}/${name}`)
}

/** Several controllers may ask for it of the informer that they share. */
export function indexByClaim(pods: Informer<Pod>): void {
  pods.addIndex(BY_CLAIM, claimKeysOf)
}

export function podsOfClaim(pods: Informer<Pod>, claim: PersistentVolumeClaim): readonly Pod[] {
  return pods.byIndex(BY_CLAIM, keyOf(claim))
}
