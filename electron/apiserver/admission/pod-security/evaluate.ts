/** Judges pods by the checks that a level had in a version. Source: k8s.io/pod-security-admission `policy/registry.go`. */
import { BASELINE } from './baseline.ts'
import type { CheckVersion, Check, Judgeable, Rule, Violation } from './check.ts'
import type { LevelVersion } from './policy.ts'
import { RESTRICTED } from './restricted.ts'

/** Empty if the pod is as it should be. */
export function violations(wanted: LevelVersion, pod: Judgeable): Violation[] {
  return brokenBy(pod, rulesOf(wanted))
}

export function brokenBy(pod: Judgeable, rules: readonly Rule[]): Violation[] {
  return rules.flatMap((rule) => rule(pod) ?? [])
}

/** `host namespaces, privileged`: what pods have in common. */
export const reasonsOf = (all: readonly Violation[]): string => all.map(({ reason }) => reason).join(', ')

/** `host namespaces (hostNetwork=true), privileged (container "a" must not …)`. */
export const detailsOf = (all: readonly Violation[]): string =>
  all.map(({ reason, detail }) => (detail ? `${reason} (${detail})` : reason)).join(', ')

/** The checks of the baseline first, both by their ids. */
export function rulesOf({ level, minor }: LevelVersion): Rule[] {
  if (level === 'privileged') return []
  const baseline = BASELINE.flatMap((check) => inVersion(check, minor))
  if (level === 'baseline') return baseline.map(({ rule }) => rule)
  const restricted = RESTRICTED.flatMap((check) => inVersion(check, minor))
  const replaced = new Set(restricted.map(({ instead }) => instead))
  return [...baseline.filter(({ id }) => !replaced.has(id)), ...restricted].map(({ rule }) => rule)
}

function inVersion({ id, versions }: Check, minor: number): (CheckVersion & Pick<Check, 'id'>)[] {
  const found = versions.findLast(({ since }) => since <= minor)
  return found ? [{ ...found, id }] : []
}
