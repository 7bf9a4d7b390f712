/** The claims of one pod: made from templates, told in its status, and entered as used where no scheduler did. */
import { pod as podKind } from '../../api/core/v1/pod.ts'
import type { Pod, PodResourceClaim, PodResourceClaimStatus } from '../../api/core/v1/types.gen.ts'
import type { Draft } from '../../api/meta/v1/object.ts'
import { resourceClaim as claimKind } from '../../api/resource/v1/resource-claim.ts'
import type { ResourceClaim, ResourceClaimTemplate } from '../../api/resource/v1/types.gen.ts'
import { isAbort } from '../../base/async.ts'
import { messageOf } from '../../base/errors.ts'
import type { Informer } from '../../client/informer.ts'
import {
  canBeReserved,
  claimNameFor,
  consumerReference,
  isClaimFor,
  isReservedFor,
  POD_CLAIM_NAME,
} from '../../machinery/devices/pod-claims.ts'
import { controllerOf, controllerReference, isBeingDeleted } from '../../machinery/object.ts'
import { hasReason } from '../../machinery/status.ts'
import type { ControllerContext } from '../runtime/controller.ts'
import { isNamespaceEnding } from '../workload/pod-control.ts'
import { isPodTerminal } from '../workload/pod-state.ts'

const BY_OWNER = 'by-owner'

export class PodClaimMaker {
  readonly #context: ControllerContext
  readonly #claims: Informer<ResourceClaim>
  readonly #templates: Informer<ResourceClaimTemplate>
  /** What was made and informers have not told of yet: by the pod's uid, then by its entry. */
  readonly #made = new Map<string, Map<string, ResourceClaim>>()

  constructor(context: ControllerContext, claims: Informer<ResourceClaim>, templates: Informer<ResourceClaimTemplate>) {
    this.#context = context
    this.#claims = claims
    this.#templates = templates
    claims.addIndex(BY_OWNER, (claim) => [controllerOf(claim)?.uid ?? ''])
  }

  forget({ metadata }: Pod): void {
    this.#made.delete(metadata.uid)
  }

  /** Informers tell of the claim. */
  seen(claim: ResourceClaim): void {
    const ofPod = this.#made.get(controllerOf(claim)?.uid ?? '')
    const entry = claim.metadata.annotations?.[POD_CLAIM_NAME] ?? ''
    if (ofPod?.get(entry)?.metadata.uid === claim.metadata.uid) ofPod.delete(entry)
  }

  async sync(pod: Pod): Promise<void> {
    const entries = pod.spec.resourceClaims ?? []
    if (entries.length === 0 || isBeingDeleted(pod) || isPodTerminal(pod)) return this.forget(pod)
    const statuses: PodResourceClaimStatus[] = []
    for (const entry of entries) {
      if (!entry.resourceClaimTemplateName) continue
      const resourceClaimName = await this.#ensure(pod, entry)
      if (resourceClaimName === null) return
      statuses.push({ name: entry.name, resourceClaimName })
    }
    const isTold = statuses.every(({ name, resourceClaimName }) => claimNameFor(pod, { name }) === resourceClaimName)
    if (!isTold) await this.#tell(pod, statuses)
    if (pod.spec.nodeName) for (const entry of entries) await this.#enter(pod, entry)
  }

  /** The claim's name; null: none can be made any more. */
  async #ensure(pod: Pod, entry: PodResourceClaim): Promise<string | null> {
    const { events, client } = this.#context
    const { namespace } = pod.metadata
    const known = await this.#find(pod, entry)
    if (known) return known.metadata.name
    try {
      const template = this.#templates.get(namespace, entry.resourceClaimTemplateName ?? '')
      if (!template) throw new Error(`resource claim template "${entry.resourceClaimTemplateName}" not found`)
      const made = await client.create(claimKind, claimDraft(pod, entry, template))
      const ofPod = this.#made.get(pod.metadata.uid) ?? new Map<string, ResourceClaim>()
      this.#made.set(pod.metadata.uid, ofPod.set(entry.name, made))
      return made.metadata.name
    } catch (error) {
      if (isNamespaceEnding(error)) return null
      if (!isAbort(error)) {
        events.event(pod, 'Warning', 'FailedResourceClaimCreation', `PodResourceClaim ${entry.name}: ${messageOf(error)}`)
      }
      throw error
    }
  }

  /** The one that the status names, or one that was made and not told yet. */
  async #find(pod: Pod, entry: PodResourceClaim): Promise<ResourceClaim | undefined> {
    const { namespace, uid } = pod.metadata
    const told = claimNameFor(pod, entry)
    const named = told ? this.#claims.get(namespace, told) : undefined
    if (named && isClaimFor(named, pod)) return named
    const made = this.#made.get(uid)?.get(entry.name)
    if (made) {
      const live = await this.#context.client.get(claimKind, made.metadata).catch((error: unknown) => {
        if (!hasReason(error, 'NotFound')) throw error
      })
      if (live?.metadata.uid === made.metadata.uid) return live
      this.seen(made)
    }
    return this.#claims.byIndex(BY_OWNER, uid).find(({ metadata }) => metadata.annotations?.[POD_CLAIM_NAME] === entry.name)
  }

  async #tell(pod: Pod, resourceClaimStatuses: readonly PodResourceClaimStatus[]): Promise<void> {
    const { uid } = pod.metadata
    const body = { metadata: { uid }, status: { resourceClaimStatuses } }
    await this.#context.client.patch(podKind, pod.metadata, { type: 'strategic', body }, { subresource: 'status' })
  }

  /** The pod was put on its node without asking for devices, and uses a claim that has them. */
  async #enter(pod: Pod, entry: PodResourceClaim): Promise<void> {
    const claim = this.#claims.get(pod.metadata.namespace, claimNameFor(pod, entry) ?? '')
    if (!claim?.status.allocation || isReservedFor(claim, pod) || !canBeReserved(claim)) return
    if (entry.resourceClaimTemplateName && !isClaimFor(claim, pod)) return
    const reservedFor = [...(claim.status.reservedFor ?? []), consumerReference(pod)]
    await this.#context.client.update(claimKind, { ...claim, status: { ...claim.status, reservedFor } }, { subresource: 'status' })
  }
}

function claimDraft(pod: Pod, entry: PodResourceClaim, { spec }: ResourceClaimTemplate): Draft<ResourceClaim> {
  const { labels, annotations } = spec.metadata
  return {
    metadata: {
      generateName: `${pod.metadata.name}-${entry.name}-`,
      ...(pod.metadata.namespace ? { namespace: pod.metadata.namespace } : {}),
      ...(labels ? { labels } : {}),
      annotations: { ...annotations, [POD_CLAIM_NAME]: entry.name },
      ownerReferences: [controllerReference(pod, podKind)],
    },
    spec: spec.spec,
  }
}
