/**
 * Which pods of a StatefulSet are created, removed and replaced now. With ordered pods one thing is done at a time, and nothing before
 * all pods of lower numbers are available. Source: kubernetes `pkg/controller/statefulset/stateful_set_control.go`.
 */
import type { StatefulSet } from '../../api/apps/v1/types.gen.ts'
import type { Pod } from '../../api/core/v1/types.gen.ts'
import { scaledIntOrPercent } from '../../api/values/int-or-string.ts'
import { isBeingDeleted } from '../../machinery/object.ts'
import { isPodAvailable, isPodTerminal } from '../workload/pod-state.ts'
import { firstOrdinal, hasIdentity, isInRange, ordinalOf, ordinalsOf, revisionOf } from './identity.ts'

export interface Observed {
  readonly set: StatefulSet
  readonly pods: readonly Pod[]
  /** The name of the revision of the present template. */
  readonly updateRevision: string
  /** Numbers whose claims are on their way out with a pod that is gone. */
  readonly stale: ReadonlySet<number>
  /** Milliseconds since the epoch. */
  readonly now: number
}

export interface SetPlan {
  readonly create: readonly number[]
  /** Ended by themselves; deleted to be made again. */
  readonly ended: readonly Pod[]
  readonly delete: readonly Pod[]
  /** Lack the labels of their identity. */
  readonly repair: readonly Pod[]
}

export function isOrdered({ spec }: StatefulSet): boolean {
  return spec.podManagementPolicy !== 'Parallel'
}

export function planPods(observed: Observed): SetPlan {
  const { set, pods, stale } = observed
  const byOrdinal = new Map(pods.map((pod) => [ordinalOf(set, pod) ?? -1, pod]))
  const slots = ordinalsOf(set).map((ordinal) => ({ ordinal, pod: byOrdinal.get(ordinal) }))
  const ordered = isOrdered(set)
  const plan = { create: [] as number[], ended: [] as Pod[], delete: [] as Pod[], repair: [] as Pod[] }
  for (const { ordinal, pod } of slots) {
    if (!pod) {
      if (!stale.has(ordinal)) plan.create.push(ordinal)
      if (ordered) return plan
    } else if (isPodTerminal(pod)) {
      if (!isBeingDeleted(pod)) plan.ended.push(pod)
      if (ordered) return plan
    } else if (ordered && !isHealthy(observed, pod)) return plan
    else if (!hasIdentity(set, pod)) plan.repair.push(pod)
  }
  const superfluous = condemned(observed)
  const unhealthy = superfluous.findLast((pod) => !isHealthy(observed, pod))
  for (const pod of superfluous) {
    if (isBeingDeleted(pod)) {
      if (ordered) return plan
      continue
    }
    if (ordered && !isHealthy(observed, pod) && pod !== unhealthy) return plan
    plan.delete.push(pod)
    if (ordered) return plan
  }
  if (set.spec.updateStrategy.type === 'RollingUpdate') {
    plan.delete.push(
      ...outdated(
        observed,
        slots.map(({ pod }) => pod),
      ),
    )
  }
  return plan
}

/** Beyond the declared number, greatest first. */
function condemned({ set, pods }: Observed): Pod[] {
  const ordinal = (pod: Pod) => ordinalOf(set, pod) ?? -1
  return pods.filter((pod) => ordinal(pod) >= 0 && !isInRange(set, ordinal(pod))).sort((a, b) => ordinal(b) - ordinal(a))
}

/** Runs, has been ready for long enough, and is to stay. */
function isHealthy({ set, now }: Observed, pod: Pod): boolean {
  return pod.status.phase === 'Running' && !isBeingDeleted(pod) && isPodAvailable(pod, set.spec.minReadySeconds ?? 0, now)
}

/** Pods of other revisions from the greatest down, so many that no more than the strategy allows are away. What is away anyway costs nothing. */
function outdated(observed: Observed, slots: readonly (Pod | undefined)[]): Pod[] {
  const { set, updateRevision } = observed
  const { partition = 0, maxUnavailable = 1 } = set.spec.updateStrategy.rollingUpdate ?? {}
  const most = Math.max(1, scaledIntOrPercent(maxUnavailable, slots.length, 'down') ?? 1)
  let budget = most - slots.filter((pod) => !pod || !isHealthy(observed, pod)).length
  const out: Pod[] = []
  for (const pod of slots.slice(partition).reverse()) {
    if (!pod || isBeingDeleted(pod) || isPodTerminal(pod) || revisionOf(pod) === updateRevision) continue
    if (isHealthy(observed, pod) && budget-- <= 0) break
    out.push(pod)
  }
  return out
}

/** Whether a new pod of this number is still of the revision before. */
export function keepsRevision(set: StatefulSet, ordinal: number): boolean {
  const { type, rollingUpdate } = set.spec.updateStrategy
  if (type !== 'RollingUpdate') return false
  return ordinal < firstOrdinal(set) + (rollingUpdate ? (rollingUpdate.partition ?? 0) : (set.status.currentReplicas ?? 0))
}
