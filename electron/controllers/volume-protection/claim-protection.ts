/** Keeps a claim as long as a pod uses it. Source: kubernetes `pkg/controller/volume/pvcprotection`. */
import { persistentVolumeClaim as claimKind } from '../../api/core/v1/persistent-volume-claim.ts'
import { pod as podKind } from '../../api/core/v1/pod.ts'
import type { PersistentVolumeClaim, Pod } from '../../api/core/v1/types.gen.ts'
import { hasFinalizer, isBeingDeleted, isControlledBy, keyOf, splitKey, withFinalizer, withoutFinalizer } from '../../machinery/object.ts'
import { CLAIM_PROTECTION } from '../../machinery/volumes/annotations.ts'
import { defineController, watch, type Change } from '../runtime/controller.ts'
import { itself, states } from '../runtime/watches.ts'
import { claimKeysOf, ephemeralClaimName, indexByClaim, podsOfClaim } from '../workload/claim-pods.ts'
import { isPodTerminal } from '../workload/pod-state.ts'

export const claimProtectionController = defineController({
  name: 'persistentvolumeclaim-protection-controller',
  create({ client, informers }) {
    const claims = informers.for(claimKind)
    const pods = informers.for(podKind)
    indexByClaim(pods)

    const write = (claim: PersistentVolumeClaim, finalizers: string[]) =>
      client.update(claimKind, { ...claim, metadata: { ...claim.metadata, finalizers } })
    /** Informers may not have a pod yet that the server has: the last word is the server's. */
    const isInUse = async (claim: PersistentVolumeClaim): Promise<boolean> => {
      if (podsOfClaim(pods, claim).some((pod) => uses(pod, claim))) return true
      const { items } = await client.list(podKind, { namespace: claim.metadata.namespace })
      return items.some((pod) => claimKeysOf(pod).includes(keyOf(claim)) && uses(pod, claim))
    }
    /** A pod that keeps no claim from going is of no interest. */
    const freed = ({ type, object, old }: Change<Pod>): string[] => {
      const replaced = old && old.metadata.uid !== object.metadata.uid
      if (type !== 'delete' && !isPodTerminal(object) && object.spec.nodeName && !replaced) return []
      return states<Pod>(old ? { type: 'update', object, old } : { type: 'add', object }).flatMap(claimKeysOf)
    }

    return {
      watches: [watch(claims, itself), watch(pods, freed)],
      async reconcile(key) {
        const { namespace, name } = splitKey(key)
        const claim = claims.get(namespace, name)
        if (!claim) return undefined
        const held = hasFinalizer(claim, CLAIM_PROTECTION)
        if (!isBeingDeleted(claim)) {
          if (!held) await write(claim, withFinalizer(claim, CLAIM_PROTECTION))
        } else if (held && !(await isInUse(claim))) await write(claim, withoutFinalizer(claim, CLAIM_PROTECTION))
        return undefined
      },
    }
  },
})

/** A pod without a node will not begin to use a claim that is being deleted. A volume of the pod's own goes when the pod has ended. */
function uses(pod: Pod, claim: PersistentVolumeClaim): boolean {
  if (!pod.spec.nodeName) return false
  return (pod.spec.volumes ?? []).some((volume) => {
    if (volume.persistentVolumeClaim) return volume.persistentVolumeClaim.claimName === claim.metadata.name
    const own = volume.ephemeral && ephemeralClaimName(pod, volume) === claim.metadata.name && isControlledBy(claim, pod)
    return own === true && !isPodTerminal(pod)
  })
}
