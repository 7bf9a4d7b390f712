/**
 * Makes the claims of pods from their templates, and gives back what nobody uses any more.
 * Source: kubernetes `pkg/controller/resourceclaim`, KEP-4381.
 */
import { pod as podKind } from '../../api/core/v1/pod.ts'
import { resourceClaimTemplate as templateKind } from '../../api/resource/v1/resource-claim-template.ts'
import { resourceClaim as claimKind } from '../../api/resource/v1/resource-claim.ts'
import type { Pod } from '../../api/core/v1/types.gen.ts'
import type { ResourceClaim } from '../../api/resource/v1/types.gen.ts'
import { claimNameFor } from '../../machinery/devices/pod-claims.ts'
import { controllerOf, keyOf, splitKey } from '../../machinery/object.ts'
import { defineController, watch, type Change } from '../runtime/controller.ts'
import { groupOf, states } from '../runtime/watches.ts'
import { ClaimRelease } from './release.ts'
import { PodClaimMaker } from './pod-claims.ts'

const BY_CLAIM = 'by-resource-claim'
const [POD, CLAIM] = ['pod:', 'claim:']

export const resourceClaimController = defineController({
  name: 'resourceclaim-controller',
  component: 'resource_claim',
  create(context) {
    const { informers } = context
    const pods = informers.for(podKind)
    const claims = informers.for(claimKind)
    const templates = informers.for(templateKind)
    pods.addIndex(BY_CLAIM, claimKeysOf)
    const maker = new PodClaimMaker(context, claims, templates)
    const release = new ClaimRelease(context, pods)

    const ofPod = (change: Change<Pod>): string[] => {
      const { object, type } = change
      if (!states(change).some(({ spec }) => spec.resourceClaims?.length)) return []
      if (type === 'delete') maker.forget(object)
      return [
        POD + keyOf(object),
        ...new Set(
          states(change)
            .flatMap(claimKeysOf)
            .map((key) => CLAIM + key),
        ),
      ]
    }
    /** Whose it is or who uses it may have to make it anew, or to be entered as its user. */
    const ofClaim = ({ object }: Change<ResourceClaim>): string[] => {
      const key = keyOf(object)
      maker.seen(object)
      const owner = ownerKey(object)
      return [CLAIM + key, ...(owner ? [POD + owner] : []), ...pods.byIndex(BY_CLAIM, key).map((pod) => POD + keyOf(pod))]
    }

    return {
      watches: [watch(pods, ofPod), watch(claims, ofClaim)],
      async reconcile(key) {
        const isPod = key.startsWith(POD)
        const { namespace, name } = splitKey(key.slice(isPod ? POD.length : CLAIM.length))
        if (isPod) {
          const pod = pods.get(namespace, name)
          if (pod) await maker.sync(pod)
        } else {
          const claim = claims.get(namespace, name)
          if (claim) await release.sync(claim)
        }
        return undefined
      },
    }
  },
})

/** Keys of the claims that a pod uses, of those that are made. */
function claimKeysOf(pod: Pod): string[] {
  const names = (pod.spec.resourceClaims ?? []).flatMap((entry) => claimNameFor(pod, entry) ?? [])
  return [...new Set(names)].map((name) => `${pod.metadata.namespace}/${name}`)
}

function ownerKey(claim: ResourceClaim): string | null {
  const owner = controllerOf(claim)
  return owner?.kind === podKind.kind && groupOf(owner.apiVersion) === '' ? `${claim.metadata.namespace}/${owner.name}` : null
}
