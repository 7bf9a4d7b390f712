/** What a Deployment says of its rollout. Source: kubernetes deployment `sync.go` calculateStatus, `progress.go`. */
import type { Deployment, DeploymentCondition, DeploymentStatus, ReplicaSet } from '../../api/apps/v1/types.gen.ts'
import { findCondition, removeCondition } from '../../machinery/conditions.ts'
import { withoutZeros } from '../workload/counts.ts'
import { conditionOf, NEW_SET_AVAILABLE, progressing, statusWith, TIMED_OUT, withCondition, type NewCondition } from './conditions.ts'
import { maxUnavailable, progressDeadline, replicasOf } from './fenceposts.ts'
import { reportedPods, sizeOf } from './scale.ts'
import { allOf, type Sets } from './sync.ts'

const sum = (sets: readonly ReplicaSet[], count: (set: ReplicaSet) => number | undefined) =>
  sets.reduce((total, set) => total + (count(set) ?? 0), 0)

/** Counts and availability. `now` as in conditions. */
export function countedStatus(deployment: Deployment, sets: Sets, now: string): DeploymentStatus {
  const all = allOf(sets)
  const { collisionCount, conditions } = deployment.status
  const available = sum(all, ({ status }) => status.availableReplicas)
  const terminating = all.every(({ status }) => status.terminatingReplicas !== undefined)
  const counts: DeploymentStatus = {
    ...withoutZeros({
      observedGeneration: deployment.metadata.generation ?? 0,
      replicas: sum(all, reportedPods),
      updatedReplicas: sets.current ? reportedPods(sets.current) : 0,
      readyReplicas: sum(all, ({ status }) => status.readyReplicas),
      availableReplicas: available,
      unavailableReplicas: Math.max(0, sum(all, sizeOf) - available),
    }),
    ...(terminating ? { terminatingReplicas: sum(all, ({ status }) => status.terminatingReplicas) } : {}),
    ...(collisionCount === undefined ? {} : { collisionCount }),
  }
  return statusWith(counts, withCondition(conditions, availability(deployment, available), now))
}

function availability(deployment: Deployment, available: number): NewCondition {
  const type = 'Available'
  return available >= replicasOf(deployment) - maxUnavailable(deployment)
    ? { type, status: 'True', reason: 'MinimumReplicasAvailable', message: 'Deployment has minimum availability.' }
    : { type, status: 'False', reason: 'MinimumReplicasUnavailable', message: 'Deployment does not have minimum availability.' }
}

/** All pods are of the present template, and available. */
export function isComplete(deployment: Deployment, status: DeploymentStatus): boolean {
  const replicas = replicasOf(deployment)
  const { updatedReplicas = 0, replicas: total = 0, availableReplicas = 0, observedGeneration = 0 } = status
  const counts = [updatedReplicas, total, availableReplicas]
  return counts.every((count) => count === replicas) && observedGeneration >= (deployment.metadata.generation ?? 0)
}

/** Counts, availability, progress and failures, during a rollout. `now` is in milliseconds since the epoch. */
export function rolloutStatus(deployment: Deployment, sets: Sets, now: number, time: string): DeploymentStatus {
  const counted = countedStatus(deployment, sets, time)
  const conditions = withFailure(withProgress(deployment, sets, counted, now, time), sets)
  return statusWith(counted, conditions)
}

function withProgress(
  deployment: Deployment,
  sets: Sets,
  status: DeploymentStatus,
  now: number,
  time: string,
): readonly DeploymentCondition[] {
  const conditions = status.conditions ?? []
  if (progressDeadline(deployment) === null) return removeCondition(conditions, 'Progressing')
  const before = conditionOf(deployment.status, 'Progressing')
  if (before?.reason === NEW_SET_AVAILABLE && (status.replicas ?? 0) === (status.updatedReplicas ?? 0)) return conditions
  const what = sets.current ? `ReplicaSet "${sets.current.metadata.name}"` : `Deployment "${deployment.metadata.name}"`
  if (isComplete(deployment, status)) {
    return withCondition(conditions, progressing('True', NEW_SET_AVAILABLE, `${what} has successfully progressed.`), time)
  }
  if (hasProgressed(deployment.status, status)) {
    return withCondition(conditions, progressing('True', 'ReplicaSetUpdated', `${what} is progressing.`), time, true)
  }
  if (hasTimedOut(deployment, status, now)) {
    return withCondition(conditions, progressing('False', TIMED_OUT, `${what} has timed out progressing.`), time)
  }
  return conditions
}

function hasProgressed(before: DeploymentStatus, after: DeploymentStatus): boolean {
  const { updatedReplicas: updated = 0, readyReplicas: ready = 0, availableReplicas: available = 0, replicas = 0 } = after
  const oldBefore = (before.replicas ?? 0) - (before.updatedReplicas ?? 0)
  return (
    updated > (before.updatedReplicas ?? 0) ||
    replicas - updated < oldBefore ||
    ready > (before.readyReplicas ?? 0) ||
    available > (before.availableReplicas ?? 0)
  )
}

function hasTimedOut(deployment: Deployment, status: DeploymentStatus, now: number): boolean {
  const condition = conditionOf(status, 'Progressing')
  if (!condition || condition.reason === NEW_SET_AVAILABLE) return false
  if (condition.reason === TIMED_OUT) return true
  return Date.parse(condition.lastUpdateTime ?? '') + (progressDeadline(deployment) ?? 0) < now
}

/** What keeps a ReplicaSet from its pods is told here as well; of several, the current set's. */
function withFailure(conditions: readonly DeploymentCondition[], sets: Sets): readonly DeploymentCondition[] {
  const failure = [...(sets.current ? [sets.current] : []), ...sets.old]
    .map(({ status }) => findCondition(status.conditions, 'ReplicaFailure'))
    .find((condition) => condition !== undefined)
  if (!failure) return removeCondition(conditions, 'ReplicaFailure')
  const old = findCondition(conditions, 'ReplicaFailure')
  if (old?.status === failure.status && old.reason === failure.reason) return conditions
  const { lastTransitionTime: since } = failure
  return [...removeCondition(conditions, 'ReplicaFailure'), { ...failure, ...(since ? { lastUpdateTime: since } : {}) }]
}

/** Milliseconds until the deadline must be looked at; null if it does not matter now. A second more than that, as times are whole seconds. */
export function untilDeadline(deployment: Deployment, status: DeploymentStatus, now: number): number | null {
  const deadline = progressDeadline(deployment)
  const condition = conditionOf(status, 'Progressing')
  if (deadline === null || !condition || condition.reason === TIMED_OUT || isComplete(deployment, status)) return null
  return Math.max(1000, Date.parse(condition.lastUpdateTime ?? '') + deadline - now + 1000)
}
