/** Checks of resource names, quantities and requirements. Source: kubernetes `core/validation`. */
import {
  forbidden,
  invalid,
  invalidEach,
  notFound,
  notSupported,
  duplicate,
  required,
  type FieldError,
} from '../../../values/field-error.ts'
import { dns1123Label, qualifiedName } from '../../../values/names.ts'
import { compareQuantity, formatQuantity, scaledValue, tryQuantity } from '../../../values/quantity.ts'
import { aggregateContainerResources, type ResourceList } from '../pod-resources.ts'
import {
  hugePageSize,
  isExtendedResource,
  isHugePages,
  isIntegerResource,
  isNativeResource,
  isOvercommitAllowed,
  isPodLevelResource,
  isStandardContainerResource,
  isStandardResource,
  POD_LEVEL_RESOURCES,
} from '../resource-names.ts'
import type { PodSpec, ResourceClaim, ResourceRequirements } from '../types.gen.ts'

type NameRule = (name: string, field: string) => FieldError[]

export const validateResourceName: NameRule = (name, field) => {
  const out = invalidEach(field, name, qualifiedName(name))
  if (out.length) return out
  return name.includes('/') || isStandardResource(name) ? [] : [invalid(field, name, 'must be a standard resource type or fully qualified')]
}

export const validateContainerResourceName: NameRule = (name, field) => {
  const out = validateResourceName(name, field)
  if (!name.includes('/')) {
    if (!isStandardContainerResource(name)) out.push(invalid(field, name, 'must be a standard resource for containers'))
  } else if (!isNativeResource(name) && !isExtendedResource(name)) {
    out.push(invalid(field, name, "doesn't follow extended resource name standard"))
  }
  return out
}

const validatePodResourceName: NameRule = (name, field) => {
  const out = validateResourceName(name, field)
  if (out.length) return out
  return isPodLevelResource(name) ? [] : [notSupported(field, name, POD_LEVEL_RESOURCES)]
}

/** The text is already a quantity: decoding has seen to that. */
export function validateResourceQuantity(name: string, quantity: string, field: string): FieldError[] {
  const out: FieldError[] = []
  const value = tryQuantity(quantity)
  if (!value) return [invalid(field, quantity, 'must be a valid resource quantity')]
  if (value.unscaled < 0n) out.push(invalid(field, formatQuantity(value), 'must be greater than or equal to 0'))
  if (isIntegerResource(name) && scaledValue(value, -3) % 1000n !== 0n) out.push(invalid(field, quantity, 'must be an integer'))
  return out
}

export function validateContainerResources(resources: ResourceRequirements, claims: ReadonlySet<string>, field: string): FieldError[] {
  return validateRequirements(resources, validateContainerResourceName, claims, field)
}

export function validateOverhead(overhead: ResourceList, field: string): FieldError[] {
  return validateRequirements({ limits: overhead }, validateContainerResourceName, new Set(), field)
}

function validateRequirements(resources: ResourceRequirements, rule: NameRule, claims: ReadonlySet<string>, field: string): FieldError[] {
  const { limits = {}, requests = {} } = resources
  const out: FieldError[] = []
  for (const [name, quantity] of Object.entries(limits)) out.push(...validateEntry(name, quantity, rule, `${field}.limits[${name}]`))
  for (const [name, quantity] of Object.entries(requests)) {
    const at = `${field}.requests[${name}]`
    out.push(...rule(name, at), ...validateResourceQuantity(name, quantity, at))
    out.push(...validateAgainstLimit(name, quantity, limits[name], field))
    out.push(...validateHugePages(name, quantity, at))
  }
  const names = [...Object.keys(limits), ...Object.keys(requests)]
  if (names.some(isHugePages) && !names.includes('cpu') && !names.includes('memory')) {
    out.push(forbidden(field, 'HugePages require cpu or memory'))
  }
  return [...out, ...validateClaimReferences(resources.claims ?? [], claims, `${field}.claims`)]
}

function validateEntry(name: string, quantity: string, rule: NameRule, at: string): FieldError[] {
  return [...rule(name, at), ...validateResourceQuantity(name, quantity, at), ...validateHugePages(name, quantity, at)]
}

