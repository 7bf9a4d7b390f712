/** Rolling updates: the new grows as the old shrinks, within surge and unavailability. Source: kubernetes deployment `rolling.go`. */
import type { Deployment, ReplicaSet } from '../../api/apps/v1/types.gen.ts'
import { maxUnavailable, replicasOf } from './fenceposts.ts'
import { compareAge } from './new-set.ts'
import { activeOf, scaleTo, sizeOf, sizeTowards } from './scale.ts'
import { allOf, type DeploymentSync, type Sets } from './sync.ts'

/** One step towards the goal; false if there was nothing to do now. */
export async function rollOneStep(sync: DeploymentSync, sets: Sets & { readonly current: ReplicaSet }): Promise<boolean> {
  return (await growCurrent(sync, sets)) || shrinkOld(sync, sets)
}

async function growCurrent(sync: DeploymentSync, sets: Sets & { readonly current: ReplicaSet }): Promise<boolean> {
  return scaleTo(sync, sets.current, sizeTowards(sync.deployment, sets.current, sets.old))
}

async function shrinkOld(sync: DeploymentSync, sets: Sets & { readonly current: ReplicaSet }): Promise<boolean> {
  const { deployment } = sync
  const old = activeOf(sets.old).sort(compareAge)
  if (old.length === 0) return false
  const sizes = oldSizes(deployment, sets.current, old)
  let scaled = false
  for (const set of old) scaled = (await scaleTo(sync, set, sizes.get(set) ?? sizeOf(set))) || scaled
  return scaled
}

/**
 * What the old sets may shrink to, oldest first: first by the pods that are of no use anyway, then by those that the available ones
 * of the new set make up for. A set that was made smaller may still report the pods it had, so no set counts for more than its size.
 */
export function oldSizes(deployment: Deployment, current: ReplicaSet, old: readonly ReplicaSet[]): Map<ReplicaSet, number> {
  const sets: Sets = { current, old }
  const fewest = replicasOf(deployment) - maxUnavailable(deployment)
  const total = allOf(sets).reduce((sum, set) => sum + sizeOf(set), 0)
  let removable = total - fewest - (sizeOf(current) - availableIn(current))
  const sizes = new Map(old.map((set) => [set, sizeOf(set)]))
  const shrink = (set: ReplicaSet, by: number) => {
    if (by <= 0) return
    sizes.set(set, (sizes.get(set) ?? 0) - by)
    removable -= by
  }
  for (const set of old) shrink(set, Math.min(removable, sizeOf(set) - availableIn(set)))
  let spare = allOf(sets).reduce((sum, set) => sum + availableIn(set), 0) - fewest
  for (const set of old) {
    const by = Math.min(removable, spare, sizes.get(set) ?? 0)
    shrink(set, by)
    spare -= Math.max(0, by)
  }
  return sizes
}

function availableIn(set: ReplicaSet): number {
  return Math.min(set.status.availableReplicas ?? 0, sizeOf(set))
}
