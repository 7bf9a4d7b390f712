/** What must hold between the pod and those that are there. Source: `plugins/interpodaffinity/filtering.go`. */
import type { Evidence } from '../../framework/evidence.ts'
import { unresolvable, unschedulable, type Result, type Status } from '../../framework/status.ts'
import { termMatches, type AffinityTerm } from '../../snapshot/affinity-term.ts'
import type { NodeInfo } from '../../snapshot/node-info.ts'
import type { PodInfo } from '../../snapshot/pod-info.ts'
import type { SnapshotView } from '../../snapshot/snapshot.ts'
import type { Labels } from '../../../machinery/selector/requirement.ts'
import { Tally } from './tally.ts'
import { cohortsOf, matchesAll, withNamespaces } from './terms.ts'

export const NAME = 'InterPodAffinity'
const AFFINITY = ["node(s) didn't match pod affinity rules"]
const ANTI_AFFINITY = ["node(s) didn't match pod anti-affinity rules"]
const ANTI_AFFINITY_OF_OTHERS = ["node(s) didn't satisfy existing pods anti-affinity rules"]

/** All nodes of a domain are refused alike: the words are found once. */
class Refusals {
  readonly #known = new Map<unknown, Map<string | undefined, Status>>()

  /** `rule`: what refuses. */
  of(rule: unknown, domain: string | undefined, make: () => Status): Status {
    let byDomain = this.#known.get(rule)
    if (!byDomain) this.#known.set(rule, (byDomain = new Map()))
    let status = byDomain.get(domain)
    if (!status) byDomain.set(domain, (status = make()))
    return status
  }
}

interface Rules {
  readonly affinity: readonly AffinityTerm[]
  readonly antiAffinity: readonly AffinityTerm[]
  readonly namespaceLabels: Labels | undefined
  readonly refusals: Refusals
}

export class AffinityState {
  readonly #rules: Rules
  /** Pods that match all terms of the pod's affinity; any of its anti-affinity; and pods whose anti-affinity matches it. */
  readonly #wanted: Tally
  readonly #unwanted: Tally
  readonly #unwilling: Tally

  private constructor(rules: Rules, wanted: Tally, unwanted: Tally, unwilling: Tally) {
    this.#rules = rules
    this.#wanted = wanted
    this.#unwanted = unwanted
    this.#unwilling = unwilling
  }

  /** Null: there is nothing to look at, unless pods that are promised nodes may not want the pod (`promised`). */
  static of(pod: PodInfo, { cohorts, objects }: SnapshotView, promised = false): AffinityState | null {
    const named = (terms: readonly AffinityTerm[]) => terms.map((term) => withNamespaces(term, objects))
    const affinity = named(pod.terms.requiredAffinity)
    const antiAffinity = named(pod.terms.requiredAntiAffinity)
    const namespaceLabels = objects.namespaceLabels(pod.namespace)
    const [wanted, unwanted, unwilling] = [new Tally(), new Tally(), new Tally()]

    for (const cohort of cohorts.withRequiredAntiAffinity) {
      for (const term of cohort.sample.terms.requiredAntiAffinity) {
        if (termMatches(term, pod, namespaceLabels)) unwilling.add(term.topologyKey, cohort.perTopology(term.topologyKey))
      }
    }
    const [first] = affinity
    for (const cohort of first ? cohortsOf(first, cohorts) : []) {
      if (!matchesAll(affinity, cohort.sample)) continue
      for (const { topologyKey } of affinity) wanted.add(topologyKey, cohort.perTopology(topologyKey))
    }
    for (const term of antiAffinity) {
      for (const cohort of cohortsOf(term, cohorts)) unwanted.add(term.topologyKey, cohort.perTopology(term.topologyKey))
    }
    if (affinity.length === 0 && antiAffinity.length === 0 && unwilling.isEmpty && !promised) return null
    return new AffinityState({ affinity, antiAffinity, namespaceLabels, refusals: new Refusals() }, wanted, unwanted, unwilling)
  }

  clone(): AffinityState {
    return new AffinityState(this.#rules, this.#wanted.copy(), this.#unwanted.copy(), this.#unwilling.copy())
  }

  /** Another pod comes to the node, or leaves it, in thought. */
  change(pod: PodInfo, other: PodInfo, { labels }: NodeInfo, by: 1 | -1): void {
    const { affinity, antiAffinity, namespaceLabels } = this.#rules
    for (const term of other.terms.requiredAntiAffinity) {
      if (termMatches(term, pod, namespaceLabels)) this.#unwilling.change(term.topologyKey, labels[term.topologyKey], by)
    }
    if (matchesAll(affinity, other)) {
      for (const { topologyKey } of affinity) this.#wanted.change(topologyKey, labels[topologyKey], by)
    }
    for (const term of antiAffinity) {
      if (termMatches(term, other, undefined)) this.#unwanted.change(term.topologyKey, labels[term.topologyKey], by)
    }
  }

  check(pod: PodInfo, { labels }: NodeInfo): Result {
    const { refusals } = this.#rules
    const missing = this.#missing(pod, labels)
    if (missing) {
      return refusals.of(missing, labels[missing.topologyKey], () => unresolvable(NAME, AFFINITY, [evidence('affinity', missing, labels)]))
    }
    for (const term of this.#rules.antiAffinity) {
      const domain = labels[term.topologyKey]
      if (domain === undefined || this.#unwanted.get(term.topologyKey, domain) <= 0) continue
      return refusals.of(term, domain, () => unschedulable(NAME, ANTI_AFFINITY, [evidence('antiAffinity', term, labels)]))
    }
    for (const topologyKey of this.#unwilling.keys) {
      const domain = labels[topologyKey]
      if (domain === undefined || this.#unwilling.get(topologyKey, domain) <= 0) continue
      return refusals.of(topologyKey, domain, () =>
        unschedulable(NAME, ANTI_AFFINITY_OF_OTHERS, [{ type: 'podAffinity', rule: 'antiAffinityOfOthers', topologyKey, domain }]),
      )
    }
    return null
  }

  /** The first term of the affinity that does not hold. The first pod of a group whose pods want each other needs no other. */
  #missing(pod: PodInfo, labels: Labels): AffinityTerm | undefined {
    const { affinity } = this.#rules
    let missing: AffinityTerm | undefined
    for (const term of affinity) {
      const domain = labels[term.topologyKey]
      if (domain === undefined) return term
      if (!missing && this.#wanted.get(term.topologyKey, domain) <= 0) missing = term
    }
    if (missing && matchesAll(affinity, pod) && this.#wanted.isEmpty) return undefined
    return missing
  }
}

function evidence(rule: 'affinity' | 'antiAffinity', { topologyKey, selector }: AffinityTerm, labels: Labels): Evidence {
  return { type: 'podAffinity', rule, topologyKey, domain: labels[topologyKey] ?? null, selector: selector.toString() }
}
