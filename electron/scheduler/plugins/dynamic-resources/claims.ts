/** The claims of a pod, as the scheduler needs them: all there, and its own. Source: kubernetes `dynamicresources.go`, `foreachPodResourceClaim`. */
import type { Pod } from '../../../api/core/v1/types.gen.ts'
import type { ResourceClaim } from '../../../api/resource/v1/types.gen.ts'
import { claimNameFor, isClaimFor } from '../../../machinery/devices/pod-claims.ts'
import { isBeingDeleted } from '../../../machinery/object.ts'

/** Each once. `fault`: what the pod has to wait for, whichever node it may be. */
export function claimsOf(
  pod: Pod,
  claim: (name: string) => ResourceClaim | undefined,
): readonly ResourceClaim[] | { readonly fault: string } {
  const found = new Set<ResourceClaim>()
  for (const entry of pod.spec.resourceClaims ?? []) {
    const name = claimNameFor(pod, entry)
    if (name === null) continue
    if (name === undefined) {
      const { namespace, name: podName } = pod.metadata
      return { fault: `pod "${namespace}/${podName}": claim "${entry.name}": ResourceClaim not created yet` }
    }
    const one = claim(name)
    if (!one) return { fault: `resourceclaim.resource.k8s.io "${name}" not found` }
    if (isBeingDeleted(one)) return { fault: `resourceclaim "${name}" is being deleted` }
    if (!entry.resourceClaimName && !isClaimFor(one, pod)) {
      const { namespace, name: podName } = pod.metadata
      return { fault: `ResourceClaim ${namespace}/${name} was not created for pod ${namespace}/${podName} (pod is not owner)` }
    }
    found.add(one)
  }
  return [...found]
}
