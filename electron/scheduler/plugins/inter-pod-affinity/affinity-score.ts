/** What pods like of each other. Source: `plugins/interpodaffinity/scoring.go`. */
import { MAX_SCORE } from '../../framework/framework.ts'
import { termMatches, type WeightedTerm } from '../../snapshot/affinity-term.ts'
import type { NodeInfo } from '../../snapshot/node-info.ts'
import type { PodInfo } from '../../snapshot/pod-info.ts'
import type { SnapshotView } from '../../snapshot/snapshot.ts'
import { Tally } from './tally.ts'
import { cohortsOf, withNamespaces } from './terms.ts'

export interface InterPodAffinityArgs {
  /** How much it counts that pods which are there require the pod to be near. From 0 to 100. */
  readonly hardPodAffinityWeight: number
  /** Whether what pods that are there prefer is left out for a pod that prefers nothing itself. */
  readonly ignorePreferredTermsOfExistingPods: boolean
}

/** Null: nobody likes anything. */
export function affinityScores(pod: PodInfo, { cohorts, objects }: SnapshotView, args: InterPodAffinityArgs): Tally | null {
  const { preferredAffinity, preferredAntiAffinity } = pod.terms
  const prefers = preferredAffinity.length > 0 || preferredAntiAffinity.length > 0
  if (args.ignorePreferredTermsOfExistingPods && !prefers) return null
  const tally = new Tally()
  const own = (terms: readonly WeightedTerm[], sign: 1 | -1) => {
    for (const { term, weight } of terms) {
      const { topologyKey } = term
      for (const cohort of cohortsOf(withNamespaces(term, objects), cohorts)) {
        tally.add(topologyKey, cohort.perTopology(topologyKey), sign * weight)
      }
    }
  }
  own(preferredAffinity, 1)
  own(preferredAntiAffinity, -1)

  const namespaceLabels = objects.namespaceLabels(pod.namespace)
  for (const cohort of cohorts.withAffinity) {
    const { terms } = cohort.sample
    const theirs = (list: readonly WeightedTerm[], sign: 1 | -1) => {
      for (const { term, weight } of list) {
        if (termMatches(term, pod, namespaceLabels)) tally.add(term.topologyKey, cohort.perTopology(term.topologyKey), sign * weight)
      }
    }
    const weight = args.hardPodAffinityWeight
    if (weight > 0)
      theirs(
        terms.requiredAffinity.map((term) => ({ term, weight })),
        1,
      )
    theirs(terms.preferredAffinity, 1)
    theirs(terms.preferredAntiAffinity, -1)
  }
  return tally.isEmpty ? null : tally
}

export function affinityScore(tally: Tally, { labels }: NodeInfo): number {
  let score = 0
  for (const key of tally.keys) {
    const domain = labels[key]
    if (domain !== undefined) score += tally.get(key, domain)
  }
  return score
}

/** The least becomes 0 and the most 100. */
export function normalizeBetween(scores: number[]): void {
  const least = scores.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY)
  const most = scores.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY)
  for (const [i, score] of scores.entries()) scores[i] = most > least ? Math.trunc(MAX_SCORE * ((score - least) / (most - least))) : 0
}
