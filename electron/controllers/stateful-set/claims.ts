/**
 * The claims of a StatefulSet's pods: made before the pod, and left or deleted as the retention policy has it (KEP-1847): a claim that
 * is to go belongs to the set, or to the pod that is one too many, and is collected with it. Source: kubernetes
 * `pkg/controller/statefulset/{stateful_pod_control,stateful_set_utils}.go`.
 */
import { statefulSet as statefulSetKind } from '../../api/apps/v1/stateful-set.ts'
import type { StatefulSet } from '../../api/apps/v1/types.gen.ts'
import { persistentVolumeClaim as claimKind } from '../../api/core/v1/persistent-volume-claim.ts'
import { pod as podKind } from '../../api/core/v1/pod.ts'
import type { PersistentVolumeClaim, Pod } from '../../api/core/v1/types.gen.ts'
import type { OwnerReference } from '../../api/meta/v1/types.gen.ts'
import { semanticEqual } from '../../api/values/equal.ts'
import { isAbort } from '../../base/async.ts'
import { messageOf } from '../../base/errors.ts'
import type { Lister } from '../../client/informer.ts'
import { controllerReference, isBeingDeleted } from '../../machinery/object.ts'
import { conflict, hasReason } from '../../machinery/status.ts'
import type { ControllerContext } from '../runtime/controller.ts'
import { claimsOf, isInRange, ordinalOf, podName } from './identity.ts'

export interface Claims {
  /** Throws `Conflict` while one of them is being deleted, and what the server refused. */
  create(set: StatefulSet, ordinal: number): Promise<void>
  /** Whether a claim is to go with an earlier pod of the name, so that a new pod would lose it. */
  isStale(set: StatefulSet, ordinal: number): boolean
  /** Makes the claims of a pod that is there belong to whom the policy says. */
  retain(set: StatefulSet, pod: Pod): Promise<void>
}

export function createClaims(
  { client, events }: Pick<ControllerContext, 'client' | 'events'>,
  known: Lister<PersistentVolumeClaim>,
): Claims {
  const claimsThere = (set: StatefulSet, ordinal: number): PersistentVolumeClaim[] =>
    claimsOf(set, ordinal).flatMap(({ metadata }) => known.get(set.metadata.namespace, metadata?.name ?? '') ?? [])

  return {
    async create(set, ordinal) {
      for (const draft of claimsOf(set, ordinal)) {
        const name = draft.metadata?.name ?? ''
        const there = known.get(set.metadata.namespace, name)
        if (there && isBeingDeleted(there)) throw conflict(claimKind, name, 'it is being deleted, and the pod waits for a new one')
        if (there) continue
        const what = `Claim ${name} Pod ${podName(set, ordinal)} in StatefulSet ${set.metadata.name}`
        try {
          await client.create(claimKind, draft)
          events.event(set, 'Normal', 'SuccessfulCreate', `create ${what} success`)
        } catch (error) {
          if (hasReason(error, 'AlreadyExists')) continue
          if (!isAbort(error)) events.event(set, 'Warning', 'FailedCreate', `create ${what} failed error: ${messageOf(error)}`)
          throw error
        }
      }
    },
    isStale: (set, ordinal) =>
      set.spec.persistentVolumeClaimRetentionPolicy?.whenScaled === 'Delete' &&
      claimsThere(set, ordinal).some(({ metadata }) =>
        metadata.ownerReferences?.some(({ kind, name }) => kind === podKind.kind && name === podName(set, ordinal)),
      ),
    async retain(set, pod) {
      const ordinal = ordinalOf(set, pod)
      if (ordinal === null) return
      for (const claim of claimsThere(set, ordinal)) {
        const ownerReferences = ownersOf(claim, set, pod, isInRange(set, ordinal))
        if (!ownerReferences || isBeingDeleted(claim)) continue
        await client.update(claimKind, { ...claim, metadata: { ...claim.metadata, ownerReferences } })
      }
    },
  }
}

/** Null if they are as they should be. A claim that another controller has is none of the set's. */
function ownersOf({ metadata }: PersistentVolumeClaim, set: StatefulSet, pod: Pod, inRange: boolean): OwnerReference[] | null {
  const { whenDeleted, whenScaled } = set.spec.persistentVolumeClaimRetentionPolicy ?? {}
  const before = metadata.ownerReferences ?? []
  const others = before.filter((reference) => !isOf(reference, set, pod))
  const leaves = !inRange && whenScaled === 'Delete'
  const owner: OwnerReference[] = []
  if (others.every(({ controller }) => !controller)) {
    if (leaves) owner.push(controllerReference(pod, podKind))
    else if (whenDeleted === 'Delete') owner.push(controllerReference(set, statefulSetKind))
  }
  const after = [...others, ...owner]
  return semanticEqual(before, after) ? null : after
}

/** Also of an earlier set or pod of the name. */
function isOf({ kind, name }: OwnerReference, set: StatefulSet, pod: Pod): boolean {
  return kind === podKind.kind ? name === pod.metadata.name : kind === statefulSetKind.kind && name === set.metadata.name
}
