/** Which pods of a namespace are not as it asks for from now on. Source: k8s.io/pod-security-admission `admission`. */
import type { Pod } from '../../../api/core/v1/types.gen.ts'
import { goQuote } from '../../../api/values/field-error.ts'
import type { Clock } from '../../../base/clock.ts'
import { controllerOf } from '../../../machinery/object.ts'
import { judgeable } from './check.ts'
import { brokenBy, reasonsOf, rulesOf } from './evaluate.ts'
import { levelText, type LevelVersion } from './policy.ts'

export const MAX_PODS = 3000
const MAX_MILLISECONDS = 1000

/** Warnings for who sets the level; pods with the same faults share one. Looks at some of them only where there are too many. */
export function existingPodWarnings(namespace: string, enforce: LevelVersion, pods: readonly Pod[], clock: Clock): string[] {
  const start = clock.monotonic()
  const ordered = oneOfEachFirst(pods).slice(0, MAX_PODS)
  const rules = rulesOf(enforce)
  const faulty = new Map<string, string[]>()
  let checked = 0
  for (const { metadata, spec } of ordered) {
    const reasons = reasonsOf(brokenBy(judgeable(metadata.annotations, spec), rules))
    const alike = faulty.get(reasons)
    if (alike) alike.push(metadata.name)
    else if (reasons) faulty.set(reasons, [metadata.name])
    checked += 1
    if (clock.monotonic() - start >= MAX_MILLISECONDS) break
  }
  const level = goQuote(levelText(enforce))
  return [
    ...(checked < pods.length
      ? [`new PodSecurity enforce level only checked against the first ${checked} of ${pods.length} existing pods`]
      : []),
    ...(faulty.size > 0 ? [`existing pods in namespace ${goQuote(namespace)} violate the new PodSecurity enforce level ${level}`] : []),
    ...[...faulty].map(([reasons, names]) => `${whose(names)}: ${reasons}`).sort(),
  ]
}

/** Pods of one controller are alike. */
function oneOfEachFirst(pods: readonly Pod[]): Pod[] {
  const seen = new Set<string>()
  const alike: Pod[] = []
  const first = pods.filter((pod) => {
    const uid = controllerOf(pod)?.uid
    if (uid === undefined || !seen.has(uid)) {
      if (uid !== undefined) seen.add(uid)
      return true
    }
    alike.push(pod)
    return false
  })
  return [...first, ...alike]
}

function whose(names: readonly string[]): string {
  const first = [...names].sort()[0]
  const others = names.length - 1
  if (others === 0) return `${first}`
  return `${first} (and ${others} other ${others === 1 ? 'pod' : 'pods'})`
}
