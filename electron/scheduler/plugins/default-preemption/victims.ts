/** Whom a pod would displace on one node. Source: `plugins/defaultpreemption`, `SelectVictimsOnNode`. */
import type { PodDisruptionBudget } from '../../../api/policy/v1/types.gen.ts'
import { selectorFromObject } from '../../../machinery/selector/label-selector.ts'
import type { Attempt } from '../../framework/attempt.ts'
import type { Handle } from '../../framework/descriptor.ts'
import { unresolvable, type Status } from '../../framework/status.ts'
import type { NodeInfo } from '../../snapshot/node-info.ts'
import type { PodInfo } from '../../snapshot/pod-info.ts'

export const NAME = 'DefaultPreemption'
const NO_VICTIMS = ['No preemption victims found for incoming pod']

export interface Victims {
  /** The most important first. */
  readonly pods: readonly PodInfo[]
  /** How many of them a disruption budget would spare. */
  readonly violations: number
}

/** A pod gives way to one of higher priority only. */
export function mayDisplace(pod: PodInfo, victim: PodInfo): boolean {
  return victim.priority < pod.priority
}

/** As few and as unimportant as can be; or why that would not help. `attempt` and `node` are changed: they must be copies. */
export function selectVictims(
  handle: Handle,
  attempt: Attempt,
  pod: PodInfo,
  node: NodeInfo,
  budgets: readonly PodDisruptionBudget[],
): Victims | Status {
  const candidates = [...node.pods()].filter((victim) => mayDisplace(pod, victim))
  if (candidates.length === 0) return unresolvable(NAME, NO_VICTIMS)
  const remove = (victim: PodInfo) => {
    node.remove(victim.uid)
    handle.removePod(attempt, pod, victim, node)
  }
  candidates.forEach(remove)
  const without = handle.filter(attempt, pod, node)
  if (without) return without

  candidates.sort((a, b) => (isMoreImportant(a, b) ? -1 : 1))
  const { violating, others } = byBudget(candidates, budgets)
  const victims: PodInfo[] = []
  /** Whether there is room for the pod beside it. */
  const spare = (victim: PodInfo): boolean => {
    node.add(victim)
    handle.addPod(attempt, pod, victim, node)
    if (!handle.filter(attempt, pod, node)) return true
    remove(victim)
    victims.push(victim)
    return false
  }
  const violations = violating.filter((victim) => !spare(victim)).length
  others.forEach(spare)
  if (violating.length > 0 && others.length > 0) victims.sort((a, b) => (isMoreImportant(a, b) ? -1 : 1))
  return { pods: victims, violations }
}

/** The higher priority; of two alike the one that has run longer. */
function isMoreImportant(a: PodInfo, b: PodInfo): boolean {
  if (a.priority !== b.priority) return a.priority > b.priority
  return startOf(a) < startOf(b)
}

/** In milliseconds since the epoch. One that has not started will start later than all others. */
export function startOf({ startTime }: PodInfo): number {
  return startTime ?? Number.POSITIVE_INFINITY
}

/** Which of the pods a budget would spare if all were to go, one after the other. */
function byBudget(pods: readonly PodInfo[], budgets: readonly PodDisruptionBudget[]): { violating: PodInfo[]; others: PodInfo[] } {
  const [violating, others]: [PodInfo[], PodInfo[]] = [[], []]
  const left = budgets.map(({ metadata, spec, status }) => ({
    namespace: metadata.namespace,
    selector: selectorFromObject(spec.selector),
    disrupted: status.disruptedPods ?? {},
    allowed: status.disruptionsAllowed,
  }))
  for (const pod of pods) {
    let isSpared = false
    for (const budget of left) {
      const { namespace, selector, disrupted } = budget
      if (namespace !== pod.namespace || selector.everything || !selector.matches(pod.labels)) continue
      // It is being disrupted already, and counted.
      if (disrupted[pod.pod.metadata.name] !== undefined) continue
      budget.allowed--
      if (budget.allowed < 0) isSpared = true
    }
    if (isSpared) violating.push(pod)
    else others.push(pod)
  }
  return { violating, others }
}
