/** Whether a pod may be on a node: one function for each of kube-scheduler's default filters. */
import type { ContainerPort, Node, Pod } from '../../../../electron/api/core/v1/types.gen.ts'
import { has, request, resourcesOf, used } from './amounts.ts'
import { labelsOf, namespaceOf, podsOn, type Cluster, withPods } from './cluster.ts'
import { asksFor, bears, bearsHardTaints, termSelects } from './matching.ts'
import { isWelcome } from './pod-affinity.ts'
import { spreads } from './spreading.ts'

export type Filter = (cluster: Cluster, pod: Pod, node: Node) => boolean

export const FILTERS: Readonly<Record<string, Filter>> = {
  NodeUnschedulable: (_cluster, pod, { spec }) =>
    !spec.unschedulable || bears(pod, { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' }),
  NodeName: (_cluster, { spec }, { metadata }) => !spec.nodeName || spec.nodeName === metadata.name,
  TaintToleration: (_cluster, pod, node) => bearsHardTaints(pod, node),
  NodeAffinity: (_cluster, pod, node) => asksFor(pod, node),
  NodePorts: portsAreFree,
  NodeResourcesFit: fits,
  VolumeRestrictions: (cluster, pod) => !exclusiveClaims(cluster, pod).some((name) => isUsed(cluster, namespaceOf(pod), name)),
  VolumeBinding: reachesVolumes,
  VolumeZone: isInZoneOfVolumes,
  PodTopologySpread: spreads,
  InterPodAffinity: isWelcome,
}

/** Those that refuse. */
export function refusals(cluster: Cluster, pod: Pod, node: Node): string[] {
  return Object.keys(FILTERS).filter((name) => !FILTERS[name]?.(cluster, pod, node))
}

/** Pods that the node was promised to count if they are as important; but nothing says that they will come. */
export function feasible(cluster: Cluster, pod: Pod, node: Node, promised: readonly Pod[] = []): boolean {
  const counting = promised.filter(({ spec }) => (spec.priority ?? 0) >= (pod.spec.priority ?? 0))
  const fitsIn = (world: Cluster) => refusals(world, pod, node).length === 0
  return fitsIn(cluster) && (counting.length === 0 || fitsIn(withPods(cluster, counting, node)))
}

function fits(cluster: Cluster, pod: Pod, node: Node): boolean {
  if (podsOn(cluster, node).length + 1 > has(node, 'pods')) return false
  return resourcesOf(pod).every((name) => {
    const wanted = request(pod, name)
    return wanted === 0 || used(cluster, node, name) + wanted <= has(node, name)
  })
}

function portsOf({ spec }: Pod): ContainerPort[] {
  const sidecars = (spec.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === 'Always')
  return [...spec.containers, ...sidecars].flatMap(({ ports = [] }) => ports).filter(({ hostPort }) => hostPort)
}

function portsAreFree(cluster: Cluster, pod: Pod, node: Node): boolean {
  const every = '0.0.0.0'
  const collide = (a: ContainerPort, b: ContainerPort) => {
    const [ip, other] = [a.hostIP ?? every, b.hostIP ?? every]
    return a.hostPort === b.hostPort && a.protocol === b.protocol && (ip === other || ip === every || other === every)
  }
  const taken = podsOn(cluster, node).flatMap(portsOf)
  return !portsOf(pod).some((port) => taken.some((other) => collide(port, other)))
}

function claimNames({ spec }: Pod): string[] {
  return (spec.volumes ?? []).flatMap(({ persistentVolumeClaim }) => persistentVolumeClaim?.claimName ?? [])
}

function claim(cluster: Cluster, pod: Pod, name: string) {
  return cluster.claims.find(({ metadata }) => metadata.namespace === namespaceOf(pod) && metadata.name === name)
}

/** Claims that one pod of the cluster may use. */
function exclusiveClaims(cluster: Cluster, pod: Pod): string[] {
  return claimNames(pod).filter((name) => claim(cluster, pod, name)?.spec.accessModes?.includes('ReadWriteOncePod'))
}

function isUsed(cluster: Cluster, namespace: string, name: string): boolean {
  return cluster.pods.some((other) => namespaceOf(other) === namespace && claimNames(other).includes(name))
}

function volumesOf(cluster: Cluster, pod: Pod) {
  return claimNames(pod).map((name) => cluster.volumes.find(({ metadata }) => metadata.name === claim(cluster, pod, name)?.spec.volumeName))
}

function reachesVolumes(cluster: Cluster, pod: Pod, node: Node): boolean {
  return volumesOf(cluster, pod).every((volume) => {
    const terms = volume?.spec.nodeAffinity?.required?.nodeSelectorTerms
    return volume !== undefined && (!terms || terms.some((term) => termSelects(term, node)))
  })
}

/** A volume in several zones names them all: "a__b". */
function isInZoneOfVolumes(cluster: Cluster, pod: Pod, node: Node): boolean {
  const key = 'topology.kubernetes.io/zone'
  const own = labelsOf(node)[key]
  if (own === undefined) return true
  return volumesOf(cluster, pod).every((volume) => volume?.metadata.labels?.[key]?.split('__').includes(own) ?? true)
}
