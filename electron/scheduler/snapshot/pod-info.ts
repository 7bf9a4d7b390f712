/** A pod with what is worked out of it once: amounts, ports, affinity. Source: kubernetes `scheduler/framework.PodInfo`. */
import type { Pod } from '../../api/core/v1/types.gen.ts'
import { keyOf } from '../../machinery/object.ts'
import type { Labels } from '../../machinery/selector/requirement.ts'
import { affinityTerm, weightedTerm, type AffinityTerm, type Selectable, type WeightedTerm } from './affinity-term.ts'
import type { Amounts } from './amounts.ts'
import { hostPortsOf, type HostPort } from './host-ports.ts'
import { filledRequests, podRequests, type PodRequests } from './pod-requests.ts'

const REQUIRED = 'requiredDuringSchedulingIgnoredDuringExecution'
const PREFERRED = 'preferredDuringSchedulingIgnoredDuringExecution'
const NO_TERMS: readonly never[] = Object.freeze([])

export interface PodTerms {
  readonly requiredAffinity: readonly AffinityTerm[]
  readonly requiredAntiAffinity: readonly AffinityTerm[]
  readonly preferredAffinity: readonly WeightedTerm[]
  readonly preferredAntiAffinity: readonly WeightedTerm[]
}

const WITHOUT_TERMS: PodTerms = Object.freeze({
  requiredAffinity: NO_TERMS,
  requiredAntiAffinity: NO_TERMS,
  preferredAffinity: NO_TERMS,
  preferredAntiAffinity: NO_TERMS,
})

export class PodInfo implements Selectable {
  readonly pod: Pod
  /** "namespace/name". */
  readonly key: string
  readonly uid: string
  readonly namespace: string
  readonly labels: Labels | undefined
  readonly priority: number
  readonly terminating: boolean
  #requests: PodRequests | null = null
  #filled: Amounts | null = null
  #ports: readonly HostPort[] | null = null
  #terms: PodTerms | null = null
  #likeness: string | null = null
  #demand: string | null | undefined
  #startTime: number | null | undefined

  /** `before`: an earlier state of the same pod, from which is taken what cannot have changed. */
  constructor(pod: Pod, before?: PodInfo) {
    this.pod = pod
    this.key = keyOf(pod)
    this.uid = pod.metadata.uid
    this.namespace = pod.metadata.namespace ?? ''
    this.labels = pod.metadata.labels
    this.priority = pod.spec.priority ?? 0
    this.terminating = pod.metadata.deletionTimestamp !== undefined
    if (before && before.pod.status.startTime === pod.status.startTime) this.#startTime = before.#startTime
    if (before?.pod.spec !== pod.spec) return
    this.#ports = before.#ports
    this.#terms = before.#terms
    if (before.terminating === this.terminating && sameLabels(before.labels, this.labels)) this.#likeness = before.#likeness
    if (hasAmounts(pod) || hasAmounts(before.pod)) return
    this.#requests = before.#requests
    this.#filled = before.#filled
    this.#demand = before.#demand
  }

  get requests(): Amounts {
    return (this.#requests ??= podRequests(this.pod)).requests
  }

  /** With defaults where nothing is asked for; what nodes add up. */
  get nonZero(): PodRequests['nonZero'] {
    return (this.#requests ??= podRequests(this.pod)).nonZero
  }

  /** With defaults for each container; what the pod weighs in scores while it is being placed. */
  get filled(): Amounts {
    return (this.#filled ??= filledRequests(this.pod))
  }

  get hostPorts(): readonly HostPort[] {
    return (this.#ports ??= hostPortsOf(this.pod))
  }

  get hasPodAffinity(): boolean {
    const { affinity } = this.pod.spec
    return affinity?.podAffinity !== undefined || affinity?.podAntiAffinity !== undefined
  }

  /** Terms that cannot be parsed are left out; see `parseTerms`. */
  get terms(): PodTerms {
    return (this.#terms ??= this.hasPodAffinity ? parseTerms(this.pod).terms : WITHOUT_TERMS)
  }

  /** In milliseconds since the epoch; null for a pod that has not started. */
  get startTime(): number | null {
    const { startTime } = this.pod.status
    return this.#startTime === undefined ? (this.#startTime = startTime ? Date.parse(startTime) : null) : this.#startTime
  }

  /**
   * Equal for pods of which each node by itself thinks the same: they ask for the same, bear the same and are as important. Null for a
   * pod whose status has a say, too.
   */
  get demand(): string | null {
    return this.#demand === undefined ? (this.#demand = demandOf(this.pod)) : this.#demand
  }

  /** Equal for pods that no term and no spread constraint can tell apart. */
  get likeness(): string {
    if (this.#likeness !== null) return this.#likeness
    const affinity = this.hasPodAffinity ? this.pod.spec.affinity : undefined
    const terms = affinity ? JSON.stringify([affinity.podAffinity, affinity.podAntiAffinity]) : ''
    const labels = this.labels ? JSON.stringify(this.labels) : ''
    return (this.#likeness = `${this.namespace}\n${this.terminating ? '-' : '+'}${labels}\n${terms}`)
  }
}

export function sameLabels(a: Labels | undefined, b: Labels | undefined): boolean {
  if (a === b) return true
  const keys = Object.keys(a ?? {})
  return keys.length === Object.keys(b ?? {}).length && keys.every((key) => a?.[key] === b?.[key])
}

/** Whether its status has a say in what it asks for. */
function hasAmounts({ status }: Pick<Pod, 'status'>): boolean {
  return Boolean(status.resources || status.containerStatuses?.length || status.initContainerStatuses?.length)
}

function demandOf({ spec, status }: Pod): string | null {
  if (hasAmounts({ status })) return null
  const { priority, nodeName, nodeSelector, affinity, tolerations, containers, initContainers, overhead, resources } = spec
  return JSON.stringify([
    ...[priority, nodeName, nodeSelector, affinity?.nodeAffinity, tolerations, overhead, resources],
    containers.map((container) => [container.resources, container.ports]),
    initContainers?.map((container) => [container.resources, container.ports, container.restartPolicy]),
  ])
}

/** The pod's terms, and why some of them cannot be used. */
export function parseTerms(pod: Pod): { terms: PodTerms; faults: readonly unknown[] } {
  const { podAffinity, podAntiAffinity } = pod.spec.affinity ?? {}
  const faults: unknown[] = []
  const parse = <T, R>(list: readonly T[] | undefined, make: (pod: Pod, item: T) => R): readonly R[] =>
    list?.flatMap((item) => {
      try {
        return [make(pod, item)]
      } catch (error) {
        faults.push(error)
        return []
      }
    }) ?? NO_TERMS
  const terms = {
    requiredAffinity: parse(podAffinity?.[REQUIRED], affinityTerm),
    requiredAntiAffinity: parse(podAntiAffinity?.[REQUIRED], affinityTerm),
    preferredAffinity: parse(podAffinity?.[PREFERRED], weightedTerm),
    preferredAntiAffinity: parse(podAntiAffinity?.[PREFERRED], weightedTerm),
  }
  return { terms, faults }
}
