import type { LabelSelector } from '../../machinery/selector/label-selector.ts'
import type { Cohort, Cohorts } from '../snapshot/cohort.ts'

/** Cohorts of one namespace that a selector selects. Those whose pods are being deleted are left out, because they are leaving. */
export function stayingCohorts(cohorts: Cohorts, namespace: string, selector: LabelSelector): Cohort[] {
  const found: Cohort[] = []
  for (const cohort of cohorts.inNamespace(namespace)) {
    const { terminating, labels } = cohort.sample
    if (!terminating && selector.matches(labels)) found.push(cohort)
  }
  return found
}

/** How many of their pods are on one node. */
export function countOnNode(cohorts: readonly Cohort[], node: string): number {
  let count = 0
  for (const cohort of cohorts) count += cohort.perNode.get(node) ?? 0
  return count
}
