/** Which requests a webhook or policy is for: defaults and checks. Source: kubernetes `apis/admissionregistration/validation`. */
import { isWildcarded, validateResources } from './resource-patterns.ts'
import type { LabelSelector } from '../../meta/v1/types.gen.ts'
import { invalid, notSupported, required, type FieldError } from '../../values/field-error.ts'
import type { RuleWithOperations } from './types.gen.ts'

const OPERATIONS = ['*', 'CONNECT', 'CREATE', 'DELETE', 'UPDATE']
const SCOPES = ['*', 'Cluster', 'Namespaced']
const MATCH_POLICIES = ['Equivalent', 'Exact']
const FAILURE_POLICIES = ['Fail', 'Ignore']
const REINVOCATION_POLICIES = ['IfNeeded', 'Never']

interface Selecting {
  matchPolicy?: 'Equivalent' | 'Exact'
  namespaceSelector?: LabelSelector
  objectSelector?: LabelSelector
}

export function defaultSelecting(target: Selecting): void {
  target.matchPolicy ??= 'Equivalent'
  target.namespaceSelector ??= {}
  target.objectSelector ??= {}
}

export function defaultRules(rules: readonly RuleWithOperations[] | undefined): void {
  for (const rule of rules ?? []) rule.scope ??= '*'
}

export function validateRule(rule: RuleWithOperations, field: string): FieldError[] {
  const { operations = [], apiGroups = [], apiVersions = [], resources = [], scope } = rule
  return [
    ...validateList(operations, `${field}.operations`, 'operations'),
    ...operations.flatMap((operation, i) =>
      OPERATIONS.includes(operation) ? [] : [notSupported(`${field}.operations[${i}]`, operation, OPERATIONS)],
    ),
    ...validateList(apiGroups, `${field}.apiGroups`, 'API groups'),
    ...validateList(apiVersions, `${field}.apiVersions`, 'API versions'),
    ...apiVersions.flatMap((version, i) => (version ? [] : [required(`${field}.apiVersions[${i}]`)])),
    ...validateResources(resources, `${field}.resources`),
    ...(scope !== undefined && !SCOPES.includes(scope) ? [notSupported(`${field}.scope`, scope, SCOPES)] : []),
  ]
}

function validateList(values: readonly string[], field: string, what: string): FieldError[] {
  if (values.length === 0) return [required(field)]
  return isWildcarded(values) ? [invalid(field, values, `if '*' is present, must not specify other ${what}`)] : []
}

const oneOf = (supported: readonly string[]) => (value: string | undefined, field: string) =>
  value === undefined || supported.includes(value) ? [] : [notSupported(field, value, supported)]

export const validateMatchPolicy = oneOf(MATCH_POLICIES)
export const validateFailurePolicy = oneOf(FAILURE_POLICIES)
export const validateReinvocationPolicy = oneOf(REINVOCATION_POLICIES)
