/** A cluster as plain lists: what the reference implementation of the scheduler looks at. */
import type { ReplicaSet } from '../../../../electron/api/apps/v1/types.gen.ts'
import type { Node, PersistentVolume, PersistentVolumeClaim, Pod, Service } from '../../../../electron/api/core/v1/types.gen.ts'
import type { PodDisruptionBudget } from '../../../../electron/api/policy/v1/types.gen.ts'

export type Labels = Readonly<Record<string, string>>

export interface Cluster {
  readonly nodes: readonly Node[]
  /** Each is on a node. */
  readonly pods: readonly Pod[]
  /** Labels by name. */
  readonly namespaces: Readonly<Record<string, Labels>>
  readonly services: readonly Service[]
  readonly replicaSets: readonly ReplicaSet[]
  readonly budgets: readonly PodDisruptionBudget[]
  readonly claims: readonly PersistentVolumeClaim[]
  readonly volumes: readonly PersistentVolume[]
}

export const labelsOf = ({ metadata }: Node | Pod): Labels => metadata.labels ?? {}
export const namespaceOf = ({ metadata }: Pod): string => metadata.namespace ?? ''

export function podsOn(cluster: Cluster, node: Node): Pod[] {
  return cluster.pods.filter(({ spec }) => spec.nodeName === node.metadata.name)
}

export function nodeOf(cluster: Cluster, pod: Pod): Node {
  const node = cluster.nodes.find(({ metadata }) => metadata.name === pod.spec.nodeName)
  if (!node) throw new Error(`${pod.metadata.name} is on no node that is there`)
  return node
}

export function without(cluster: Cluster, pods: readonly Pod[]): Cluster {
  return { ...cluster, pods: cluster.pods.filter((pod) => !pods.includes(pod)) }
}

export function withPods(cluster: Cluster, pods: readonly Pod[], node: Node): Cluster {
  const placed = pods.map((pod) => ({ ...pod, spec: { ...pod.spec, nodeName: node.metadata.name } }))
  return { ...cluster, pods: [...cluster.pods, ...placed] }
}
