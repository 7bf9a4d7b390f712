/** A node with the sum of what is on it. Source: kubernetes `scheduler/framework.NodeInfo`. */
import type { Node, Taint } from '../../api/core/v1/types.gen.ts'
import { AmountSum, sameAmounts, unitsOf, type Amounts } from './amounts.ts'
import { HostPorts, type HostPort } from './host-ports.ts'
import type { PodInfo } from './pod-info.ts'

type Labels = Readonly<Record<string, string>>

const NO_LABELS: Labels = Object.freeze({})
const NO_TAINTS: readonly Taint[] = Object.freeze([])

/** What a node is by its object alone. */
export interface NodeFacts {
  readonly node: Node
  readonly labels: Labels
  readonly allocatable: Amounts
  readonly allowedPods: number
  /** Keep pods off: NoSchedule and NoExecute. */
  readonly hardTaints: readonly Taint[]
  /** Only make it less liked: PreferNoSchedule. */
  readonly softTaints: readonly Taint[]
  readonly unschedulable: boolean
}

export function nodeFacts(node: Node): NodeFacts {
  const { metadata, spec, status } = node
  const taints = spec.taints ?? NO_TAINTS
  const pods = status.allocatable?.['pods']
  return {
    node,
    labels: metadata.labels ?? NO_LABELS,
    allocatable: AmountSum.of(status.allocatable),
    allowedPods: pods === undefined ? 0 : unitsOf(pods),
    hardTaints: taints.length ? taints.filter(({ effect }) => effect !== 'PreferNoSchedule') : NO_TAINTS,
    softTaints: taints.length ? taints.filter(({ effect }) => effect === 'PreferNoSchedule') : NO_TAINTS,
    unschedulable: spec.unschedulable ?? false,
  }
}

export class NodeInfo {
  readonly name: string
  /** Its place in the snapshot, below the largest number of nodes there ever were; -1 for a node that is in none. */
  readonly slot: number
  #version = 0
  #facts: NodeFacts
  readonly #pods = new Map<string, PodInfo>()
  #requested = new AmountSum()
  #nonZeroCpu = 0
  #nonZeroMemory = 0
  #ports: HostPorts | null = null

  constructor(facts: NodeFacts, slot = -1) {
    this.name = facts.node.metadata.name
    this.slot = slot
    this.#facts = facts
  }

  /** Grows with each change of the node and of what is on it. */
  get version(): number {
    return this.#version
  }

  get node(): Node {
    return this.#facts.node
  }

  get labels(): Labels {
    return this.#facts.labels
  }

  get allocatable(): Amounts {
    return this.#facts.allocatable
  }

  get allowedPods(): number {
    return this.#facts.allowedPods
  }

  get hardTaints(): readonly Taint[] {
    return this.#facts.hardTaints
  }

  get softTaints(): readonly Taint[] {
    return this.#facts.softTaints
  }

  get unschedulable(): boolean {
    return this.#facts.unschedulable
  }

  get requested(): Amounts {
    return this.#requested
  }

  get nonZeroCpu(): number {
    return this.#nonZeroCpu
  }

  get nonZeroMemory(): number {
    return this.#nonZeroMemory
  }

  get podCount(): number {
    return this.#pods.size
  }

  pods(): Iterable<PodInfo> {
    return this.#pods.values()
  }

  pod(uid: string): PodInfo | undefined {
    return this.#pods.get(uid)
  }

  conflictsWith(port: HostPort): boolean {
    return this.#ports?.conflicts(port) ?? false
  }

  setFacts(facts: NodeFacts): void {
    this.#facts = facts
    this.#version++
  }

  /** A pod of the same uid must not be on it. */
  add(pod: PodInfo): void {
    if (this.#pods.has(pod.uid)) throw new Error(`the pod ${pod.key} is on the node ${this.name} already`)
    this.#pods.set(pod.uid, pod)
    this.#count(pod, 1)
  }

  /** A newer state of a pod that is on it; the older one if both count alike, else undefined, and nothing is done. */
  renew(pod: PodInfo): PodInfo | undefined {
    const before = this.#pods.get(pod.uid)
    if (!before || !countsAlike(pod, before)) return undefined
    this.#pods.set(pod.uid, pod)
    return before
  }

  remove(uid: string): PodInfo | undefined {
    const pod = this.#pods.get(uid)
    if (!pod) return undefined
    this.#pods.delete(uid)
    this.#count(pod, -1)
    return pod
  }

  /** Changes of the copy do not reach this one. */
  copy(): NodeInfo {
    const copy = new NodeInfo(this.#facts)
    for (const [uid, pod] of this.#pods) copy.#pods.set(uid, pod)
    copy.#requested = AmountSum.copy(this.#requested)
    copy.#nonZeroCpu = this.#nonZeroCpu
    copy.#nonZeroMemory = this.#nonZeroMemory
    copy.#ports = this.#ports && HostPorts.copy(this.#ports)
    return copy
  }

  #count(pod: PodInfo, sign: 1 | -1): void {
    this.#version++
    this.#requested.add(pod.requests, sign)
    const { milliCpu, memory } = pod.nonZero
    this.#nonZeroCpu += sign * milliCpu
    this.#nonZeroMemory += sign * memory
    for (const port of pod.hostPorts) {
      const ports = (this.#ports ??= new HostPorts())
      if (sign > 0) ports.add(port)
      else ports.remove(port)
    }
  }
}

/** Whether nothing tells the two states apart that is counted, or that who displaces pods looks at. What is not seen here cannot change. */
function countsAlike(a: PodInfo, b: PodInfo): boolean {
  return (
    a.likeness === b.likeness &&
    a.priority === b.priority &&
    a.startTime === b.startTime &&
    a.nonZero.milliCpu === b.nonZero.milliCpu &&
    a.nonZero.memory === b.nonZero.memory &&
    sameAmounts(a.requests, b.requests)
  )
}
