/** Whom a pod would displace on which node. */
import type { Node, Pod } from '../../../../electron/api/core/v1/types.gen.ts'
import { labelsOf, namespaceOf, podsOn, without, type Cluster } from './cluster.ts'
import { feasible } from './filters.ts'
import { selects } from './matching.ts'

export interface Displacement {
  readonly node: string
  readonly victims: readonly Pod[]
  /** How many of them a budget would spare. */
  readonly violations: number
}

const priorityOf = ({ spec }: Pod) => spec.priority ?? 0

/** A pod that has not started yet starts now. */
const startOf = ({ status }: Pod, now: number) => (status.startTime ? Date.parse(status.startTime) : now)

/** Null where displacing others does not help, or there is nobody to displace. */
export function displacement(cluster: Cluster, pod: Pod, node: Node, promised: readonly Pod[], now: number): Displacement | null {
  const lesser = podsOn(cluster, node)
    .filter((other) => priorityOf(other) < priorityOf(pod))
    .sort((a, b) => priorityOf(b) - priorityOf(a) || startOf(a, now) - startOf(b, now))
  if (lesser.length === 0 || !feasible(without(cluster, lesser), pod, node, promised)) return null
  const spared = sparedByBudgets(cluster, lesser)
  let gone: readonly Pod[] = lesser
  // The most important are spared first, and before them those that a budget protects.
  for (const other of [...lesser.filter((each) => spared.includes(each)), ...lesser.filter((each) => !spared.includes(each))]) {
    const fewer = gone.filter((each) => each !== other)
    if (feasible(without(cluster, fewer), pod, node, promised)) gone = fewer
  }
  return { node: node.metadata.name, victims: gone, violations: gone.filter((each) => spared.includes(each)).length }
}

/** If all went one after the other, those for which some budget had nothing left. */
function sparedByBudgets({ budgets }: Cluster, pods: readonly Pod[]): Pod[] {
  const left = new Map(budgets.map((budget) => [budget, budget.status.disruptionsAllowed]))
  return pods.filter((pod) => {
    const own = budgets.filter(
      ({ metadata, spec, status }) =>
        metadata.namespace === namespaceOf(pod) &&
        Object.keys(spec.selector?.matchLabels ?? {}).length > 0 &&
        selects(spec.selector, labelsOf(pod)) &&
        status.disruptedPods?.[pod.metadata.name] === undefined,
    )
    for (const budget of own) left.set(budget, (left.get(budget) ?? 0) - 1)
    return own.some((budget) => (left.get(budget) ?? 0) < 0)
  })
}

/**
 * What is compared, the smaller the better: broken budgets, the most important victim, the sum of priorities (each above all negative
 * ones), how many, and how long ago the first of the most important began.
 */
export function badness({ victims, violations }: Displacement, now: number): number[] {
  const highest = Math.max(...victims.map(priorityOf))
  const first = Math.min(...victims.filter((pod) => priorityOf(pod) === highest).map((pod) => startOf(pod, now)))
  const sum = victims.reduce((total, pod) => total + priorityOf(pod) + 2 ** 31, 0)
  return [violations, highest, sum, victims.length, -first]
}

export function compare(a: readonly number[], b: readonly number[]): number {
  const at = a.findIndex((value, i) => value !== b[i])
  return at < 0 ? 0 : (a[at] ?? 0) - (b[at] ?? 0)
}
