/** Judges pods by the checks that a level had in a version. Source: k8s.io/pod-security-admission `policy/registry.go`. */
import { BASELINE } from './baseline.ts'
import type { CheckVersion, Check, Judgeable, Rule, Violation } from './check.ts'
import type { LevelVersion } from './policy.ts'
import { RESTRICTED } from './restricted.ts'

/** The checks of the baseline first, both by their ids; empty if the pod is as it should be. */
export function violations(wanted: LevelVersion, pod: Judgeable): Violation[] {
  if (wanted.level === 'privileged') return []
  return rulesOf(wanted).flatMap((rule) => rule(pod) ?? [])
}

/** `host namespaces, privileged`: what pods have in common. */
export const reasonsOf = (all: readonly Violation[]): string => all.map(({ reason }) => reason).join(', ')

/** `host namespaces (hostNetwork=true), privileged (container "a" must not …)`. */
export const detailsOf = (all: readonly Violation[]): string =>
  all.map(({ reason, detail }) => (detail ? `${reason} (${detail})` : reason)).join(', ')

function rulesOf({ level, minor }: LevelVersion): Rule[] {
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
