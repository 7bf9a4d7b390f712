/** Writes what was decided into claims. Source: kubernetes `plugins/dynamicresources/dynamicresources.go`, `bindClaim`. */
import type { Pod } from '../../../api/core/v1/types.gen.ts'
import { resourceClaim as claimKind } from '../../../api/resource/v1/resource-claim.ts'
import type { AllocationResult, ResourceClaim } from '../../../api/resource/v1/types.gen.ts'
import { sleep } from '../../../base/clock.ts'
import { canBeReserved, CLAIM_FINALIZER, consumerReference, isReservedFor } from '../../../machinery/devices/pod-claims.ts'
import { hasFinalizer, isBeingDeleted, withFinalizer } from '../../../machinery/object.ts'
import { hasReason } from '../../../machinery/status.ts'
import type { Handle } from '../../framework/descriptor.ts'

const TRIES = 5
/** Between looks at devices that are made ready, in milliseconds; and how long that may take. */
const LOOK = 1000
const READY_TIMEOUT = 600_000

type Wanted = (claim: ResourceClaim) => ResourceClaim

/** Resolves to the claim as it is written; throws Error where the claim is not any more what the decision was about. */
export async function reserveClaim(
  { client }: Handle,
  claim: ResourceClaim,
  allocation: AllocationResult | null,
  pod: Pod,
  signal: AbortSignal,
): Promise<ResourceClaim> {
  return withLatest(client, claim, signal, async (current) => {
    const { name } = current.metadata
    if (isBeingDeleted(current)) throw new Error(`claim ${name} got deleted in the meantime`)
    if (allocation && current.status.allocation) throw new Error(`claim ${name} got allocated elsewhere in the meantime`)
    if (!allocation && !current.status.allocation) throw new Error(`claim ${name} got deallocated elsewhere in the meantime`)
    if (isReservedFor(current, pod)) return current
    if (!canBeReserved(current)) throw new Error(`claim ${name} is used by as many pods as may share it`)
    let kept = current
    if (allocation && !hasFinalizer(current, CLAIM_FINALIZER)) {
      const finalizers = withFinalizer(current, CLAIM_FINALIZER)
      kept = await client.update(claimKind, { ...current, metadata: { ...current.metadata, finalizers } }, { signal })
    }
    const reservedFor = [...(kept.status.reservedFor ?? []), consumerReference(pod)]
    const status = { ...kept.status, ...(allocation ? { allocation } : {}), reservedFor }
    return client.update(claimKind, { ...kept, status }, { subresource: 'status', signal })
  })
}

/** The pod does not use it, after all. */
export async function unreserveClaim({ client, signal }: Handle, claim: ResourceClaim, pod: Pod): Promise<void> {
  await change(client, claim, signal, (current) => {
    const reservedFor = (current.status.reservedFor ?? []).filter(({ uid }) => uid !== pod.metadata.uid)
    return isReservedFor(current, pod) ? { ...current, status: { ...current.status, reservedFor } } : current
  })
}

/** Gives the devices back, so that they can be chosen anew; a claim that somebody else uses by now stays as it is. */
export async function deallocateClaim({ client, signal }: Handle, claim: ResourceClaim, pod: Pod): Promise<void> {
  await change(client, claim, signal, (current) =>
    isIdle(current, pod) && current.status.allocation ? { ...current, status: {} } : current,
  )
}

/** Whether nobody but the pod uses it. */
export function isIdle({ status }: ResourceClaim, { metadata }: Pod): boolean {
  return (status.reservedFor ?? []).every(({ uid }) => uid === metadata.uid)
}

/** Devices may have to be made ready first, by who offers them (KEP-5007). Throws Error where that fails or takes too long. */
export async function untilReady(handle: Handle, claim: ResourceClaim, pod: Pod, signal: AbortSignal): Promise<void> {
  const { client, clock } = handle
  const until = clock.monotonic() + READY_TIMEOUT
  for (let current = claim; ; current = await client.get(claimKind, claim.metadata, { signal })) {
    if (current.metadata.uid !== claim.metadata.uid || !current.status.allocation)
      throw new Error(`claim ${claim.metadata.name} got deallocated elsewhere in the meantime`)
    const open = openConditions(current)
    if (open.failed) throw new Error(`claim ${claim.metadata.name}: device ${open.failed} failed to become ready`)
    if (!open.waits) return
    if (handle.livePod(pod.metadata.namespace ?? '', pod.metadata.name)?.metadata.uid !== pod.metadata.uid)
      throw new Error('the pod is gone')
    if (clock.monotonic() >= until) throw new Error(`claim ${claim.metadata.name}: timed out waiting for its devices`)
    await sleep(clock, LOOK, signal)
  }
}

function openConditions({ status }: ResourceClaim): { readonly waits: boolean; readonly failed: string | null } {
  let waits = false
  for (const { driver, pool, device, bindingConditions = [], bindingFailureConditions = [] } of status.allocation?.devices.results ?? []) {
    const told = status.devices?.find((one) => one.driver === driver && one.pool === pool && one.device === device)
    const holds = (type: string) => told?.conditions?.some((one) => one.type === type && one.status === 'True') ?? false
    if (bindingFailureConditions.some(holds)) return { waits, failed: `${driver}/${pool}/${device}` }
    if (!bindingConditions.every(holds)) waits = true
  }
  return { waits, failed: null }
}

async function change(client: Handle['client'], claim: ResourceClaim, signal: AbortSignal, wanted: Wanted): Promise<void> {
  await withLatest(client, claim, signal, async (current) => {
    const next = wanted(current)
    return next === current ? current : client.update(claimKind, next, { subresource: 'status', signal })
  })
}

/** Begins with the claim as it is known, and reads it anew where that is not the newest. */
async function withLatest(
  client: Handle['client'],
  claim: ResourceClaim,
  signal: AbortSignal,
  write: (current: ResourceClaim) => Promise<ResourceClaim>,
): Promise<ResourceClaim> {
  let current = claim
  for (let tries = 1; ; tries++) {
    try {
      return await write(current)
    } catch (error) {
      if (!hasReason(error, 'Conflict') || tries >= TRIES) throw error
      current = await client.get(claimKind, claim.metadata, { signal })
      if (current.metadata.uid !== claim.metadata.uid) throw new Error(`claim ${claim.metadata.name} got deleted in the meantime`)
    }
  }
}
