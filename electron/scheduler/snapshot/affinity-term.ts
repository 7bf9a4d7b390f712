/** Terms of pod affinity, ready to be matched. Source: kubernetes `kube-scheduler/framework.AffinityTerm`. */
import type { Pod, PodAffinityTerm, WeightedPodAffinityTerm } from '../../api/core/v1/types.gen.ts'
import { selectorFromObject, type LabelSelector } from '../../machinery/selector/label-selector.ts'
import type { Labels } from '../../machinery/selector/requirement.ts'

/** What a term needs to know of the pod that it may select. */
export interface Selectable {
  readonly namespace: string
  readonly labels: Labels | undefined
}

export interface AffinityTerm {
  readonly namespaces: ReadonlySet<string>
  readonly namespaceSelector: LabelSelector
  readonly selector: LabelSelector
  readonly topologyKey: string
}

export interface WeightedTerm {
  readonly term: AffinityTerm
  readonly weight: number
}

/** Throws StatusError `BadRequest` for a selector that cannot be. */
export function affinityTerm(pod: Pod, term: PodAffinityTerm): AffinityTerm {
  const { namespaces, namespaceSelector, labelSelector, topologyKey } = term
  const own = !namespaces?.length && !namespaceSelector
  return {
    namespaces: new Set(own ? [pod.metadata.namespace ?? ''] : namespaces),
    namespaceSelector: selectorFromObject(namespaceSelector),
    selector: selectorFromObject(labelSelector),
    topologyKey,
  }
}

export function weightedTerm(pod: Pod, { podAffinityTerm, weight }: WeightedPodAffinityTerm): WeightedTerm {
  return { term: affinityTerm(pod, podAffinityTerm), weight }
}

/** `namespaceLabels` are those of the pod's namespace; not needed where the term names its namespaces. */
export function termMatches(term: AffinityTerm, pod: Selectable, namespaceLabels: Labels | undefined): boolean {
  if (!term.namespaces.has(pod.namespace) && !term.namespaceSelector.matches(namespaceLabels)) return false
  return term.selector.matches(pod.labels)
}
