/** Makes the claims of volumes that live and die with their pod (KEP-1698). Source: kubernetes `pkg/controller/volume/ephemeral`. */
import { persistentVolumeClaim as claimKind } from '../../api/core/v1/persistent-volume-claim.ts'
import { pod as podKind } from '../../api/core/v1/pod.ts'
import type { PersistentVolumeClaim, Pod, Volume } from '../../api/core/v1/types.gen.ts'
import type { Draft } from '../../api/meta/v1/object.ts'
import { controllerReference, isBeingDeleted, isControlledBy, keyOf, splitKey } from '../../machinery/object.ts'
import { hasReason } from '../../machinery/status.ts'
import { defineController, watch, type Change } from '../runtime/controller.ts'
import { itself } from '../runtime/watches.ts'
import { ephemeralClaimName, indexByClaim, podsOfClaim } from '../workload/claim-pods.ts'
import { isNamespaceEnding } from '../workload/pod-control.ts'
import { isPodTerminal } from '../workload/pod-state.ts'

export const ephemeralVolumeController = defineController({
  name: 'ephemeral-volume-controller',
  component: 'ephemeral_volume',
  create({ client, events, informers }) {
    const pods = informers.for(podKind)
    const claims = informers.for(claimKind)
    indexByClaim(pods)

    /** Only a claim that went may have to be made anew. */
    const gone = ({ type, object }: Change<PersistentVolumeClaim>): string[] =>
      type === 'delete' ? podsOfClaim(pods, object).filter(wantsClaims).map(keyOf) : []

    const ensure = async (pod: Pod, volume: Volume): Promise<void> => {
      const { namespace } = pod.metadata
      const name = ephemeralClaimName(pod, volume)
      const there = claims.get(namespace, name)
      if (there) return checkOwner(pod, volume, there)
      try {
        await client.create(claimKind, claimDraft(pod, volume))
      } catch (error) {
        if (isNamespaceEnding(error)) return
        if (!hasReason(error, 'AlreadyExists')) throw error
        checkOwner(pod, volume, await client.get(claimKind, { namespace, name }))
      }
    }
    const checkOwner = (pod: Pod, volume: Volume, claim: PersistentVolumeClaim): void => {
      if (isControlledBy(claim, pod)) return
      const [owned, owner] = [keyOf(claim), keyOf(pod)]
      const why = `ephemeral volume ${volume.name}: PVC ${owned} was not created for pod ${owner} (pod is not owner)`
      events.event(pod, 'Warning', 'FailedBinding', why)
    }

    return {
      watches: [watch(pods, itself), watch(claims, gone)],
      async reconcile(key) {
        const { namespace, name } = splitKey(key)
        const pod = pods.get(namespace, name)
        if (!pod || !wantsClaims(pod)) return undefined
        for (const volume of pod.spec.volumes ?? []) if (volume.ephemeral) await ensure(pod, volume)
        return undefined
      },
    }
  },
})

function wantsClaims(pod: Pod): boolean {
  return !isBeingDeleted(pod) && !isPodTerminal(pod) && (pod.spec.volumes ?? []).some(({ ephemeral }) => ephemeral)
}

function claimDraft(pod: Pod, volume: Volume): Draft<PersistentVolumeClaim> {
  const { metadata: { labels, annotations } = {}, spec } = volume.ephemeral?.volumeClaimTemplate ?? {}
  return {
    metadata: {
      name: ephemeralClaimName(pod, volume),
      ...(pod.metadata.namespace ? { namespace: pod.metadata.namespace } : {}),
      ...(labels ? { labels } : {}),
      ...(annotations ? { annotations } : {}),
      ownerReferences: [controllerReference(pod, podKind)],
    },
    ...(spec ? { spec } : {}),
  }
}
