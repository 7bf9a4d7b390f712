/** Devices for the claims of pods (KEP-4381). Source: kubernetes `scheduler/framework/plugins/dynamicresources`. */
import type { Pod } from '../../../api/core/v1/types.gen.ts'
import type { AllocationResult, ResourceClaim } from '../../../api/resource/v1/types.gen.ts'
import type { KubeObject } from '../../../api/meta/v1/object.ts'
import { semanticEqual } from '../../../api/values/equal.ts'
import { isAbort } from '../../../base/async.ts'
import { canBeReserved, claimNameFor, isReservedFor } from '../../../machinery/devices/pod-claims.ts'
import { hasReason } from '../../../machinery/status.ts'
import { stateKey } from '../../framework/cycle-state.ts'
import { definePlugin, type Handle } from '../../framework/descriptor.ts'
import { ACTION } from '../../framework/events.ts'
import { normalizeByLargest } from '../../framework/normalize.ts'
import type { AnyPlugin, Hint } from '../../framework/plugin.ts'
import { errorStatus, SKIP, unresolvable, unschedulable } from '../../framework/status.ts'
import type { PodInfo } from '../../snapshot/pod-info.ts'
import { NodeTerms } from '../../matching/node-selector.ts'
import { allocationOf } from './allocation.ts'
import { allocate, type Found } from './allocator.ts'
import { AssumedClaims } from './assumed-claims.ts'
import { claimsOf } from './claims.ts'
import { Pools } from './pools.ts'
import { AllocationError, asksOf, Selectors, type ClaimAsks } from './requests.ts'
import { Usage } from './usage.ts'
import { deallocateClaim, isIdle, reserveClaim, unreserveClaim, untilReady } from './write-claims.ts'

const name = 'DynamicResources'

interface State {
  /** With the nodes that reach what they have; null: all do. */
  readonly allocated: readonly { readonly claim: ResourceClaim; readonly nodes: NodeTerms | null }[]
  readonly open: readonly ClaimAsks[]
  readonly pools: Pools
  readonly usage: Usage
  /** What Filter found on each node, for Score and Reserve. */
  readonly byNode: Map<string, Found>
  /** Claims that kept the pod from a node. */
  readonly elsewhere: Set<ResourceClaim>
  /** What Reserve chose, in the order of `open`. */
  chosen: readonly AllocationResult[]
}

const key = stateKey<State>(name)
const NOT_HERE = ['resourceclaim not available on the node']
const CANNOT = ['cannot allocate all claims']

/**
 * The nodes that reach the devices which the pod's claims have, or on which those that have none can get them. They are written into
 * the claims before the pod is bound.
 */
