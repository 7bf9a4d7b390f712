/** How many pods of a budget are there, and how many must stay. Source: kubernetes `pkg/controller/disruption`. */
import type { Pod } from '../../api/core/v1/types.gen.ts'
import type { PodDisruptionBudget, PodDisruptionBudgetSpec } from '../../api/policy/v1/types.gen.ts'
import { scaledIntOrPercent } from '../../api/values/int-or-string.ts'
import { isBeingDeleted } from '../../machinery/object.ts'
import { isPodReady } from '../workload/pod-state.ts'

/** Milliseconds after an eviction in which its pod is taken to go. */
export const DELETION_TIMEOUT = 2 * 60_000

export interface Expected {
  readonly expectedPods: number
  readonly desiredHealthy: number
}

/** Whether the controllers' wishes count, and not just how many pods there are. */
export function countsScale({ minAvailable, maxUnavailable }: PodDisruptionBudgetSpec): boolean {
  return maxUnavailable !== undefined || typeof minAvailable === 'string'
}

/** `count` is the sum of what the pods' controllers want, or where that does not count, the number of pods. */
export function expected({ minAvailable, maxUnavailable }: PodDisruptionBudgetSpec, count: number): Expected {
  if (maxUnavailable !== undefined)
    return { expectedPods: count, desiredHealthy: Math.max(0, count - (scaledIntOrPercent(maxUnavailable, count, 'up') ?? 0)) }
  return { expectedPods: count, desiredHealthy: minAvailable === undefined ? 0 : (scaledIntOrPercent(minAvailable, count, 'up') ?? 0) }
}

export interface Disrupted {
  /** By pod: since when it is expected to go. */
  readonly pods: Readonly<Record<string, string>>
  /** When the first of them is no longer expected to go, in milliseconds since the epoch; null without any. */
  readonly until: number | null
  /** Those that were expected to go and did not. */
  readonly stayed: readonly Pod[]
}

/** What is left of the evictions that the server noted in the budget: those whose pods are still there, and not on their way. */
export function disruptedPods({ status }: PodDisruptionBudget, pods: readonly Pod[], now: number): Disrupted {
  const left: Record<string, string> = {}
  const stayed: Pod[] = []
  let until: number | null = null
  for (const pod of pods) {
    const since = status.disruptedPods?.[pod.metadata.name]
    if (since === undefined || isBeingDeleted(pod)) continue
    const end = Date.parse(since) + DELETION_TIMEOUT
    if (end < now) stayed.push(pod)
    else {
      left[pod.metadata.name] = since
      until = Math.min(until ?? end, end)
    }
  }
  return { pods: left, until, stayed }
}

/** Ready, and not about to go. */
export function countHealthy(pods: readonly Pod[], disrupted: Disrupted): number {
  return pods.filter((pod) => !isBeingDeleted(pod) && disrupted.pods[pod.metadata.name] === undefined && isPodReady(pod)).length
}