function validateAgainstLimit(name: string, request: string, limit: string | undefined, field: string): FieldError[] {
  if (limit === undefined) {
    return isOvercommitAllowed(name) ? [] : [required(`${field}.limits`, 'Limit must be set for non overcommitable resources')]
  }
  if (!tryQuantity(request) || !tryQuantity(limit)) return []
  const order = compareQuantity(request, limit)
  if (order !== 0 && !isOvercommitAllowed(name))
    return [invalid(`${field}.requests`, request, `must be equal to ${name} limit of ${limit}`)]
  return order > 0 ? [invalid(`${field}.requests`, request, `must be less than or equal to ${name} limit of ${limit}`)] : []
}

function validateHugePages(name: string, quantity: string, at: string): FieldError[] {
  const value = isHugePages(name) ? tryQuantity(quantity) : null
  if (!value) return []
  const size = tryQuantity(hugePageSize(name))
  const whole =
    size !== null && size.unscaled > 0n && scaledValue(size, -3) % 1000n === 0n && scaledValue(value, 0) % scaledValue(size, 0) === 0n
  return whole ? [] : [invalid(at, quantity, `${quantity} is not positive integer multiple of ${name}`)]
}

function validateClaimReferences(references: readonly ResourceClaim[], known: ReadonlySet<string>, field: string): FieldError[] {
  const out: FieldError[] = []
  const seen = new Set<string>()
  references.forEach(({ name, request }, i) => {
    const at = `${field}[${i}]`
    if (!name) {
      out.push(required(at))
      return
    }
    if (seen.has(name)) out.push(duplicate(at, name))
    else {
      const key = request ? `${name}/${request}` : name
      if (request) out.push(...invalidEach(`${at}.request`, request, dns1123Label(request)))
      if (seen.has(key)) out.push(duplicate(at, key))
      else if (!request && [...seen].some((other) => other.startsWith(`${name}/`))) out.push(duplicate(at, name))
      seen.add(key)
    }
    if (!known.has(name)) {
      const choice = known.size ? `: ${[...known].sort().join(', ')}` : ' which is empty'
      out.push(notFound(at, name, `must be one of the names in pod.spec.resourceClaims${choice}`))
    }
  })
  return out
}

/** Resources of the pod as a whole (KEP-2837); `field` is the path of the spec. */
export function validatePodResources(spec: PodSpec, claims: ReadonlySet<string>, field: string): FieldError[] {
  const { resources } = spec
  const at = `${field}.resources`
  if (!resources) return []
  if (spec.os?.name === 'windows') return [forbidden(at, 'may not be set for a windows pod')]
  const out = resources.claims ? [forbidden(`${at}.claims`, 'claims may not be set for Resources at pod-level')] : []
  out.push(...validateRequirements(resources, validatePodResourceName, claims, at))
  return [...out, ...validateConsistency(spec, resources, at)]
}

function validateConsistency(spec: PodSpec, { requests = {}, limits = {} }: ResourceRequirements, at: string): FieldError[] {
  const out: FieldError[] = []
  const exceeds = (own: string, other: string | undefined): other is string =>
    other !== undefined && !!tryQuantity(own) && !!tryQuantity(other) && compareQuantity(own, other) > 0
  for (const [name, sum] of Object.entries(aggregateContainerResources(spec, 'requests'))) {
    const pod = requests[name]
    if (exceeds(sum, pod))
      out.push(invalid(`${at}.requests[${name}]`, pod, `must be greater than or equal to aggregate container requests of ${sum}`))
  }
  for (const [name, sum] of Object.entries(aggregateContainerResources(spec, 'limits')).filter(([name]) => isHugePages(name))) {
    const pod = limits[name]
    if (exceeds(sum, pod))
      out.push(invalid(`${at}.limits[${name}]`, pod, `must be greater than or equal to aggregate container limits of ${sum}`))
  }
  ;(spec.containers ?? []).forEach((container, i) => {
    for (const [name, limit] of Object.entries(container.resources.limits ?? {})) {
      const pod = limits[name]
      if (exceeds(limit, pod)) {
        out.push(invalid(`${at}.containers[${i}][${name}].limits`, limit, `must be less than or equal to pod limits of ${pod}`))
      }
    }
  })
  return out
}