export const dynamicResources = definePlugin({
  name,
  defaults: {},
  create(_args, handle): AnyPlugin {
    const assumed = new AssumedClaims()
    const selectors = new Selectors()
    return {
      name,
      events: [
        { event: { resource: 'ResourceClaim', action: ACTION.add | ACTION.updateOther | ACTION.delete }, hint: claimHint },
        { event: { resource: 'DeviceClass', action: ACTION.add | ACTION.updateOther } },
        { event: { resource: 'ResourceSlice', action: ACTION.add | ACTION.updateOther } },
        {
          // Claims made from its templates are named in its status.
          event: { resource: 'TargetPod', action: ACTION.updateOther },
          hint: (_pod, old, now) => (semanticEqual(claimStatuses(old), claimStatuses(now)) ? 'Skip' : 'Queue'),
        },
        { event: { resource: 'Node', action: ACTION.add | ACTION.updateNodeLabel } },
      ],
      preFilter({ state, snapshot: { objects } }, { pod }) {
        if (!pod.spec.resourceClaims?.length) return SKIP
        const claims = claimsOf(pod, (claim) => objects.resourceClaim(pod.metadata.namespace ?? '', claim))
        if ('fault' in claims) return unresolvable(name, [claims.fault])
        if (claims.length === 0) return SKIP
        const taken: AllocationResult[] = []
        const known = new Map<string, ResourceClaim>()
        for (const claim of objects.resourceClaims()) {
          known.set(claim.metadata.uid, claim)
          if (claim.status.allocation) taken.push(claim.status.allocation)
        }
        taken.push(...assumed.allocations((uid) => known.get(uid)))
        const [allocated, without] = [claims.filter(({ status }) => status.allocation), claims.filter(({ status }) => !status.allocation)]
        const full = allocated.find((claim) => !isReservedFor(claim, pod) && !canBeReserved(claim))
        if (full) return unresolvable(name, [`resourceclaim ${full.metadata.name} is used by as many pods as may share it`])
        const promised = without.find((claim) => assumed.isPromised(claim))
        if (promised) return unschedulable(name, [`resourceclaim ${promised.metadata.name} is in the process of being allocated`])
        try {
          state.write(key, {
            allocated: allocated.map((claim) => ({ claim, nodes: reachOf(claim) })),
            open: without.map((claim) => asksOf(claim, (one) => objects.deviceClass(one), selectors)),
            pools: new Pools(objects.resourceSlices()),
            usage: new Usage(taken),
            byNode: new Map(),
            elsewhere: new Set<ResourceClaim>(),
            chosen: [],
          })
          return null
        } catch (error) {
          if (error instanceof AllocationError) return unresolvable(name, [error.message])
          throw error
        }
      },
      filter({ state }, _pod, node) {
        const { allocated, open, pools, usage, byNode, elsewhere } = state.read(key)
        const away = allocated.filter(({ nodes }) => nodes && !nodes.matches(node))
        if (away.length > 0) {
          for (const { claim } of away) elsewhere.add(claim)
          return unresolvable(name, NOT_HERE)
        }
        if (open.length === 0) return null
        try {
          const found = allocate(node, open, pools, usage)
          if (!found) return unresolvable(name, CANNOT)
          byNode.set(node.name, found)
          return null
        } catch (error) {
          if (error instanceof AllocationError) return unresolvable(name, [error.message])
          throw error
        }
      },
      postFilter({ state }, { pod }) {
        const idle = [...(state.find(key)?.elsewhere ?? [])].find((claim) => isIdle(claim, pod))
        if (!idle) return { status: unschedulable(name, []) }
        inBackground(handle, deallocateClaim(handle, idle, pod))
        return { status: unschedulable(name, ['deallocation of ResourceClaim completed']) }
      },
      preScore({ state }) {
        const found = state.find(key)
        return found?.open.some(({ requests }) => requests.some((request) => request.length > 1)) ? null : SKIP
      },
      score: ({ state }, _pod, node) => state.read(key).byNode.get(node.name)?.preference ?? 0,
      normalize: (_cycle, _pod, scores) => normalizeByLargest(scores, false),
      reserve({ state }, _pod, node) {
        const found = state.find(key)
        if (!found || found.open.length === 0) return null
        const granted = found.byNode.get(node)
        if (!granted) return unschedulable(name, CANNOT)
        found.chosen = found.open.map((asks, i) => allocationOf(asks, granted.claims[i] ?? [], node, handle.random))
        for (const [i, { claim }] of found.open.entries()) assumed.promise(claim, found.chosen[i] as AllocationResult)
        return null
      },
      unreserve({ state }, { pod }) {
        const found = state.find(key)
        if (!found) return
        for (const { claim } of found.open) {
          const isWritten = assumed.isPromised(claim)
          assumed.revoke(claim)
          // Written already: the devices stay the claim's, and are given back where no node can be found for it.
          if (isWritten && assumed.isPromised(claim)) inBackground(handle, unreserveClaim(handle, claim, pod))
        }
        for (const { claim } of found.allocated) if (!isReservedFor(claim, pod)) inBackground(handle, unreserveClaim(handle, claim, pod))
      },
      async preBind({ state }, { pod }, _node, signal) {
        const found = state.find(key)
        if (!found) return null
        try {
          for (const { claim } of found.allocated)
            await untilReady(handle, await reserveClaim(handle, claim, null, pod, signal), pod, signal)
          for (const [i, { claim }] of found.open.entries()) {
            const written = await reserveClaim(handle, claim, found.chosen[i] ?? null, pod, signal)
            assumed.written(written)
            await untilReady(handle, written, pod, signal)
          }
          return null
        } catch (error) {
          return errorStatus(name, error)
        }
      },
    }
  },
})

function reachOf({ status }: ResourceClaim): NodeTerms | null {
  const selector = status.allocation?.nodeSelector
  return selector ? new NodeTerms(selector) : null
}

function inBackground({ logger }: Handle, work: Promise<void>): void {
  void work.catch((error: unknown) => {
    if (!isAbort(error) && !hasReason(error, 'NotFound')) logger.warn('a resource claim could not be given back', { error })
  })
}

/** Worth a try if devices are free again, or if something else than who uses it changed of a claim of the pod's own. */
function claimHint({ pod, namespace }: PodInfo, old: KubeObject | undefined, now: KubeObject | undefined): Hint {
  const [before, after] = [old as ResourceClaim | undefined, now as ResourceClaim | undefined]
  if (before?.status.allocation && !after?.status.allocation) return 'Queue'
  const claim = after ?? before
  const isOwn =
    claim?.metadata.namespace === namespace &&
    pod.spec.resourceClaims?.some((entry) => claimNameFor(pod, entry) === claim.metadata.name) === true
  if (!isOwn) return 'Skip'
  return before && after && semanticEqual(before.status, after.status) ? 'Skip' : 'Queue'
}

function claimStatuses(pod: KubeObject | undefined): Pod['status']['resourceClaimStatuses'] {
  return (pod as Pod | undefined)?.status.resourceClaimStatuses
}
