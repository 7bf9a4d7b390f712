/** Checks of what a role allows. Source: kubernetes `apis/rbac/validation`. */
import { invalid, required, type FieldError } from '../../values/field-error.ts'
import type { PolicyRule } from './types.gen.ts'

/** Roles without rules say so: Kubernetes writes the field in any case. */
export function writeRules(role: { rules?: PolicyRule[] }): void {
  role.rules ??= []
}

export function validateRules(rules: readonly PolicyRule[] | undefined, namespaced: boolean): FieldError[] {
  return (rules ?? []).flatMap((rule, i) => validateRule(rule, namespaced, `rules[${i}]`))
}

function validateRule(rule: PolicyRule, namespaced: boolean, field: string): FieldError[] {
  const { verbs, apiGroups = [], resources = [], resourceNames = [], nonResourceURLs: urls = [] } = rule
  const out: FieldError[] = verbs?.length ? [] : [required(`${field}.verbs`, 'verbs must contain at least one value')]
  if (urls.length) {
    const at = `${field}.nonResourceURLs`
    if (namespaced) out.push(invalid(at, urls, 'namespaced rules cannot apply to non-resource URLs'))
    if (apiGroups.length + resources.length + resourceNames.length) {
      out.push(invalid(at, urls, 'rules cannot apply to both regular resources and non-resource URLs'))
    }
    return out
  }
  if (!apiGroups.length) out.push(required(`${field}.apiGroups`, 'resource rules must supply at least one api group'))
  if (!resources.length) out.push(required(`${field}.resources`, 'resource rules must supply at least one resource'))
  return out
}
