/**
 * Nodes and the pods on them, with everything that plugins ask of them counted as they change: each change costs by its own size, and
 * none is needed to look. A scheduling cycle never yields between its first look and its decision, so it may look at the live one;
 * who wants to try something works on copies of single nodes.
 */
import type { Node, Pod } from '../../api/core/v1/types.gen.ts'
import { ChangeLog } from './change-log.ts'
import { NO_OBJECTS, type ClusterObjects } from './cluster-objects.ts'
import { Cohorts } from './cohort.ts'
import { Images } from './images.ts'
import { nodeFacts, NodeInfo } from './node-info.ts'
import { interleaveZones, zoneOf } from './node-order.ts'
import { PodInfo, sameLabels } from './pod-info.ts'
import { Topologies, type Domains } from './topologies.ts'

/** What a scheduling cycle may do with a snapshot: look. */
export interface SnapshotView {
  /** In the order in which they are to be looked at. */
  readonly nodes: readonly NodeInfo[]
  readonly cohorts: Cohorts
  readonly images: Images
  readonly objects: ClusterObjects
  /** Of nodes that came, changed or went, and of pods that came to them or went. */
  readonly changes: ChangeLog
  node(name: string): NodeInfo | undefined
  domains(key: string): Domains
}

export class Snapshot implements SnapshotView {
  readonly objects: ClusterObjects
  readonly cohorts: Cohorts
  readonly images = new Images()
  readonly changes = new ChangeLog()
  readonly #nodes = new Map<string, NodeInfo>()
  /** Pods on nodes that are not known (any more), by node. */
  readonly #strays = new Map<string, Map<string, PodInfo>>()
  /** Where each pod is. */
  readonly #places = new Map<string, string>()
  readonly #topologies = new Topologies()
  #order: readonly NodeInfo[] | null = null
  /** Slots of nodes that are gone. */
  readonly #vacant: number[] = []

  constructor(objects: ClusterObjects = NO_OBJECTS) {
    this.objects = objects
    this.cohorts = new Cohorts((name) => this.#nodes.get(name)?.labels)
  }

  get nodes(): readonly NodeInfo[] {
    return (this.#order ??= interleaveZones(this.#nodes.values()))
  }

  /** How many pods are on nodes, known ones or not. */
  get podCount(): number {
    return this.#places.size
  }

  node(name: string): NodeInfo | undefined {
    return this.#nodes.get(name)
  }

  domains(key: string): Domains {
    return this.#topologies.domains(key, () => this.#nodes.values().map(({ labels }) => labels))
  }

  setNode(node: Node): void {
    const facts = nodeFacts(node)
    const { name } = node.metadata
    const known = this.#nodes.get(name)
    this.changes.note(name)
    this.images.setNode(name, node.status.images)
    if (!known) return this.#enter(new NodeInfo(facts, this.#vacant.pop() ?? this.#nodes.size))
    const from = known.labels
    const to = facts.labels
    known.setFacts(facts)
    if (sameLabels(from, to)) return
    if (zoneOf(from) !== zoneOf(to)) this.#order = null
    this.#topologies.change(from, to)
    for (const [cohort, count] of this.#cohortsOn(known)) cohort.relabel(count, from, to)
  }

  removeNode(name: string): void {
    const node = this.#nodes.get(name)
    if (!node) return
    this.changes.note(name)
    const pods = [...node.pods()]
    for (const pod of pods) this.cohorts.count(pod, name, -1)
    this.#nodes.delete(name)
    this.#vacant.push(node.slot)
    this.#order = null
    this.#topologies.change(node.labels, undefined)
    this.images.removeNode(name)
    if (pods.length) this.#strays.set(name, new Map(pods.map((pod) => [pod.uid, pod])))
  }

  /** The pod must not be on a node yet. */
  addPod(pod: PodInfo, place: string): void {
    if (this.#places.has(pod.uid)) throw new Error(`the pod ${pod.key} is on the node ${this.#places.get(pod.uid)} already`)
    this.#places.set(pod.uid, place)
    this.changes.note(place)
    const node = this.#nodes.get(place)
    if (node) {
      node.add(pod)
      this.cohorts.count(pod, place, 1)
      return
    }
    let strays = this.#strays.get(place)
    if (!strays) this.#strays.set(place, (strays = new Map()))
    strays.set(pod.uid, pod)
  }

  /** Where the pod is counted; undefined if nowhere. */
  placeOf(uid: string): string | undefined {
    return this.#places.get(uid)
  }

  /** The pod as it counts, if it is on a node that is known. */
  podOf(uid: string): PodInfo | undefined {
    return this.#nodes.get(this.#places.get(uid) ?? '')?.pod(uid)
  }

  /** Puts a newer state of a pod in the place of the one that counts, if nothing that is counted has changed; returns the older one. */
  renewPod(pod: PodInfo, place: string): PodInfo | undefined {
    if (this.#places.get(pod.uid) !== place) return undefined
    return this.#nodes.get(place)?.renew(pod)
  }

  removePod(uid: string): PodInfo | undefined {
    const place = this.#places.get(uid)
    if (place === undefined) return undefined
    this.#places.delete(uid)
    this.changes.note(place)
    const pod = this.#nodes.get(place)?.remove(uid)
    if (pod) {
      this.cohorts.count(pod, place, -1)
      return pod
    }
    const strays = this.#strays.get(place)
    const stray = strays?.get(uid)
    strays?.delete(uid)
    if (strays?.size === 0) this.#strays.delete(place)
    return stray
  }

  #enter(node: NodeInfo): void {
    this.#nodes.set(node.name, node)
    this.#order = null
    this.#topologies.change(undefined, node.labels)
    const strays = this.#strays.get(node.name)
    if (!strays) return
    this.#strays.delete(node.name)
    for (const pod of strays.values()) {
      node.add(pod)
      this.cohorts.count(pod, node.name, 1)
    }
  }

  #cohortsOn(node: NodeInfo) {
    const counts = new Map<NonNullable<ReturnType<Cohorts['of']>>, number>()
    for (const pod of node.pods()) {
      const cohort = this.cohorts.of(pod)
      if (cohort) counts.set(cohort, (counts.get(cohort) ?? 0) + 1)
    }
    return counts
  }
}

/** A snapshot of these objects. Pods that are on no node, or have ended, are left out. */
export function snapshotOf(world: { nodes: Iterable<Node>; pods?: Iterable<Pod>; objects?: ClusterObjects }): Snapshot {
  const snapshot = new Snapshot(world.objects)
  for (const node of world.nodes) snapshot.setNode(node)
  for (const pod of world.pods ?? []) if (pod.spec.nodeName && !hasEnded(pod)) snapshot.addPod(new PodInfo(pod), pod.spec.nodeName)
  return snapshot
}

/** It holds nothing any more. */
export function hasEnded({ status }: Pod): boolean {
  return status.phase === 'Succeeded' || status.phase === 'Failed'
}
