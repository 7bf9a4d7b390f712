/** Inter-pod affinity and anti-affinity (KEP-2249 namespaces, KEP-3633 label keys). */
import type { Node, Pod, PodAffinityTerm, WeightedPodAffinityTerm } from '../../../../electron/api/core/v1/types.gen.ts'
import { labelsOf, namespaceOf, nodeOf, type Cluster } from './cluster.ts'
import { otherValues, sameValues, selects } from './matching.ts'

const REQUIRED = 'requiredDuringSchedulingIgnoredDuringExecution'
const PREFERRED = 'preferredDuringSchedulingIgnoredDuringExecution'
const HARD_WEIGHT = 1

const wants = ({ spec }: Pod): readonly PodAffinityTerm[] => spec.affinity?.podAffinity?.[REQUIRED] ?? []
const shuns = ({ spec }: Pod): readonly PodAffinityTerm[] => spec.affinity?.podAntiAffinity?.[REQUIRED] ?? []
const likes = ({ spec }: Pod): readonly WeightedPodAffinityTerm[] => spec.affinity?.podAffinity?.[PREFERRED] ?? []
const dislikes = ({ spec }: Pod): readonly WeightedPodAffinityTerm[] => spec.affinity?.podAntiAffinity?.[PREFERRED] ?? []

function means(cluster: Cluster, owner: Pod, term: PodAffinityTerm, other: Pod): boolean {
  const { namespaces = [], namespaceSelector, labelSelector, matchLabelKeys, mismatchLabelKeys } = term
  const namespace = namespaceOf(other)
  const named = namespaces.length === 0 && !namespaceSelector ? [namespaceOf(owner)] : namespaces
  if (!named.includes(namespace) && !selects(namespaceSelector, cluster.namespaces[namespace] ?? {})) return false
  const [own, theirs] = [labelsOf(owner), labelsOf(other)]
  return selects(labelSelector, theirs) && sameValues(matchLabelKeys, own, theirs) && otherValues(mismatchLabelKeys, own, theirs)
}

function share(key: string, a: Node, b: Node): boolean {
  const value = labelsOf(a)[key]
  return value !== undefined && value === labelsOf(b)[key]
}

export function isWelcome(cluster: Cluster, pod: Pod, node: Node): boolean {
  const wanted = wants(pod)
  const meansAll = (other: Pod) => wanted.every((term) => means(cluster, pod, term, other))
  const friends = cluster.pods.filter(meansAll)
  const hasNear = ({ topologyKey }: PodAffinityTerm) => friends.some((friend) => share(topologyKey, nodeOf(cluster, friend), node))
  if (!wanted.every(hasNear)) {
    // The first pod of a group whose pods want each other needs no other.
    const isFirst = !friends.some((friend) =>
      wanted.some(({ topologyKey }) => labelsOf(nodeOf(cluster, friend))[topologyKey] !== undefined),
    )
    const hasLabels = wanted.every(({ topologyKey }) => labelsOf(node)[topologyKey] !== undefined)
    if (!(isFirst && hasLabels && meansAll(pod))) return false
  }
  return cluster.pods.every((other) => {
    const theirs = nodeOf(cluster, other)
    const isShunned = shuns(pod).some((term) => share(term.topologyKey, theirs, node) && means(cluster, pod, term, other))
    return !isShunned && !shuns(other).some((term) => share(term.topologyKey, theirs, node) && means(cluster, other, term, pod))
  })
}

/** From 0 to 100 for each of the nodes; null where nobody likes anything. */
export function affinityScores(cluster: Cluster, pod: Pod, nodes: readonly Node[]): number[] | null {
  /** Each wish of one pod of another: which nodes it speaks for or against. */
  const wishes: { key: string; at: Node; weight: number }[] = []
  for (const other of cluster.pods) {
    const at = nodeOf(cluster, other)
    const wish = (owner: Pod, about: Pod, { podAffinityTerm: term, weight }: WeightedPodAffinityTerm, sign: 1 | -1) => {
      if (labelsOf(at)[term.topologyKey] === undefined || !means(cluster, owner, term, about)) return
      wishes.push({ key: term.topologyKey, at, weight: sign * weight })
    }
    for (const each of likes(pod)) wish(pod, other, each, 1)
    for (const each of dislikes(pod)) wish(pod, other, each, -1)
    for (const each of wants(other)) wish(other, pod, { podAffinityTerm: each, weight: HARD_WEIGHT }, 1)
    for (const each of likes(other)) wish(other, pod, each, 1)
    for (const each of dislikes(other)) wish(other, pod, each, -1)
  }
  if (wishes.length === 0) return null
  const raw = nodes.map((node) => wishes.filter(({ key, at }) => share(key, at, node)).reduce((sum, { weight }) => sum + weight, 0))
  const [least, most] = [Math.min(...raw), Math.max(...raw)]
  return raw.map((score) => (most > least ? Math.trunc(100 * ((score - least) / (most - least))) : 0))
}
