/** How much each of kube-scheduler's default score plugins likes nodes that fit: 0 to 100 for each, or null for nothing to say. */
import type { Node, Pod } from '../../../../electron/api/core/v1/types.gen.ts'
import { countedUse, has, request, used, usualRequest } from './amounts.ts'
import type { Cluster } from './cluster.ts'
import { bears, isHard, termSelects } from './matching.ts'
import { affinityScores } from './pod-affinity.ts'
import { spreadScores } from './spreading.ts'

export type Score = (cluster: Cluster, pod: Pod, nodes: readonly Node[]) => number[] | null

export interface Strategy {
  readonly type: 'LeastAllocated' | 'MostAllocated' | 'RequestedToCapacityRatio'
  readonly resources: readonly { readonly name: string; readonly weight: number }[]
  readonly shape?: readonly { readonly utilization: number; readonly score: number }[]
}

/** With the weight of each. */
export function scoresBy(strategy: Strategy): Readonly<Record<string, { weight: number; score: Score }>> {
  return {
    TaintToleration: { weight: 3, score: softTaints },
    NodeAffinity: { weight: 2, score: preferredNodes },
    NodeResourcesFit: { weight: 1, score: (cluster, pod, nodes) => nodes.map((node) => fullness(strategy, cluster, pod, node)) },
    PodTopologySpread: { weight: 2, score: spreadScores },
    InterPodAffinity: { weight: 2, score: affinityScores },
    NodeResourcesBalancedAllocation: { weight: 1, score: balance },
    ImageLocality: { weight: 1, score: images },
  }
}

function softTaints(_cluster: Cluster, pod: Pod, nodes: readonly Node[]): number[] {
  const unborne = nodes.map(({ spec }) => (spec.taints ?? []).filter((taint) => !isHard(taint) && !bears(pod, taint)).length)
  const most = Math.max(...unborne)
  return unborne.map((count) => (most === 0 ? 100 : 100 - Math.floor((100 * count) / most)))
}

function preferredNodes(_cluster: Cluster, pod: Pod, nodes: readonly Node[]): number[] | null {
  const terms = pod.spec.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []
  if (terms.length === 0) return null
  const sums = nodes.map((node) =>
    terms.filter(({ preference }) => termSelects(preference, node)).reduce((sum, { weight }) => sum + weight, 0),
  )
  const most = Math.max(...sums)
  return sums.map((sum) => (most === 0 ? 0 : Math.floor((100 * sum) / most)))
}

function fullness({ type, resources, shape = [] }: Strategy, cluster: Cluster, pod: Pod, node: Node): number {
  const isRatio = type === 'RequestedToCapacityRatio'
  let [sum, weights] = [0, 0]
  for (const { name, weight } of resources) {
    const there = has(node, name)
    const wanted = usualRequest(pod, name)
    const isExtended = name.includes('/')
    if (there === 0 || (isExtended && wanted === 0)) continue
    const total = wanted + (name === 'cpu' || name === 'memory' ? countedUse(cluster, node, name) : used(cluster, node, name))
    const score =
      type === 'LeastAllocated'
        ? Math.max(0, Math.floor(((there - total) * 100) / there))
        : type === 'MostAllocated'
          ? Math.floor((Math.min(total, there) * 100) / there)
          : onLine(shape, total > there ? 100 : Math.floor((total * 100) / there))
    if (isRatio && score === 0) continue
    sum += score * weight
    weights += weight
  }
  if (weights === 0) return 0
  return isRatio ? Math.round(sum / weights) : Math.floor(sum / weights)
}

/** Scores of the line are from 0 to 10; between its points it is straight, beyond them level. */
function onLine(shape: NonNullable<Strategy['shape']>, at: number): number {
  const after = shape.findIndex(({ utilization }) => at <= utilization)
  if (after < 0) return (shape.at(-1)?.score ?? 0) * 10
  const to = shape[after]
  const from = shape[after - 1]
  if (!to || !from) return (to?.score ?? 0) * 10
  return from.score * 10 + Math.trunc(((to.score - from.score) * 10 * (at - from.utilization)) / (to.utilization - from.utilization))
}

/** 75 where the pod changes nothing, more where it makes the use of cpu and memory more even. */
function balance(cluster: Cluster, pod: Pod, nodes: readonly Node[]): number[] | null {
  const names = ['cpu', 'memory']
  if (names.every((name) => request(pod, name) === 0)) return null
  return nodes.map((node) => {
    const evenness = (extra: (name: string) => number) => {
      const parts = names
        .filter((name) => has(node, name) > 0)
        .map((name) => Math.min(1, (used(cluster, node, name) + extra(name)) / has(node, name)))
      const [cpu = 0, memory = 0] = parts
      return Math.trunc((1 - (parts.length === 2 ? Math.abs((cpu - memory) / 2) : 0)) * 100)
    }
    return 50 + Math.trunc((50 + evenness((name) => request(pod, name)) - evenness(() => 0)) / 2)
  })
}

/** A megabyte of 23 counts nothing, 1000 for each container all; images that few nodes have count less. */
function images(cluster: Cluster, pod: Pod, nodes: readonly Node[]): number[] | null {
  const wanted = [...(pod.spec.initContainers ?? []), ...pod.spec.containers].map(({ image = '' }) =>
    image.includes(':') ? image : `${image}:latest`,
  )
  const holders = (image: string) => cluster.nodes.filter(({ status }) => status.images?.some(({ names }) => names?.includes(image)))
  if (!wanted.some((image) => holders(image).length > 0)) return null
  const [least, most] = [23 * 2 ** 20, 1000 * 2 ** 20 * wanted.length]
  return nodes.map((node) => {
    let sum = 0
    for (const image of wanted) {
      const size = node.status.images?.find(({ names }) => names?.includes(image))?.sizeBytes
      if (size !== undefined) sum += Math.trunc(size * (holders(image).length / cluster.nodes.length))
    }
    return Math.trunc((100 * (Math.min(Math.max(sum, least), most) - least)) / (most - least))
  })
}
