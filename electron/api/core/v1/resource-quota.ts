import { ageColumn } from '../../columns.ts'
import { defineKind, type Column } from '../../kind.ts'
import { FIELD_IS_IMMUTABLE } from '../../meta/v1/validation.ts'
import { invalid, required, type FieldError } from '../../values/field-error.ts'
import { validateResourceName, validateResourceQuantity } from './pod-spec/resources.ts'
import { defaultResourceList } from './resource-list.ts'
import { isStandardQuotaResource } from './resource-names.ts'
import type { ResourceQuota, ResourceQuotaSpec, ScopedResourceSelectorRequirement } from './types.gen.ts'

type Quantities = Readonly<Record<string, string>>

const POD_COMPUTE = ['pods', 'cpu', 'memory', 'limits.cpu', 'limits.memory', 'requests.cpu', 'requests.memory']
/** What may be counted within a scope. */
const SCOPES: Readonly<Record<string, readonly string[]>> = {
  Terminating: POD_COMPUTE,
  NotTerminating: POD_COMPUTE,
  BestEffort: ['pods'],
  NotBestEffort: POD_COMPUTE,
  PriorityClass: POD_COMPUTE,
  CrossNamespacePodAffinity: POD_COMPUTE,
  VolumeAttributesClass: ['persistentvolumeclaims', 'requests.storage'],
}
const OPPOSITES = [
  ['BestEffort', 'NotBestEffort'],
  ['Terminating', 'NotTerminating'],
] as const
/** Scopes that have no values. */
const PLAIN = ['BestEffort', 'NotBestEffort', 'Terminating', 'NotTerminating', 'CrossNamespacePodAffinity']
const PLAIN_ONLY =
  "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity"

function usedColumn(name: string, description: string, limits: boolean): Column<ResourceQuota> {
  return {
    name,
    type: 'string',
    description,
    value: ({ status }) =>
      Object.keys(status.hard ?? {})
        .filter((resource) => resource.startsWith('limits.') === limits)
        .sort()
        .map((resource) => `${resource}: ${status.used?.[resource] ?? '0'}/${status.hard?.[resource]}`)
        .join(', '),
  }
}

export const resourceQuota = defineKind<ResourceQuota>({
  group: '',
  version: 'v1',
  kind: 'ResourceQuota',
  resource: 'resourcequotas',
  shortNames: ['quota'],
  namespaced: true,
  model: 'io.k8s.api.core.v1.ResourceQuota',
  subresources: { status: true },
  columns: [usedColumn('Request', 'Used and allowed amounts', false), usedColumn('Limit', 'Used and allowed limits', true), ageColumn],
  strategy: {
    defaults({ spec, status }) {
      defaultResourceList(spec.hard)
      defaultResourceList(status.hard)
      defaultResourceList(status.used)
    },
    validate: ({ spec, status }) => [...validateSpec(spec), ...validateAmounts(status)],
    validateUpdate({ spec }, old) {
      const [scopes, before] = [new Set<string>(spec.scopes), new Set<string>(old.spec.scopes)]
      return scopes.symmetricDifference(before).size ? [invalid('spec.scopes', spec.scopes ?? [], FIELD_IS_IMMUTABLE)] : []
    },
    validateStatusUpdate: ({ status }) => validateAmounts(status),
  },
})

function validateQuantities(list: Quantities | undefined, field: string): FieldError[] {
  return Object.entries(list ?? {}).flatMap(([name, quantity]) => {
    const at = `${field}[${name}]`
    const out = validateResourceName(name, at)
    if (!name.includes('/') && !isStandardQuotaResource(name)) out.push(invalid(at, name, 'must be a standard resource for quota'))
    return [...out, ...validateResourceQuantity(name, quantity, at)]
  })
}

function validateAmounts({ hard, used }: ResourceQuota['status']): FieldError[] {
  return [...validateQuantities(hard, 'status.hard'), ...validateQuantities(used, 'status.used')]
}

function validateSpec(spec: ResourceQuotaSpec): FieldError[] {
  const out = validateQuantities(spec.hard, 'spec.hard')
  const resources = Object.keys(spec.hard ?? {}).sort()
  const { scopes = [], scopeSelector } = spec
  for (const scope of scopes) {
    if (!(scope in SCOPES)) out.push(invalid('spec.scopes', scopes, 'unsupported scope'))
    for (const _ of foreign(scope, resources)) out.push(invalid('spec.scopes', scopes, 'unsupported scope applied to resource'))
  }
  out.push(...contradictions(scopes, scopes, 'spec.scopes'))
  if (!scopeSelector) return out
  const at = 'spec.scopeSelector.matchExpressions'
  const expressions = scopeSelector.matchExpressions ?? []
  for (const expression of expressions) {
    const { scopeName } = expression
    if (!(scopeName in SCOPES)) out.push(invalid(`${at}.scopeName`, scopeName, 'unsupported scope'))
    for (const _ of foreign(scopeName, resources)) out.push(invalid(at, scopeSelector, 'unsupported scope applied to resource'))
    out.push(...validateExpression(expression, at))
  }
  const selected = expressions.map(({ scopeName }) => scopeName)
  return [...out, ...contradictions(selected, scopes, at)]
}

/** Standard resources that this scope cannot count. */
function foreign(scope: string, resources: readonly string[]): string[] {
  const counted = SCOPES[scope]
  return counted ? resources.filter((name) => isStandardQuotaResource(name) && !counted.includes(name)) : []
}

function contradictions(scopes: readonly string[], shown: readonly string[], field: string): FieldError[] {
  return OPPOSITES.filter((pair) => pair.every((scope) => scopes.includes(scope))).map(() => invalid(field, shown, 'conflicting scopes'))
}

function validateExpression({ scopeName, operator, values = [] }: ScopedResourceSelectorRequirement, at: string): FieldError[] {
  const out = PLAIN.includes(scopeName) && operator !== 'Exists' ? [invalid(`${at}.operator`, operator, PLAIN_ONLY)] : []
  switch (operator) {
    case 'In':
    case 'NotIn': {
      const why = "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector"
      return values.length ? out : [...out, required(`${at}.values`, why)]
    }
    case 'Exists':
    case 'DoesNotExist': {
      const why = "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector"
      return values.length ? [...out, invalid(`${at}.values`, values, why)] : out
    }
    default:
      return [...out, invalid(`${at}.operator`, operator, 'not a valid selector operator')]
  }
}
