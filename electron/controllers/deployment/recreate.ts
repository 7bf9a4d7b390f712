/** Recreation: nothing new before all old pods are gone. Source: kubernetes deployment `recreate.go`. */
import type { Pod } from '../../api/core/v1/types.gen.ts'
import type { Informer } from '../../client/informer.ts'
import { controlledBy } from '../workload/indices.ts'
import { isPodTerminal } from '../workload/pod-state.ts'
import { replicasOf } from './fenceposts.ts'
import { syncSets } from './new-set.ts'
import { activeOf, reportedPods, scaleTo } from './scale.ts'
import type { DeploymentSync, Sets } from './sync.ts'

/** Takes the step that can be taken now, and returns the sets after it. */
export async function recreate(sync: DeploymentSync, pods: Informer<Pod>): Promise<Sets> {
  const before = await syncSets(sync, { create: false })
  const active = activeOf(before.old)
  for (const set of active) await scaleTo(sync, set, 0)
  if (active.length > 0 || runsOldPods(before, pods)) return before
  const sets = before.current ? before : await syncSets(sync, { create: true })
  if (sets.current) await scaleTo(sync, sets.current, replicasOf(sync.deployment))
  return sets
}

/** Pods that are being deleted still run. */
function runsOldPods({ old }: Sets, pods: Informer<Pod>): boolean {
  return old.some((set) => reportedPods(set) > 0 || controlledBy(pods, set.metadata.uid).some((pod) => !isPodTerminal(pod)))
}
