/** Topology spread constraints (KEP-895, KEP-3022, KEP-3094, KEP-3243). */
import type { Node, Pod, TopologySpreadConstraint } from '../../../../electron/api/core/v1/types.gen.ts'
import type { LabelSelector } from '../../../../electron/api/meta/v1/types.gen.ts'
import { labelsOf, namespaceOf, podsOn, type Cluster } from './cluster.ts'
import { asksFor, bearsHardTaints, sameValues, selects } from './matching.ts'

const HOST = 'kubernetes.io/hostname'
const DEFAULTS: readonly TopologySpreadConstraint[] = [
  { topologyKey: HOST, whenUnsatisfiable: 'ScheduleAnyway', maxSkew: 3 },
  { topologyKey: 'topology.kubernetes.io/zone', whenUnsatisfiable: 'ScheduleAnyway', maxSkew: 5 },
]

type Constraint = TopologySpreadConstraint

function own(pod: Pod, action: Constraint['whenUnsatisfiable']): Constraint[] {
  return (pod.spec.topologySpreadConstraints ?? []).filter(({ whenUnsatisfiable }) => whenUnsatisfiable === action)
}

/** The pods of the services that select the pod, and of its owner, belong together where the pod says nothing itself. */
function defaultsOf(cluster: Cluster, pod: Pod): Constraint[] {
  if (pod.spec.topologySpreadConstraints?.length) return []
  const services = cluster.services.filter(
    ({ metadata, spec }) =>
      metadata.namespace === namespaceOf(pod) && spec.selector && selects({ matchLabels: spec.selector }, labelsOf(pod)),
  )
  const matchLabels = Object.assign({}, ...services.map(({ spec }) => spec.selector)) as Record<string, string>
  const owner = pod.metadata.ownerReferences?.find(({ controller, kind }) => controller && kind === 'ReplicaSet')
  const set = cluster.replicaSets.find(({ metadata }) => metadata.namespace === namespaceOf(pod) && metadata.name === owner?.name)
  const matchExpressions = [
    ...Object.entries(set?.spec.selector.matchLabels ?? {}).map(([key, value]) => ({ key, operator: 'In' as const, values: [value] })),
    ...(set?.spec.selector.matchExpressions ?? []),
  ]
  if (Object.keys(matchLabels).length + matchExpressions.length === 0) return []
  const labelSelector: LabelSelector = { matchLabels, matchExpressions }
  return DEFAULTS.map((each) => ({ ...each, labelSelector }))
}

const counts = (pod: Pod, { labelSelector, matchLabelKeys }: Constraint, other: Pod) =>
  selects(labelSelector, labelsOf(other)) && sameValues(matchLabelKeys, labelsOf(pod), labelsOf(other))

const hasKeys = (node: Node, constraints: readonly Constraint[]) =>
  constraints.every(({ topologyKey }) => labelsOf(node)[topologyKey] !== undefined)

/** Whether pods on the node are counted for the constraint at all. */
function isLookedAt(pod: Pod, { nodeAffinityPolicy = 'Honor', nodeTaintsPolicy = 'Ignore' }: Constraint, node: Node): boolean {
  if (nodeAffinityPolicy === 'Honor' && !asksFor(pod, node)) return false
  return nodeTaintsPolicy === 'Ignore' || bearsHardTaints(pod, node)
}

/** Pods that are being deleted are as good as gone. */
function matching(cluster: Cluster, pod: Pod, constraint: Constraint, nodes: readonly Node[]): number {
  return nodes
    .flatMap((node) => podsOn(cluster, node))
    .filter((other) => namespaceOf(other) === namespaceOf(pod) && !other.metadata.deletionTimestamp && counts(pod, constraint, other))
    .length
}

export function spreads(cluster: Cluster, pod: Pod, node: Node): boolean {
  const hard = own(pod, 'DoNotSchedule')
  return hard.every((constraint) => {
    const { topologyKey, maxSkew, minDomains = 1 } = constraint
    const domain = labelsOf(node)[topologyKey]
    if (domain === undefined) return false
    const eligible = cluster.nodes.filter((each) => hasKeys(each, hard) && isLookedAt(pod, constraint, each))
    const inDomain = (value: string | undefined) => eligible.filter((each) => labelsOf(each)[topologyKey] === value)
    const domains = new Set(eligible.map((each) => labelsOf(each)[topologyKey]))
    const sizes = [...domains].map((value) => matching(cluster, pod, constraint, inDomain(value)))
    const least = domains.size < minDomains ? 0 : Math.min(...sizes)
    return matching(cluster, pod, constraint, inDomain(domain)) + Number(counts(pod, constraint, pod)) - least <= maxSkew
  })
}

/** From 0 to 100 for each of the nodes; null where there is nothing to spread by. */
export function spreadScores(cluster: Cluster, pod: Pod, nodes: readonly Node[]): number[] | null {
  const own_ = own(pod, 'ScheduleAnyway')
  const soft = pod.spec.topologySpreadConstraints?.length ? own_ : defaultsOf(cluster, pod)
  if (soft.length === 0) return null
  // A node without a key gets nothing, except where only the defaults ask for keys.
  const wantsKeys = own_.length > 0
  const scored = nodes.filter((node) => !wantsKeys || hasKeys(node, soft))
  const raw = nodes.map((node) => {
    if (!scored.includes(node)) return null
    let sum = 0
    for (const constraint of soft) {
      const { topologyKey, maxSkew } = constraint
      const domain = labelsOf(node)[topologyKey]
      if (domain === undefined) continue
      const isHost = topologyKey === HOST
      const near = isHost
        ? [node]
        : cluster.nodes.filter(
            (each) => labelsOf(each)[topologyKey] === domain && (!wantsKeys || hasKeys(each, soft)) && isLookedAt(pod, constraint, each),
          )
      const domains = isHost ? scored.length : new Set(scored.map((each) => labelsOf(each)[topologyKey])).size
      sum += matching(cluster, pod, constraint, near) * Math.log(domains + 2) + maxSkew - 1
    }
    return Math.round(sum)
  })
  const known = raw.filter((score) => score !== null)
  const [least, most] = [Math.min(...known), Math.max(...known)]
  return raw.map((score) => (score === null ? 0 : most === 0 ? 100 : Math.floor((100 * (most + least - score)) / most)))
}
