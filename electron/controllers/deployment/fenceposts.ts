/** How far a rollout may stray from the declared number of pods. Source: kubernetes deployment util `ResolveFenceposts`. */
import type { Deployment } from '../../api/apps/v1/types.gen.ts'
import { scaledIntOrPercent } from '../../api/values/int-or-string.ts'

const NO_LIMIT = 2 ** 31 - 1

export function replicasOf({ spec }: Deployment): number {
  return spec.replicas ?? 1
}

export function isRolling({ spec }: Deployment): boolean {
  return spec.strategy.type === 'RollingUpdate'
}

/** Pods beyond the declared number; 0 unless updates roll. */
export function maxSurge(deployment: Deployment): number {
  return isRolling(deployment) ? fenceposts(deployment).surge : 0
}

/** Pods short of the declared number; 0 unless updates roll, and never more than are declared. */
export function maxUnavailable(deployment: Deployment): number {
  if (!isRolling(deployment)) return 0
  return Math.min(fenceposts(deployment).unavailable, replicasOf(deployment))
}

/** If neither were allowed, a rollout could not begin: then one may be missing. */
function fenceposts(deployment: Deployment): { surge: number; unavailable: number } {
  const { maxSurge: surge = 0, maxUnavailable: unavailable = 0 } = deployment.spec.strategy.rollingUpdate ?? {}
  const replicas = replicasOf(deployment)
  const resolved = {
    surge: scaledIntOrPercent(surge, replicas, 'up') ?? 0,
    unavailable: scaledIntOrPercent(unavailable, replicas, 'down') ?? 0,
  }
  return resolved.surge === 0 && resolved.unavailable === 0 ? { surge: 0, unavailable: 1 } : resolved
}

/** Milliseconds; null: a rollout may take for ever. */
export function progressDeadline({ spec }: Deployment): number | null {
  const seconds = spec.progressDeadlineSeconds
  return seconds === undefined || seconds === NO_LIMIT ? null : seconds * 1000
}

/** How many old revisions are kept; null: all. */
export function historyLimit({ spec }: Deployment): number | null {
  const limit = spec.revisionHistoryLimit
  return limit === undefined || limit === NO_LIMIT ? null : limit
}
