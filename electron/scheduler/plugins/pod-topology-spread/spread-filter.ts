/** Hard constraints: DoNotSchedule. Source: `plugins/podtopologyspread/filtering.go`. */
import { countOnNode, stayingCohorts } from '../../matching/cohorts.ts'
import { requiredNodes, type RequiredNodes } from '../../matching/node-selector.ts'
import type { Evidence } from '../../framework/evidence.ts'
import { unresolvable, unschedulable, type Result } from '../../framework/status.ts'
import type { NodeInfo } from '../../snapshot/node-info.ts'
import type { PodInfo } from '../../snapshot/pod-info.ts'
import type { SnapshotView } from '../../snapshot/snapshot.ts'
import { allHaveKeys, allIncluded, hasAllKeys, isIncluded, type Constraint } from './constraints.ts'
import { DomainCounts } from './domain-counts.ts'

export const NAME = 'PodTopologySpread'
const NOT_MATCHING = ["node(s) didn't match pod topology spread constraints"]
const NO_LABEL = ["node(s) didn't match pod topology spread constraints (missing required label)"]

export class SpreadState {
  readonly #constraints: readonly Constraint[]
  readonly #counts: readonly DomainCounts[]
  readonly #required: RequiredNodes

  private constructor(constraints: readonly Constraint[], counts: readonly DomainCounts[], required: RequiredNodes) {
    this.#constraints = constraints
    this.#counts = counts
    this.#required = required
  }

  static of(constraints: readonly Constraint[], pod: PodInfo, snapshot: SnapshotView): SpreadState {
    const required = requiredNodes(pod.pod)
    const everywhere = allHaveKeys(constraints, snapshot)
    const counts = constraints.map((constraint) =>
      everywhere && allIncluded(constraint, required)
        ? countAll(constraint, pod, snapshot)
        : countIncluded(constraint, constraints, pod, required, snapshot),
    )
    return new SpreadState(constraints, counts, required)
  }

  clone(): SpreadState {
    return new SpreadState(
      this.#constraints,
      this.#counts.map((counts) => counts.copy()),
      this.#required,
    )
  }

  check({ labels }: PodInfo, node: NodeInfo): Result {
    for (const [i, constraint] of this.#constraints.entries()) {
      const { topologyKey, maxSkew, minDomains, selector } = constraint
      const domain = node.labels[topologyKey]
      const counts = this.#counts[i] as DomainCounts
      if (domain === undefined) return unresolvable(NAME, NO_LABEL, [evidence(constraint, null, 0, 0, 0)])
      const fewest = counts.size < minDomains ? 0 : counts.fewest
      const matching = counts.get(domain)
      const skew = matching + (selector.matches(labels) ? 1 : 0) - fewest
      if (skew > maxSkew) return unschedulable(NAME, NOT_MATCHING, [evidence(constraint, domain, skew, matching, fewest)])
    }
    return null
  }

  /** A pod comes to the node, or leaves it, in thought. Those that are being deleted were not counted. */
  change(pod: PodInfo, other: PodInfo, node: NodeInfo, by: 1 | -1): void {
    if (other.namespace !== pod.namespace || other.terminating || !hasAllKeys(node.labels, this.#constraints)) return
    for (const [i, constraint] of this.#constraints.entries()) {
      const domain = node.labels[constraint.topologyKey]
      if (domain === undefined || !constraint.selector.matches(other.labels)) continue
      if (isIncluded(constraint, pod, this.#required, node)) this.#counts[i]?.change(domain, by)
    }
  }
}

/** Every node counts: the snapshot knows the domains, and each cohort knows its own. */
function countAll({ topologyKey, selector }: Constraint, { namespace }: PodInfo, snapshot: SnapshotView): DomainCounts {
  const { nodesPerValue } = snapshot.domains(topologyKey)
  const cohorts = stayingCohorts(snapshot.cohorts, namespace, selector)
  if (cohorts.length === 1 && cohorts[0]) return new DomainCounts(nodesPerValue, cohorts[0].perTopology(topologyKey))
  const sums = new Map<string, number>()
  for (const cohort of cohorts) {
    for (const [domain, count] of cohort.perTopology(topologyKey)) sums.set(domain, (sums.get(domain) ?? 0) + count)
  }
  return new DomainCounts(nodesPerValue, sums)
}

function countIncluded(
  constraint: Constraint,
  constraints: readonly Constraint[],
  pod: PodInfo,
  required: RequiredNodes,
  snapshot: SnapshotView,
): DomainCounts {
  const cohorts = stayingCohorts(snapshot.cohorts, pod.namespace, constraint.selector)
  const sums = new Map<string, number>()
  for (const node of snapshot.nodes) {
    const domain = node.labels[constraint.topologyKey]
    if (domain === undefined || !hasAllKeys(node.labels, constraints) || !isIncluded(constraint, pod, required, node)) continue
    sums.set(domain, (sums.get(domain) ?? 0) + countOnNode(cohorts, node.name))
  }
  return new DomainCounts(sums, sums)
}

function evidence({ topologyKey, maxSkew }: Constraint, domain: string | null, skew: number, matching: number, fewest: number): Evidence {
  return { type: 'topologySpread', topologyKey, domain, maxSkew, skew, matching, fewest }
}
