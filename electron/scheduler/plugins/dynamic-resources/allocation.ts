/** What is written into a claim's status. Source: kubernetes `structured/internal/stable/allocator.go`, `createNodeSelector`. */
import type { NodeSelector, NodeSelectorRequirement } from '../../../api/core/v1/types.gen.ts'
import type { AllocationResult, DeviceAllocationConfiguration, DeviceRequestAllocationResult } from '../../../api/resource/v1/types.gen.ts'
import { formatQuantity } from '../../../api/values/quantity.ts'
import type { Random } from '../../../base/random.ts'
import type { Granted } from './allocator.ts'
import type { ClaimAsks } from './requests.ts'

export function allocationOf({ claim }: ClaimAsks, granted: readonly Granted[], node: string, random: Random): AllocationResult {
  const config = configOf(claim.spec.devices.config ?? [], granted)
  const nodeSelector = reachOf(granted, node)
  return {
    devices: { results: granted.map((one) => resultOf(one, random)), ...(config.length > 0 ? { config } : {}) },
    ...(nodeSelector ? { nodeSelector } : {}),
  }
}

function resultOf({ ask, one, amounts }: Granted, random: Random): DeviceRequestAllocationResult {
  const { device, pool } = one
  const { tolerations = [] } = ask.spec
  const { bindingConditions = [], bindingFailureConditions = [] } = device
  return {
    ...{ request: ask.name, driver: pool.driver, pool: pool.name, device: device.name },
    ...(ask.admin ? { adminAccess: true } : {}),
    ...(tolerations.length > 0 ? { tolerations: [...tolerations] } : {}),
    ...(bindingConditions.length > 0 ? { bindingConditions, bindingFailureConditions } : {}),
    ...(amounts ? { shareID: random.uuid(), consumedCapacity: textOf(amounts) } : {}),
  }
}

function textOf(amounts: NonNullable<Granted['amounts']>): Record<string, string> {
  return Object.fromEntries(Object.entries(amounts).map(([name, amount]) => [name, formatQuantity(amount)]))
}

/** Of classes for the requests that use them, then of the claim; what is for requests that got nothing is left out. */
function configOf(
  ofClaim: NonNullable<ClaimAsks['claim']['spec']['devices']['config']>,
  granted: readonly Granted[],
): DeviceAllocationConfiguration[] {
  const asks = [...new Set(granted.map(({ ask }) => ask))]
  const ofClasses = asks.flatMap(({ name, deviceClass }) =>
    (deviceClass.spec.config ?? []).map((one): DeviceAllocationConfiguration => ({ source: 'FromClass', requests: [name], ...one })),
  )
  const names = new Set(asks.flatMap(({ name, parent }) => [name, parent]))
  const concerned = ofClaim.filter(({ requests = [] }) => requests.length === 0 || requests.some((name) => names.has(name)))
  return [...ofClasses, ...concerned.map((one): DeviceAllocationConfiguration => ({ source: 'FromClaim', ...one }))]
}

/** The nodes that reach all devices; null: all do. */
function reachOf(granted: readonly Granted[], node: string): NodeSelector | null {
  const expressions: NodeSelectorRequirement[] = []
  const fields: NodeSelectorRequirement[] = []
  for (const {
    one: { device, slice },
  } of granted) {
    const place = slice.perDeviceNodeSelection ? device : slice
    if (place.nodeName || device.bindsToNode) return only(node)
    const [term] = place.nodeSelector?.nodeSelectorTerms ?? []
    expressions.push(...(term?.matchExpressions ?? []))
    fields.push(...(term?.matchFields ?? []))
  }
  if (expressions.length + fields.length === 0) return null
  const term = {
    ...(expressions.length > 0 ? { matchExpressions: unique(expressions) } : {}),
    ...(fields.length > 0 ? { matchFields: unique(fields) } : {}),
  }
  return { nodeSelectorTerms: [term] }
}

function only(node: string): NodeSelector {
  return { nodeSelectorTerms: [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: [node] }] }] }
}

function unique(requirements: readonly NodeSelectorRequirement[]): NodeSelectorRequirement[] {
  return [...new Map(requirements.map((one) => [JSON.stringify(one), one])).values()]
}
