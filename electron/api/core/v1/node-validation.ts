/** Checks of nodes. Source: kubernetes `core/validation`, `ValidateNode`, `ValidateNodeUpdate`. */
import { nonNegative } from '../../meta/v1/validation.ts'
import { duplicate, forbidden, invalid, type FieldError } from '../../values/field-error.ts'
import { cidrErrors, isDualStackCidrs } from '../../values/ip.ts'
import { validateResourceQuantity } from './pod-spec/resources.ts'
import { validateTaints } from './pod-spec/tolerations.ts'
import type { Node } from './types.gen.ts'

const MAX_FEATURE_NAME = 253
const FEATURE = /^[A-Z][a-zA-Z0-9]*(\/[a-zA-Z0-9]+)*$/
const FEATURE_FORM =
  "must start with an UpperCamelCase segment, with subsequent segments separated by '/' (e.g., MyFeature or MyFeature/mySubFeature), and contain only alphanumeric characters and slashes"

/** At all times. Taints are reported below the metadata, as Kubernetes does. */
export function validateNode({ spec, status }: Node): FieldError[] {
  return [
    ...validateTaints(spec.taints ?? [], 'metadata.taints'),
    ...validateNodeResources(status),
    ...nonNegative('metadata.nodeSwapStatus.capacity', status.nodeInfo?.swap?.capacity),
    ...validateFeatures(status.declaredFeatures ?? []),
    ...validatePodCidrs(spec.podCIDRs ?? []),
  ]
}

function validateNodeResources({ capacity, allocatable }: Node['status']): FieldError[] {
  return Object.entries({ capacity, allocatable }).flatMap(([list, quantities]) =>
    Object.entries(quantities ?? {}).flatMap(([name, quantity]) => validateResourceQuantity(name, quantity, `status.${list}.${name}`)),
  )
}

function validateFeatures(features: readonly string[]): FieldError[] {
  return features.flatMap((feature, i) => {
    const at = `status.declaredFeatures[${i}]`
    const before = features[i - 1]
    const out: FieldError[] = []
    if (feature.length > MAX_FEATURE_NAME) {
      out.push(invalid(at, feature, `invalid feature name "${feature}": must be no more than ${MAX_FEATURE_NAME} characters`))
    } else if (!FEATURE.test(feature)) out.push(invalid(at, feature, `invalid feature name "${feature}": ${FEATURE_FORM}`))
    if (before === feature) out.push(duplicate(at, feature))
    else if (before !== undefined && before > feature) out.push(invalid(at, feature, 'list must be sorted alphabetically'))
    return out
  })
}

function validatePodCidrs(cidrs: readonly string[]): FieldError[] {
  const out = cidrs.flatMap((cidr, i) => cidrErrors(`spec.podCIDRs[${i}]`, cidr))
  if (cidrs.length < 2 || (cidrs.length === 2 && isDualStackCidrs(cidrs))) return out
  return [...out, invalid('spec.podCIDRs', cidrs, 'may specify no more than one CIDR for each IP family')]
}

/** Of spec and status alike: a node's own agent may change both. */
export function validateNodeUpdate({ spec, status }: Node, old: Node): FieldError[] {
  const out: FieldError[] = []
  const seen = new Set<string>()
  status.addresses?.forEach((address, i) => {
    const key = `${address.type} ${address.address}`
    if (seen.has(key)) out.push(duplicate(`status.addresses[${i}]`, address))
    seen.add(key)
  })
  const [cidrs, before] = [spec.podCIDRs ?? [], old.spec.podCIDRs ?? []]
  const changed = before.length === cidrs.length ? before.filter((cidr, i) => cidr !== cidrs[i]) : before.slice(0, 1)
  for (const _ of changed) out.push(forbidden('spec.podCIDRs', 'node updates may not change podCIDR except from "" to valid'))
  if (old.spec.providerID && old.spec.providerID !== spec.providerID) {
    out.push(forbidden('spec.providerID', 'node updates may not change providerID except from "" to valid'))
  }
  if ((spec.externalID ?? '') !== (old.spec.externalID ?? '')) out.push(forbidden('spec.externalID', 'may not be updated'))
  return out
}
