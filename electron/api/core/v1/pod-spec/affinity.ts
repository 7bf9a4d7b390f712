/** Checks of where a pod wants to run. Source: kubernetes `core/validation`. */
import { validateLabelSelector } from '../../../meta/v1/label-selector.ts'
import { positive, validateLabelName } from '../../../meta/v1/validation.ts'
import type { LabelSelector } from '../../../meta/v1/types.gen.ts'
import { duplicate, forbidden, invalid, invalidEach, notSupported, required, type FieldError } from '../../../values/field-error.ts'
import { labelValueErrors, nameIsDnsLabel, nameIsDnsSubdomain } from '../../../values/names.ts'
import type {
  Affinity,
  NodeAffinity,
  NodeSelector,
  NodeSelectorRequirement,
  NodeSelectorTerm,
  PodAffinity,
  PodAffinityTerm,
  TopologySpreadConstraint,
} from '../types.gen.ts'

const REQUIRED = 'requiredDuringSchedulingIgnoredDuringExecution'
const PREFERRED = 'preferredDuringSchedulingIgnoredDuringExecution'
const NO_OPERATOR = 'not a valid selector operator'

export function validateAffinity({ nodeAffinity, podAffinity, podAntiAffinity }: Affinity, field: string): FieldError[] {
  return [
    ...(nodeAffinity ? validateNodeAffinity(nodeAffinity, `${field}.nodeAffinity`) : []),
    ...(podAffinity ? validatePodAffinity(podAffinity, `${field}.podAffinity`) : []),
    ...(podAntiAffinity ? validatePodAffinity(podAntiAffinity, `${field}.podAntiAffinity`) : []),
  ]
}

function validateNodeAffinity(affinity: NodeAffinity, field: string): FieldError[] {
  const must = affinity[REQUIRED]
  return [
    ...(must ? validateNodeSelector(must, `${field}.${REQUIRED}`) : []),
    ...(affinity[PREFERRED] ?? []).flatMap(({ weight, preference }, i) => {
      const at = `${field}.${PREFERRED}[${i}]`
      return [...validateWeight(weight, at), ...validateTerm(preference, true, `${at}.preference`)]
    }),
  ]
}

export function validateNodeSelector({ nodeSelectorTerms: terms }: NodeSelector, field: string): FieldError[] {
  const at = `${field}.nodeSelectorTerms`
  if (!terms?.length) return [required(at, 'must have at least one node selector term')]
  return terms.flatMap((term, i) => validateTerm(term, false, `${at}[${i}]`))
}

/** A wish may name any value: it only ranks nodes. */
function validateTerm({ matchExpressions, matchFields }: NodeSelectorTerm, anyValue: boolean, field: string): FieldError[] {
  return [
    ...(matchExpressions ?? []).flatMap((each, i) => validateRequirement(each, anyValue, `${field}.matchExpressions[${i}]`)),
    ...(matchFields ?? []).flatMap((each, i) => validateFieldRequirement(each, `${field}.matchFields[${i}]`)),
  ]
}

function validateRequirement({ key, operator, values = [] }: NodeSelectorRequirement, anyValue: boolean, field: string): FieldError[] {
  const out = validateOperator(operator, values, field)
  out.push(...validateLabelName(key, `${field}.key`))
  if (!anyValue) values.forEach((value, i) => out.push(...invalidEach(`${field}.values[${i}]`, value, labelValueErrors(value))))
  return out
}

