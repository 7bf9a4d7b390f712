/** Soft constraints: ScheduleAnyway. Source: `plugins/podtopologyspread/scoring.go`. */
import { countOnNode, stayingCohorts } from '../../matching/cohorts.ts'
import { requiredNodes, type RequiredNodes } from '../../matching/node-selector.ts'
import { MAX_SCORE } from '../../framework/framework.ts'
import type { Cohort } from '../../snapshot/cohort.ts'
import type { NodeInfo } from '../../snapshot/node-info.ts'
import type { PodInfo } from '../../snapshot/pod-info.ts'
import type { SnapshotView } from '../../snapshot/snapshot.ts'
import { allHaveKeys, allIncluded, hasAllKeys, HOSTNAME, isIncluded, type Constraint } from './constraints.ts'

interface Counted {
  readonly constraint: Constraint
  /** So that a topology of many domains does not drown one of few. */
  readonly weight: number
  /** Matching pods in the domain of a node. */
  readonly count: (node: NodeInfo, domain: string) => number
}

export class SpreadScores {
  readonly #counted: readonly Counted[]
  /** Nodes that lack a key of some constraint, and get no score. */
  readonly #ignored: ReadonlySet<string>

  /** `nodes` are those that passed the filters. `allKeys`: a node that lacks one of the keys is ignored. */
  constructor(
    constraints: readonly Constraint[],
    pod: PodInfo,
    nodes: readonly NodeInfo[],
    snapshot: SnapshotView,
    options: { readonly allKeys: boolean },
  ) {
    const { allKeys } = options
    const kept = allKeys ? nodes.filter(({ labels }) => hasAllKeys(labels, constraints)) : nodes
    const keptNames = allKeys && kept.length < nodes.length ? new Set(kept.map(({ name }) => name)) : null
    this.#ignored = new Set(keptNames ? nodes.flatMap(({ name }) => (keptNames.has(name) ? [] : name)) : [])
    const required = requiredNodes(pod.pod)
    const everywhere = !allKeys || allHaveKeys(constraints, snapshot)
    this.#counted = constraints.map((constraint) => {
      const { topologyKey, selector } = constraint
      const cohorts = stayingCohorts(snapshot.cohorts, pod.namespace, selector)
      if (topologyKey === HOSTNAME) return { constraint, weight: weightOf(kept.length), count: ({ name }) => countOnNode(cohorts, name) }
      // A node without the label forms a domain of its own here, as upstream.
      const domains = new Set(kept.map(({ labels }) => labels[topologyKey] ?? ''))
      const weight = weightOf(domains.size)
      if (everywhere && allIncluded(constraint, required)) {
        const counts = cohorts.map((cohort) => cohort.perTopology(topologyKey))
        return { constraint, weight, count: (_node, domain) => counts.reduce((sum, each) => sum + (each.get(domain) ?? 0), 0) }
      }
      const sums = countIncluded(constraint, allKeys ? constraints : [], pod, required, cohorts, snapshot)
      return { constraint, weight, count: (_node, domain) => sums.get(domain) ?? 0 }
    })
  }

  /** More is worse, until it is normalized. */
  score(node: NodeInfo): number {
    if (this.#ignored.has(node.name)) return 0
    let score = 0
    for (const { constraint, weight, count } of this.#counted) {
      const domain = node.labels[constraint.topologyKey]
      if (domain !== undefined) score += count(node, domain) * weight + (constraint.maxSkew - 1)
    }
    return Math.round(score)
  }

  normalize(scores: number[], nodes: readonly NodeInfo[]): void {
    let [least, most] = [Number.MAX_SAFE_INTEGER, 0]
    for (const [i, { name }] of nodes.entries()) {
      if (this.#ignored.has(name)) continue
      const score = scores[i] as number
      if (score < least) least = score
      if (score > most) most = score
    }
    for (const [i, { name }] of nodes.entries()) {
      if (this.#ignored.has(name)) scores[i] = 0
      else scores[i] = most === 0 ? MAX_SCORE : Math.trunc((MAX_SCORE * (most + least - (scores[i] as number))) / most)
    }
  }
}

function weightOf(domains: number): number {
  return Math.log(domains + 2)
}

function countIncluded(
  constraint: Constraint,
  constraints: readonly Constraint[],
  pod: PodInfo,
  required: RequiredNodes,
  cohorts: readonly Cohort[],
  snapshot: SnapshotView,
): ReadonlyMap<string, number> {
  const sums = new Map<string, number>()
  for (const node of snapshot.nodes) {
    const domain = node.labels[constraint.topologyKey] ?? ''
    if (!hasAllKeys(node.labels, constraints) || !isIncluded(constraint, pod, required, node)) continue
    sums.set(domain, (sums.get(domain) ?? 0) + countOnNode(cohorts, node.name))
  }
  return sums
}
