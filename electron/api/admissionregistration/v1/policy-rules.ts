/** What both kinds of admission policies and their bindings have in common. Source: kubernetes `apis/admissionregistration/validation`. */
import { validateLabelSelector } from '../../meta/v1/label-selector.ts'
import { duplicate, forbidden, invalid, invalidEach, notSupported, required, type FieldError } from '../../values/field-error.ts'
import { dns1035Label, dns1123Subdomain, nameIsDnsSubdomain } from '../../values/names.ts'
import { validateExpression } from './conditions.ts'
import { defaultRules, defaultSelecting, validateMatchPolicy, validateRule } from './rules.ts'
import type { MatchResources, NamedRuleWithOperations, ParamKind, ParamRef, Variable } from './types.gen.ts'

const NOT_FOUND_ACTIONS = ['Deny', 'Allow']
const IDENTIFIER = /^[_a-zA-Z][_a-zA-Z0-9]*$/
/** What CEL keeps for itself. */
const RESERVED = new Set(
  'false in null true as break const continue else for function if import let loop package namespace return var void while'.split(' '),
)

export function defaultMatchResources(match: MatchResources | undefined): void {
  if (!match) return
  defaultSelecting(match)
  defaultRules(match.resourceRules)
  defaultRules(match.excludeResourceRules)
}

export function validateMatchConstraints(match: MatchResources | undefined, field: string): FieldError[] {
  if (!match) return [required(field)]
  return [...validateMatchResources(match, field), ...(match.resourceRules?.length ? [] : [required(`${field}.resourceRules`)])]
}

export function validateMatchResources(match: MatchResources | undefined, field: string): FieldError[] {
  if (!match) return []
  const rules = (list: readonly NamedRuleWithOperations[] | undefined, name: string) =>
    (list ?? []).flatMap((rule, i) => validateNamedRule(rule, `${field}.${name}[${i}]`))
  return [
    ...validateMatchPolicy(match.matchPolicy, `${field}.matchPolicy`),
    ...validateLabelSelector(match.namespaceSelector, `${field}.namespaceSelector`),
    ...validateLabelSelector(match.objectSelector, `${field}.objectSelector`),
    ...rules(match.resourceRules, 'resourceRules'),
    ...rules(match.excludeResourceRules, 'excludeResourceRules'),
  ]
}

function validateNamedRule(rule: NamedRuleWithOperations, field: string): FieldError[] {
  const names = rule.resourceNames ?? []
  const repeated = names.flatMap((name, i) => (names.indexOf(name) < i ? [duplicate(`${field}.resourceNames[${i}]`, name)] : []))
  return [...repeated, ...validateRule(rule, field)]
}

export function validateParamKind(kind: ParamKind | undefined, field: string): FieldError[] {
  if (!kind) return []
  const { apiVersion = '', kind: name = '' } = kind
  return [...validateGroupVersion(apiVersion, `${field}.apiVersion`), ...validateKindName(name, `${field}.kind`)]
}

function validateGroupVersion(apiVersion: string, field: string): FieldError[] {
  if (apiVersion === '') return [required(field)]
  const parts = apiVersion.split('/')
  if (parts.length > 2) return [invalid(field, apiVersion, `unexpected GroupVersion string: ${apiVersion}`)]
  const version = parts.at(-1) ?? ''
  const group = parts.length === 2 ? (parts[0] ?? '') : ''
  return [
    ...(group ? invalidEach(field, group, dns1123Subdomain(group)) : []),
    ...(version ? invalidEach(field, version, dns1035Label(version)) : [invalid(field, version, 'version must be specified')]),
  ]
}

function validateKindName(kind: string, field: string): FieldError[] {
  if (kind === '') return [required(field)]
  return dns1035Label(kind.toLowerCase()).map((why) => invalid(field, kind, `may have mixed case, but should otherwise match: ${why}`))
}

export function validateVariables(variables: readonly Variable[] | undefined, field: string): FieldError[] {
  return (variables ?? []).flatMap(({ name, expression }, i) => {
    const at = `${field}[${i}]`
    const wrong =
      name === ''
        ? [required(`${at}.name`, 'name is not specified')]
        : IDENTIFIER.test(name) && !RESERVED.has(name)
          ? []
          : [invalid(`${at}.name`, name, 'name is not a valid CEL identifier')]
    const again = variables?.findIndex((one) => one.name === name) !== i ? [duplicate(`${at}.name`, name)] : []
    return [...wrong, ...again, ...validateExpression(expression, `${at}.expression`)]
  })
}

export function validatePolicyName(name: string | undefined, field: string): FieldError[] {
  if (!name) return [required(field)]
  return invalidEach(field, name, nameIsDnsSubdomain(name))
}

export function validateParamRef(ref: ParamRef | undefined, field: string): FieldError[] {
  if (!ref) return []
  const { name = '', selector, parameterNotFoundAction: action = '' } = ref
  const both = name !== '' && selector !== undefined
  const exclusive = 'name and selector are mutually exclusive'
  return [
    ...(name ? invalidEach(`${field}.name`, name, nameIsDnsSubdomain(name)) : []),
    ...(both ? [forbidden(`${field}.name`, exclusive)] : []),
    ...validateLabelSelector(selector, `${field}.selector`),
    ...(both ? [forbidden(`${field}.selector`, exclusive)] : []),
    ...(name === '' && !selector ? [required(field, 'one of name or selector must be specified')] : []),
    ...(action === ''
      ? [required(`${field}.parameterNotFoundAction`)]
      : NOT_FOUND_ACTIONS.includes(action)
        ? []
        : [notSupported(`${field}.parameterNotFoundAction`, action, NOT_FOUND_ACTIONS)]),
  ]
}

/** As tables show what a policy's parameters are. */
export function paramKindText(kind: ParamKind | undefined): string {
  return kind ? `${kind.apiVersion ?? ''}/${kind.kind ?? ''}` : '<unset>'
}

/** As tables show which object has a binding's parameters. */
export function paramRefText(ref: ParamRef | undefined): string {
  if (!ref) return '<unset>'
  const name = ref.name || '*'
  return ref.namespace ? `${ref.namespace}/${name}` : name
}
