/** Which ResourceClaims a pod uses, and who uses a claim. Source: kubernetes `dynamic-resource-allocation/resourceclaim`. */
import type { Pod, PodResourceClaim } from '../../api/core/v1/types.gen.ts'
import type { ResourceClaim, ResourceClaimConsumerReference } from '../../api/resource/v1/types.gen.ts'
import { isControlledBy } from '../object.ts'

/** Keeps an allocated claim until nobody uses it. */
export const CLAIM_FINALIZER = 'resource.kubernetes.io/delete-protection'
/** On a generated claim: which of its pod's entries it was made for. */
export const POD_CLAIM_NAME = 'resource.kubernetes.io/pod-claim-name'
/** On a namespace, "true": its claims may ask for access to devices that others use. */
export const ADMIN_ACCESS = 'resource.kubernetes.io/admin-access'
/** So many may share a claim. */
export const MOST_CONSUMERS = 256

/** The claim's name; null: the entry needs none; undefined: it is not made yet. */
export function claimNameFor({ status }: Pod, { name, resourceClaimName }: PodResourceClaim): string | null | undefined {
  if (resourceClaimName) return resourceClaimName
  const told = status.resourceClaimStatuses?.find((one) => one.name === name)
  return told && (told.resourceClaimName ?? null)
}

/** Whether a claim that was made for a pod is this pod's. */
export function isClaimFor(claim: ResourceClaim, pod: Pod): boolean {
  return claim.metadata.namespace === pod.metadata.namespace && isControlledBy(claim, pod)
}

export function isReservedFor({ status }: ResourceClaim, { metadata }: Pod): boolean {
  return status.reservedFor?.some(({ uid }) => uid === metadata.uid) ?? false
}

export function canBeReserved({ status }: ResourceClaim): boolean {
  return (status.reservedFor?.length ?? 0) < MOST_CONSUMERS
}

export function consumerReference({ metadata }: Pod): ResourceClaimConsumerReference {
  return { resource: 'pods', name: metadata.name, uid: metadata.uid }
}
