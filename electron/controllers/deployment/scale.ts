/** Sizes of a Deployment's ReplicaSets. Source: kubernetes deployment `scale`, `NewRSNewReplicas`, `GetReplicaSetProportion`. */
import { replicaSet as replicaSetKind } from '../../api/apps/v1/replica-set.ts'
import type { Deployment, ReplicaSet, ReplicaSetStatus } from '../../api/apps/v1/types.gen.ts'
import { desiredReplicas, maxReplicas, sizeAnnotations } from './annotations.ts'
import { isRolling, maxSurge, replicasOf } from './fenceposts.ts'
import { allOf, type DeploymentSync, type Sets } from './sync.ts'

export function sizeOf({ spec }: ReplicaSet): number {
  return spec.replicas ?? 1
}

/** What it said last; nothing while it is new. */
export function reportedPods({ status }: ReplicaSet): number {
  return (status as Partial<ReplicaSetStatus>).replicas ?? 0
}

/** Pods that there are or shall be, whichever are more: a set that was made smaller still has pods until it says otherwise. */
function podsHeld(sets: readonly ReplicaSet[]): number {
  return sets.reduce((sum, set) => sum + Math.max(sizeOf(set), reportedPods(set)), 0)
}

/** Whether the set's controller has acted on the size that it was given. Until then it may have more pods than anything says. */
export function isSettled({ metadata, status }: ReplicaSet): boolean {
  return (status.observedGeneration ?? 0) >= (metadata.generation ?? 0)
}

export function activeOf(sets: readonly ReplicaSet[]): ReplicaSet[] {
  return sets.filter((set) => sizeOf(set) > 0)
}

/**
 * The size that a set (null: a new one) may have now on its way to the declared one: if updates roll, it grows only as far as the
 * surge allows beside what the others hold.
 */
export function sizeTowards(deployment: Deployment, set: ReplicaSet | null, others: readonly ReplicaSet[]): number {
  const replicas = replicasOf(deployment)
  const size = set ? sizeOf(set) : 0
  if (replicas <= size || !isRolling(deployment)) return replicas
  if (!others.every(isSettled)) return size
  const room = replicas + maxSurge(deployment) - podsHeld(set ? [...others, set] : others)
  return size + Math.max(0, Math.min(room, replicas - size))
}

/** Writes size and annotations where they differ; an event tells of a new size. Returns whether anything was written. */
export async function resize(sync: DeploymentSync, set: ReplicaSet, replicas: number): Promise<boolean> {
  const before = sizeOf(set)
  const { metadata, spec } = set
  const size = sizeAnnotations(sync.deployment)
  const current = Object.entries(size).every(([key, value]) => metadata.annotations?.[key] === value)
  if (before === replicas && current) return false
  const changed = { ...set, metadata: { ...metadata, annotations: { ...metadata.annotations, ...size } }, spec: { ...spec, replicas } }
  await sync.context.client.update(replicaSetKind, changed)
  if (before !== replicas) {
    const way = before < replicas ? 'up' : 'down'
    sync.tell('Normal', 'ScalingReplicaSet', `Scaled ${way} replica set ${metadata.name} from ${before} to ${replicas}`)
  }
  return true
}

/** As `resize`, but only if the size differs. */
export async function scaleTo(sync: DeploymentSync, set: ReplicaSet, replicas: number): Promise<boolean> {
  return sizeOf(set) === replicas ? false : resize(sync, set, replicas)
}

/** Whether the Deployment was scaled since its ReplicaSets got their sizes. */
export function wasScaled({ deployment, sets }: DeploymentSync): boolean {
  return activeOf(sets).some((set) => {
    const desired = desiredReplicas(set)
    return desired !== null && desired !== replicasOf(deployment)
  })
}

/** Gives the sets sizes that add up to what is declared: all to the only one that has pods, else to each its share. */
export async function scaleSets(sync: DeploymentSync, sets: Sets): Promise<void> {
  const { deployment } = sync
  const only = onlyActiveOrNewest(sets)
  if (only) {
    const others = allOf(sets).filter((set) => set !== only)
    await resize(sync, only, sizeTowards(deployment, only, others))
    return
  }
  if (sets.current && isSaturated(deployment, sets.current)) {
    for (const set of activeOf(sets.old)) await scaleTo(sync, set, 0)
    return
  }
  if (!isRolling(deployment) || !sets.old.every(isSettled)) return
  for (const [set, size] of proportionalSizes(deployment, activeOf(allOf(sets)))) await resize(sync, set, size)
}

function onlyActiveOrNewest({ current, old }: Sets): ReplicaSet | null {
  const active = activeOf(allOf({ current, old }))
  if (active.length > 1) return null
  return active[0] ?? current ?? newestFirst(old)[0] ?? null
}

function isSaturated(deployment: Deployment, set: ReplicaSet): boolean {
  const replicas = replicasOf(deployment)
  return desiredReplicas(set) === replicas && sizeOf(set) === replicas && (set.status.availableReplicas ?? 0) === replicas
}

/** To each set in proportion to its size; what rounding leaves goes to the largest, the newest of them when growing. */
export function proportionalSizes(deployment: Deployment, sets: readonly ReplicaSet[]): Map<ReplicaSet, number> {
  const replicas = replicasOf(deployment)
  const allowed = replicas > 0 ? replicas + maxSurge(deployment) : 0
  const total = sets.reduce((sum, set) => sum + sizeOf(set), 0)
  const toAdd = allowed > total ? Math.max(0, allowed - podsHeld(sets)) : allowed - total
  const byAge = toAdd > 0 ? newestFirst(sets) : newestFirst(sets).reverse()
  const ordered = byAge.sort((a, b) => sizeOf(b) - sizeOf(a))
  let added = 0
  const sizes = new Map<ReplicaSet, number>()
  for (const set of ordered) {
    const share = shareOf(deployment, set, toAdd, added)
    sizes.set(set, sizeOf(set) + share)
    added += share
  }
  const [largest] = ordered
  if (largest && toAdd !== 0) sizes.set(largest, Math.max(0, (sizes.get(largest) ?? 0) + toAdd - added))
  return sizes
}

function shareOf(deployment: Deployment, set: ReplicaSet, toAdd: number, added: number): number {
  const size = sizeOf(set)
  const left = toAdd - added
  if (size === 0 || toAdd === 0 || left === 0) return 0
  const replicas = replicasOf(deployment)
  const before = maxReplicas(set) || deployment.status.replicas || size
  const fraction = replicas === 0 ? -size : Math.round((size * (replicas + maxSurge(deployment))) / before) - size
  return toAdd > 0 ? Math.min(fraction, left) : Math.max(fraction, left)
}

function newestFirst(sets: readonly ReplicaSet[]): ReplicaSet[] {
  return [...sets].sort((a, b) => (a.metadata.creationTimestamp < b.metadata.creationTimestamp ? 1 : -1))
}
