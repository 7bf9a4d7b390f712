/** What is said of labels that nobody looks at. Source: k8s.io/pod-security-admission `admission`. */
import { goQuote } from '../../../api/values/field-error.ts'
import { asks, asksNothing, LABEL_PREFIX, levelText, type LevelVersion, type Mode, type Policy } from './policy.ts'

const MODES: readonly Mode[] = ['enforce', 'audit', 'warn']

/** "" if the labels ask for nothing that would not be so without them. */
export function ignoredText(namespace: string, policy: Policy, labels: Readonly<Record<string, string>>, defaults: Policy): string {
  if (asksNothing(policy) || MODES.every((mode) => equivalent(policy[mode], defaults[mode]))) return ''
  const said = MODES.filter((mode) => asks(policy[mode]) && (LABEL_PREFIX + mode in labels || `${LABEL_PREFIX}${mode}-version` in labels))
  const text = said.map((mode) => `${mode}=${levelText(policy[mode])}`).join(', ')
  return `namespace ${goQuote(namespace)} is exempt from Pod Security, and the policy (${text}) will be ignored`
}

/** "privileged" is the same in all versions. */
function equivalent(a: LevelVersion, b: LevelVersion): boolean {
  return a.level === b.level && (!asks(a) || a.minor === b.minor)
}
