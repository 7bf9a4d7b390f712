/** Takes pods that are done out of the users of a claim, and the devices from a claim without users. */
import { pod as podKind } from '../../api/core/v1/pod.ts'
import type { Pod } from '../../api/core/v1/types.gen.ts'
import { resourceClaim as claimKind } from '../../api/resource/v1/resource-claim.ts'
import type { ResourceClaim, ResourceClaimConsumerReference } from '../../api/resource/v1/types.gen.ts'
import type { Informer } from '../../client/informer.ts'
import { CLAIM_FINALIZER } from '../../machinery/devices/pod-claims.ts'
import { controllerOf, hasFinalizer, isBeingDeleted, withoutFinalizer } from '../../machinery/object.ts'
import { hasReason } from '../../machinery/status.ts'
import type { ControllerContext } from '../runtime/controller.ts'
import { groupOf } from '../runtime/watches.ts'
import { isPodTerminal } from '../workload/pod-state.ts'

export class ClaimRelease {
  readonly #context: ControllerContext
  readonly #pods: Informer<Pod>

  constructor(context: ControllerContext, pods: Informer<Pod>) {
    this.#context = context
    this.#pods = pods
  }

  async sync(claim: ResourceClaim): Promise<void> {
    const { client } = this.#context
    const users = claim.status.reservedFor ?? []
    const valid: ResourceClaimConsumerReference[] = []
    for (const user of users) if (await this.#uses(claim, user)) valid.push(user)
    let current = claim
    const idle = valid.length === 0
    const ends = idle && (users.length > 0 || isBeingDeleted(claim))
    if (valid.length < users.length || (ends && claim.status.allocation)) {
      const { allocation: _allocation, devices: _devices, reservedFor: _reservedFor, ...rest } = claim.status
      const status = ends ? rest : { ...claim.status, reservedFor: valid }
      current = await client.update(claimKind, { ...claim, status }, { subresource: 'status' })
    }
    // Before an allocation it is the scheduler's.
    if (idle && !current.status.allocation && hasFinalizer(current, CLAIM_FINALIZER) && (ends || isBeingDeleted(current))) {
      const finalizers = withoutFinalizer(current, CLAIM_FINALIZER)
      current = await client.update(claimKind, { ...current, metadata: { ...current.metadata, finalizers } })
    }
    if (idle && !isBeingDeleted(current) && this.#wasFor(current)) {
      const { uid, resourceVersion } = current.metadata
      await client.delete(claimKind, current.metadata, { preconditions: { uid, resourceVersion } }).catch((error: unknown) => {
        if (!hasReason(error, 'NotFound')) throw error
      })
    }
  }

  /** Users other than pods are left to who entered them. */
  async #uses({ metadata }: ResourceClaim, { apiGroup = '', resource, name, uid }: ResourceClaimConsumerReference): Promise<boolean> {
    if (apiGroup !== '' || resource !== 'pods') return true
    const { namespace } = metadata
    const known = this.#pods.get(namespace, name)
    if (known?.metadata.uid === uid) return !isDone(known)
    // The informer may be behind.
    try {
      const live = await this.#context.client.get(podKind, { namespace, name })
      return live.metadata.uid === uid && !isDone(live)
    } catch (error) {
      if (hasReason(error, 'NotFound')) return false
      throw error
    }
  }

  /** Whether it was made for a pod that is there and has ended; that of a pod which is gone goes with it. */
  #wasFor(claim: ResourceClaim): boolean {
    const owner = controllerOf(claim)
    if (!owner || owner.kind !== podKind.kind || groupOf(owner.apiVersion) !== '') return false
    const pod = this.#pods.get(claim.metadata.namespace, owner.name)
    return pod?.metadata.uid === owner.uid && isDone(pod)
  }
}

function isDone(pod: Pod): boolean {
  return isPodTerminal(pod) || (isBeingDeleted(pod) && !pod.spec.nodeName)
}
