import type { DaemonSet, DaemonSetStatus } from '../../api/apps/v1/types.gen.ts'
import type { Node } from '../../api/core/v1/types.gen.ts'
import { withoutZeros } from '../workload/counts.ts'
import { isPodAvailable, isPodReady } from '../workload/pod-state.ts'
import { isUpdated, oldestFirst, placementOn, type PlanOptions } from './placement.ts'
import type { PodsByNode } from './rolling.ts'

/** What a set says of its nodes. `settled`: what was declared was acted on. */
export function daemonSetStatus(
  nodes: readonly Node[],
  pods: PodsByNode,
  { set, hash, now }: PlanOptions,
  settled: boolean,
): DaemonSetStatus {
  const { collisionCount, conditions, observedGeneration = 0 } = set.status
  const counts = { desired: 0, current: 0, misscheduled: 0, ready: 0, available: 0, updated: 0 }
  for (const node of nodes) {
    const [oldest] = [...(pods.get(node.metadata.name) ?? [])].sort(oldestFirst)
    const { shouldRun } = placementOn(set, node)
    if (shouldRun) counts.desired++
    if (!oldest) continue
    if (!shouldRun) {
      counts.misscheduled++
      continue
    }
    counts.current++
    if (isPodReady(oldest)) counts.ready++
    if (isPodAvailable(oldest, set.spec.minReadySeconds ?? 0, now)) counts.available++
    if (isUpdated(oldest, hash)) counts.updated++
  }
  return {
    currentNumberScheduled: counts.current,
    desiredNumberScheduled: counts.desired,
    numberMisscheduled: counts.misscheduled,
    numberReady: counts.ready,
    ...withoutZeros({
      updatedNumberScheduled: counts.updated,
      numberAvailable: counts.available,
      numberUnavailable: counts.desired - counts.available,
      observedGeneration: settled ? generationOf(set) : observedGeneration,
    }),
    ...(collisionCount === undefined ? {} : { collisionCount }),
    ...(conditions ? { conditions } : {}),
  }
}

function generationOf({ metadata }: DaemonSet): number {
  return metadata.generation ?? 0
}
