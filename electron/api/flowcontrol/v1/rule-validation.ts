/** Which requests a rule is for. Source: kubernetes `apis/flowcontrol/validation`. */
import { invalid, notSupported, required, type FieldError } from '../../values/field-error.ts'
import type { NonResourcePolicyRule, PolicyRulesWithSubjects, ResourcePolicyRule, Subject } from './types.gen.ts'

const VERBS = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'proxy', 'update', 'watch']
const URL_VERBS = ['delete', 'get', 'head', 'options', 'patch', 'post', 'put']
const ALL = '*'
const KINDS = ['Group', 'ServiceAccount', 'User']

export function validateRule(rule: PolicyRulesWithSubjects, field: string): FieldError[] {
  const { subjects, resourceRules = [], nonResourceRules = [] } = rule
  const out: FieldError[] = []
  if (!subjects.length) out.push(required(`${field}.subjects`, 'subjects must contain at least one value'))
  out.push(...subjects.flatMap((subject, i) => validateSubject(subject, `${field}.subjects[${i}]`)))
  if (!resourceRules.length && !nonResourceRules.length)
    out.push(required(field, 'at least one of resourceRules and nonResourceRules has to be non-empty'))
  return [
    ...out,
    ...resourceRules.flatMap((one, i) => validateResourceRule(one, `${field}.resourceRules[${i}]`)),
    ...nonResourceRules.flatMap((one, i) => validateUrlRule(one, `${field}.nonResourceRules[${i}]`)),
  ]
}

function validateSubject({ kind, user, group, serviceAccount: account }: Subject, field: string): FieldError[] {
  if (!KINDS.includes(kind)) return [notSupported(`${field}.kind`, kind, KINDS)]
  const needs = (name: string, value: string | undefined) => (value ? [] : [required(`${field}.${name}`)])
  if (kind === 'User')
    return user ? needs('user.name', user.name) : [required(`${field}.user`, "user is required when subject kind is 'User'")]
  if (kind === 'Group')
    return group ? needs('group.name', group.name) : [required(`${field}.group`, "group is required when subject kind is 'Group'")]
  if (!account) return [required(`${field}.serviceAccount`, "serviceAccount is required when subject kind is 'ServiceAccount'")]
  return [...needs('serviceAccount.name', account.name), ...needs('serviceAccount.namespace', account.namespace)]
}

function validateResourceRule(rule: ResourcePolicyRule, field: string): FieldError[] {
  const { verbs, apiGroups, resources, namespaces = [], clusterScope = false } = rule
  const out = [
    ...listed(verbs, `${field}.verbs`, VERBS),
    ...listed(apiGroups, `${field}.apiGroups`),
    ...listed(resources, `${field}.resources`),
  ]
  if (!namespaces.length && !clusterScope)
    return [...out, required(`${field}.namespaces`, 'resource rules that are not cluster scoped must supply at least one namespace')]
  return namespaces.length ? [...out, ...listed(namespaces, `${field}.namespaces`)] : out
}

function validateUrlRule({ verbs, nonResourceURLs: urls }: NonResourcePolicyRule, field: string): FieldError[] {
  const at = `${field}.nonResourceURLs`
  const faults = urls.flatMap((url, i) => {
    if (url === ALL) return []
    if (!url.startsWith('/')) return [invalid(`${at}[${i}]`, url, 'must start with slash')]
    return url.slice(0, -1).includes(ALL) ? [invalid(`${at}[${i}]`, url, "wildcards can only be at the end: '/foo/*'")] : []
  })
  return [...listed(verbs, `${field}.verbs`, URL_VERBS), ...listed(urls, at), ...faults]
}

/** Not empty, of what is known, and "*" alone. */
function listed(values: readonly string[], field: string, known?: readonly string[]): FieldError[] {
  if (!values.length) return [required(field, 'must contain at least one value')]
  if (values.includes(ALL)) return values.length > 1 ? [invalid(field, values, "if '*' is present, must not specify other values")] : []
  return values.some((value) => known && !known.includes(value)) ? [notSupported(field, values, known ?? [])] : []
}