function validateOperator(operator: string, values: readonly string[], field: string): FieldError[] {
  const at = `${field}.values`
  switch (operator) {
    case 'In':
    case 'NotIn':
      return values.length ? [] : [required(at, "must be specified when `operator` is 'In' or 'NotIn'")]
    case 'Exists':
    case 'DoesNotExist':
      return values.length ? [forbidden(at, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'")] : []
    case 'Gt':
    case 'Lt':
      return values.length === 1 ? [] : [required(at, "must be specified single value when `operator` is 'Lt' or 'Gt'")]
    default:
      return [invalid(`${field}.operator`, operator, NO_OPERATOR)]
  }
}

/** Only `metadata.name` can be asked for. */
function validateFieldRequirement({ key, operator, values = [] }: NodeSelectorRequirement, field: string): FieldError[] {
  const out: FieldError[] = []
  if (operator !== 'In' && operator !== 'NotIn') out.push(invalid(`${field}.operator`, operator, NO_OPERATOR))
  else if (values.length !== 1) {
    out.push(required(`${field}.values`, "must be only one value when `operator` is 'In' or 'NotIn' for node field selector"))
  }
  if (key !== 'metadata.name') out.push(invalid(`${field}.key`, key, 'not a valid field selector key'))
  else values.forEach((value, i) => out.push(...invalidEach(`${field}.values[${i}]`, value, nameIsDnsSubdomain(value))))
  return out
}

function validatePodAffinity(affinity: PodAffinity, field: string): FieldError[] {
  return [
    ...(affinity[REQUIRED] ?? []).flatMap((term, i) => validatePodTerm(term, `${field}.${REQUIRED}[${i}]`)),
    ...(affinity[PREFERRED] ?? []).flatMap(({ weight, podAffinityTerm }, i) => {
      const at = `${field}.${PREFERRED}[${i}]`
      return [...validateWeight(weight, at), ...validatePodTerm(podAffinityTerm, `${at}.podAffinityTerm`)]
    }),
  ]
}

function validateWeight(weight: number, field: string): FieldError[] {
  return weight > 0 && weight <= 100 ? [] : [invalid(`${field}.weight`, weight, 'must be in the range 1-100')]
}

function validatePodTerm(term: PodAffinityTerm, field: string): FieldError[] {
  const out = [
    ...validateLabelSelector(term.labelSelector, `${field}.labelSelector`),
    ...validateLabelSelector(term.namespaceSelector, `${field}.namespaceSelector`),
    ...(term.namespaces ?? []).flatMap((name) => invalidEach(`${field}.namespace`, name, nameIsDnsLabel(name))),
    ...validateLabelKeys(term.matchLabelKeys, term.mismatchLabelKeys, term.labelSelector, field),
  ]
  if (!term.topologyKey) out.push(required(`${field}.topologyKey`, 'can not be empty'))
  return [...out, ...validateLabelName(term.topologyKey, `${field}.topologyKey`)]
}

/**
 * Keys whose value is taken from the pod's own labels (KEP-3633). The server has already added what they select to the selector;
 * a key that occurs twice then was also written there by the user.
 */
function validateLabelKeys(
  match: readonly string[] = [],
  mismatch: readonly string[] = [],
  selector: LabelSelector | undefined,
  field: string,
): FieldError[] {
  const out = [
    ...validateKeyNames(match, selector, `${field}.matchLabelKeys`),
    ...validateKeyNames(mismatch, selector, `${field}.mismatchLabelKeys`),
  ]
  const selected = new Set(Object.keys(selector?.matchLabels ?? {}))
  for (const { key } of selector?.matchExpressions ?? []) {
    if (match.includes(key) && selected.has(key)) {
      out.push(invalid(`${field}[${match.lastIndexOf(key)}]`, key, 'exists in both matchLabelKeys and labelSelector'))
    }
    selected.add(key)
  }
  match.forEach((key, i) => {
    if (mismatch.includes(key))
      out.push(invalid(`${field}.matchLabelKeys[${i}]`, key, 'exists in both matchLabelKeys and mismatchLabelKeys'))
  })
  return out
}

function validateKeyNames(keys: readonly string[], selector: LabelSelector | undefined, field: string): FieldError[] {
  if (!keys.length) return []
  if (!selector) return [forbidden(field, 'must not be specified when labelSelector is not set')]
  return keys.flatMap((key, i) => validateLabelName(key, `${field}[${i}]`))
}

const ACTIONS = ['DoNotSchedule', 'ScheduleAnyway']
const NODE_POLICIES = ['Honor', 'Ignore']

export function validateTopologySpread(constraints: readonly TopologySpreadConstraint[], field: string): FieldError[] {
  return constraints.flatMap((constraint, i) => {
    const at = `${field}[${i}]`
    const { maxSkew, topologyKey, whenUnsatisfiable: action, minDomains, nodeAffinityPolicy, nodeTaintsPolicy, labelSelector } = constraint
    const out = positive(`${at}.maxSkew`, maxSkew)
    if (!topologyKey) out.push(required(`${at}.topologyKey`, 'can not be empty'))
    if (!ACTIONS.includes(action)) out.push(notSupported(`${at}.whenUnsatisfiable`, action, ACTIONS))
    if (constraints.slice(i + 1).some((other) => other.topologyKey === topologyKey && other.whenUnsatisfiable === action)) {
      out.push(duplicate(`${at}.{topologyKey, whenUnsatisfiable}`, `{${topologyKey}, ${action}}`))
    }
    if (minDomains !== undefined) out.push(...validateMinDomains(minDomains, action, `${at}.minDomains`))
    for (const [name, policy] of Object.entries({ nodeAffinityPolicy, nodeTaintsPolicy })) {
      if (policy !== undefined && !NODE_POLICIES.includes(policy)) out.push(notSupported(`${at}.${name}`, policy, [...NODE_POLICIES]))
    }
    return [
      ...out,
      ...validateLabelKeys(constraint.matchLabelKeys, [], labelSelector, at),
      ...validateLabelSelector(labelSelector, `${at}.labelSelector`),
    ]
  })
}

function validateMinDomains(minDomains: number, action: string, field: string): FieldError[] {
  const out = positive(field, minDomains)
  if (action !== 'DoNotSchedule') {
    out.push(invalid(field, minDomains, `can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ${action}`))
  }
  return out
}
