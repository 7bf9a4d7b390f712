/** Terms of the pod to be placed, and the cohorts that they select. Source: `plugins/interpodaffinity/plugin.go`. */
import { NOTHING } from '../../../machinery/selector/label-selector.ts'
import { termMatches, type AffinityTerm, type Selectable } from '../../snapshot/affinity-term.ts'
import type { ClusterObjects } from '../../snapshot/cluster-objects.ts'
import type { Cohort, Cohorts } from '../../snapshot/cohort.ts'

/** Namespaces that are selected by their labels are named instead, so that they are looked up once. */
export function withNamespaces(term: AffinityTerm, objects: ClusterObjects): AffinityTerm {
  const { namespaceSelector } = term
  if (namespaceSelector.everything || namespaceSelector.nothing) return term
  const namespaces = new Set(term.namespaces)
  for (const name of objects.namespaces()) if (namespaceSelector.matches(objects.namespaceLabels(name))) namespaces.add(name)
  return { ...term, namespaces, namespaceSelector: NOTHING }
}

/** No terms match nothing. */
export function matchesAll(terms: readonly AffinityTerm[], pod: Selectable): boolean {
  if (terms.length === 0) return false
  for (const term of terms) if (!termMatches(term, pod, undefined)) return false
  return true
}

export function matchesAny(terms: readonly AffinityTerm[], pod: Selectable): boolean {
  return terms.some((term) => termMatches(term, pod, undefined))
}

/** Of terms that name their namespaces. */
export function* cohortsOf(term: AffinityTerm, cohorts: Cohorts): Iterable<Cohort> {
  if (term.namespaceSelector.everything) {
    for (const cohort of cohorts.all()) if (term.selector.matches(cohort.sample.labels)) yield cohort
    return
  }
  for (const namespace of term.namespaces) {
    for (const cohort of cohorts.inNamespace(namespace)) if (term.selector.matches(cohort.sample.labels)) yield cohort
  }
}
