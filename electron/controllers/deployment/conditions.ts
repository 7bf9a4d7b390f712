/** Conditions of Deployments, with the reasons and texts that kubectl and people know. */
import type { Deployment, DeploymentCondition, DeploymentStatus } from '../../api/apps/v1/types.gen.ts'
import { findCondition, removeCondition } from '../../machinery/conditions.ts'

export type ConditionType = 'Available' | 'Progressing' | 'ReplicaFailure'

export interface NewCondition {
  readonly type: ConditionType
  readonly status: 'True' | 'False' | 'Unknown'
  readonly reason: string
  readonly message: string
}

export const TIMED_OUT = 'ProgressDeadlineExceeded'
export const NEW_SET_AVAILABLE = 'NewReplicaSetAvailable'
export const PAUSED = 'DeploymentPaused'

export function progressing(status: NewCondition['status'], reason: string, message: string): NewCondition {
  return { type: 'Progressing', status, reason, message }
}

export function conditionOf(status: DeploymentStatus, type: ConditionType): DeploymentCondition | undefined {
  return findCondition(status.conditions, type)
}

/**
 * The list with this condition in place of the one of its type, moved to the end. One of the same status and reason stays as it is,
 * its message too, unless `renew` is asked for: then its time of update is new. `now` as in `lastUpdateTime`.
 */
export function withCondition(
  conditions: readonly DeploymentCondition[] | undefined,
  condition: NewCondition,
  now: string,
  renew = false,
): readonly DeploymentCondition[] {
  const list = conditions ?? []
  const old = findCondition(list, condition.type)
  if (old?.status === condition.status && old.reason === condition.reason && !renew) return list
  const lastTransitionTime = old?.status === condition.status ? (old.lastTransitionTime ?? now) : now
  return [...removeCondition(list, condition.type), { ...condition, lastUpdateTime: now, lastTransitionTime }]
}

/** The status with these conditions; none at all is left out. */
export function statusWith(status: DeploymentStatus, conditions: readonly DeploymentCondition[]): DeploymentStatus {
  const { conditions: _, ...others } = status
  return conditions.length > 0 ? { ...others, conditions: [...conditions] } : others
}

/** While paused, time does not count against the deadline; what has missed it already stays so. Null: nothing to change. */
export function pauseCondition({ spec, status }: Deployment): NewCondition | null {
  const reason = conditionOf(status, 'Progressing')?.reason
  if (reason === TIMED_OUT) return null
  if (spec.paused && reason !== PAUSED) return progressing('Unknown', PAUSED, 'Deployment is paused')
  if (!spec.paused && reason === PAUSED) return progressing('Unknown', 'DeploymentResumed', 'Deployment is resumed')
  return null
}
