/**
 * Pods that are alike: of one namespace, with the same labels and the same pod affinity. What asks "how many pods match, and where"
 * looks at each cohort once instead of at each pod; where a cohort's pods are is counted as they come and go.
 */
import type { PodInfo } from './pod-info.ts'

type LabelsOf = (node: string) => Readonly<Record<string, string>> | undefined

const NOWHERE: ReadonlyMap<string, number> = new Map()

export class Cohort {
  /** Stands for all of them. */
  readonly sample: PodInfo
  readonly #perNode = new Map<string, number>()
  /** By topology key, then by its value; only for keys that were asked for. */
  readonly #perTopology = new Map<string, Map<string, number>>()
  readonly #labelsOf: LabelsOf
  #size = 0

  constructor(sample: PodInfo, labelsOf: LabelsOf) {
    this.sample = sample
    this.#labelsOf = labelsOf
  }

  get size(): number {
    return this.#size
  }

  /** How many are on each node that has some. */
  get perNode(): ReadonlyMap<string, number> {
    return this.#perNode
  }

  /** How many are in each domain of a topology; nodes without the label are in none. */
  perTopology(key: string): ReadonlyMap<string, number> {
    if (this.#size === 0) return NOWHERE
    let counts = this.#perTopology.get(key)
    if (!counts) {
      counts = new Map()
      for (const [node, count] of this.#perNode) shift(counts, this.#labelsOf(node)?.[key], count)
      this.#perTopology.set(key, counts)
    }
    return counts
  }

  /** `change` pods came to (or left) a node. */
  count(node: string, change: number): void {
    this.#size += change
    shift(this.#perNode, node, change)
    if (this.#perTopology.size === 0) return
    const labels = this.#labelsOf(node)
    for (const [key, counts] of this.#perTopology) shift(counts, labels?.[key], change)
  }

  /** A node that holds `count` of them changed its labels. */
  relabel(count: number, from: Readonly<Record<string, string>> | undefined, to: Readonly<Record<string, string>> | undefined): void {
    for (const [key, counts] of this.#perTopology) {
      if (from?.[key] === to?.[key]) continue
      shift(counts, from?.[key], -count)
      shift(counts, to?.[key], count)
    }
  }
}

/** All cohorts that have pods on nodes. */
export class Cohorts {
  readonly #byLikeness = new Map<string, Cohort>()
  readonly #byNamespace = new Map<string, Set<Cohort>>()
  readonly #withAffinity = new Set<Cohort>()
  readonly #withRequiredAntiAffinity = new Set<Cohort>()
  readonly #labelsOf: LabelsOf

  constructor(labelsOf: LabelsOf) {
    this.#labelsOf = labelsOf
  }

  /** Those whose pods have terms of any kind. */
  get withAffinity(): ReadonlySet<Cohort> {
    return this.#withAffinity
  }

  get withRequiredAntiAffinity(): ReadonlySet<Cohort> {
    return this.#withRequiredAntiAffinity
  }

  all(): Iterable<Cohort> {
    return this.#byLikeness.values()
  }

  inNamespace(namespace: string): Iterable<Cohort> {
    return this.#byNamespace.get(namespace) ?? []
  }

  of(pod: PodInfo): Cohort | undefined {
    return this.#byLikeness.get(pod.likeness)
  }

  count(pod: PodInfo, node: string, change: 1 | -1): void {
    let cohort = this.#byLikeness.get(pod.likeness)
    if (!cohort) this.#enter((cohort = new Cohort(pod, this.#labelsOf)))
    cohort.count(node, change)
    if (cohort.size === 0) this.#leave(cohort)
  }

  #enter(cohort: Cohort): void {
    const { sample } = cohort
    this.#byLikeness.set(sample.likeness, cohort)
    let siblings = this.#byNamespace.get(sample.namespace)
    if (!siblings) this.#byNamespace.set(sample.namespace, (siblings = new Set()))
    siblings.add(cohort)
    if (sample.hasPodAffinity) this.#withAffinity.add(cohort)
    if (sample.terms.requiredAntiAffinity.length > 0) this.#withRequiredAntiAffinity.add(cohort)
  }

  #leave(cohort: Cohort): void {
    const { sample } = cohort
    this.#byLikeness.delete(sample.likeness)
    this.#withAffinity.delete(cohort)
    this.#withRequiredAntiAffinity.delete(cohort)
    const siblings = this.#byNamespace.get(sample.namespace)
    siblings?.delete(cohort)
    if (siblings?.size === 0) this.#byNamespace.delete(sample.namespace)
  }
}

function shift(counts: Map<string, number>, key: string | undefined, change: number): void {
  if (key === undefined) return
  const count = (counts.get(key) ?? 0) + change
  if (count === 0) counts.delete(key)
  else counts.set(key, count)
}
