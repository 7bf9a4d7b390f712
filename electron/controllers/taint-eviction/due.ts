/** When taints drive a pod from its node. Source: kubernetes "Taints and Tolerations", `pkg/controller/tainteviction`. */
import type { Taint, Toleration } from '../../api/core/v1/types.gen.ts'
import { NOT_READY, tolerates, UNREACHABLE } from '../node/taints.ts'

/** So long, in milliseconds, a judgement of nodes' health of before is let be: whoever made it looks again first. */
export const SETTLE = 15_000

/** By the health of nodes, of which nothing is known while nobody listens. */
const BY_HEALTH = [NOT_READY, UNREACHABLE]

/**
 * On the monotonic clock, in milliseconds; null: never. `since`: when the pod was first seen under such taints; `awake`: when this
 * process began to listen.
 */
export function evictionTime(
  taints: readonly Taint[],
  tolerations: readonly Toleration[] | undefined,
  { since, awake }: { since: number; awake: number },
): number | null {
  let first: number | null = null
  for (const taint of taints) {
    const toleration = tolerations?.find((each) => tolerates(each, taint))
    if (toleration && toleration.tolerationSeconds === undefined) continue
    const patience = Math.max(0, toleration?.tolerationSeconds ?? 0) * 1000
    const at = BY_HEALTH.includes(taint.key) ? Math.max(since + patience, awake + Math.max(patience, SETTLE)) : since + patience
    first = Math.min(first ?? at, at)
  }
  return first
}
