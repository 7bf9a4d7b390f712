/** Whether rules that someone holds cover rules that they want to grant. Source: kubernetes "Privilege escalation prevention". */
import type { PolicyRule } from '../../api/rbac/v1/types.gen.ts'

/** The parts of `wanted` that `held` does not cover, each with one verb and one resource or path; empty: everything is covered. */
export function uncovered(held: readonly PolicyRule[], wanted: readonly PolicyRule[]): PolicyRule[] {
  return wanted.flatMap(breakDown).filter((part) => !held.some((rule) => covers(rule, part)))
}

function breakDown(rule: PolicyRule): PolicyRule[] {
  const parts: PolicyRule[] = []
  for (const verb of rule.verbs) {
    for (const group of rule.apiGroups ?? []) {
      for (const resource of rule.resources ?? []) {
        const part = { verbs: [verb], apiGroups: [group], resources: [resource] }
        if (!rule.resourceNames?.length) parts.push(part)
        for (const name of rule.resourceNames ?? []) parts.push({ ...part, resourceNames: [name] })
      }
    }
    for (const url of rule.nonResourceURLs ?? []) parts.push({ verbs: [verb], nonResourceURLs: [url] })
  }
  return parts
}

function covers(held: PolicyRule, part: PolicyRule): boolean {
  if (!includes(held.verbs, part.verbs[0])) return false
  const url = part.nonResourceURLs?.[0]
  if (url !== undefined) return (held.nonResourceURLs ?? []).some((own) => coversUrl(own, url))
  return (
    includes(held.apiGroups, part.apiGroups?.[0]) &&
    coversResource(held.resources ?? [], part.resources?.[0] ?? '') &&
    (!held.resourceNames?.length || (part.resourceNames?.[0] !== undefined && held.resourceNames.includes(part.resourceNames[0])))
  )
}

function includes(held: readonly string[] | undefined, wanted: string | undefined): boolean {
  return wanted !== undefined && (held ?? []).some((one) => one === '*' || one === wanted)
}

function coversResource(held: readonly string[], wanted: string): boolean {
  const slash = wanted.indexOf('/')
  const anyParent = slash < 0 ? null : `*${wanted.slice(slash)}`
  return held.some((one) => one === '*' || one === wanted || one === anyParent)
}

function coversUrl(held: string, wanted: string): boolean {
  return held === wanted || (held.endsWith('*') && wanted.startsWith(held.replace(/\*+$/, '')))
}

/** A rule as upstream's messages show it: `{APIGroups:[""], Resources:["pods"], Verbs:["get"]}`. */
export function shownRule(rule: PolicyRule): string {
  const parts: string[] = []
  const add = (name: string, values: readonly string[] | undefined) => {
    if (values?.length) parts.push(`${name}:[${values.map((value) => JSON.stringify(value)).join(' ')}]`)
  }
  add('NonResourceURLs', rule.nonResourceURLs)
  add('APIGroups', rule.apiGroups)
  add('Resources', rule.resources)
  add('ResourceNames', rule.resourceNames)
  add('Verbs', rule.verbs)
  return `{${parts.join(', ')}}`
}

/** One rule for what differs only in its verbs, as upstream's messages group them. */
export function compact(rules: readonly PolicyRule[]): PolicyRule[] {
  const grouped = new Map<string, PolicyRule>()
  for (const rule of rules) {
    const key = JSON.stringify([rule.apiGroups, rule.resources, rule.resourceNames, rule.nonResourceURLs])
    const known = grouped.get(key)
    if (!known) grouped.set(key, { ...rule, verbs: [...rule.verbs] })
    else for (const verb of rule.verbs) if (!known.verbs.includes(verb)) known.verbs.push(verb)
  }
  return [...grouped.values()]
}
