import type { Node, Pod } from '../../../api/core/v1/types.gen.ts'
import { messageOf } from '../../../base/errors.ts'
import { ACTION } from '../../framework/events.ts'
import { stateKey } from '../../framework/cycle-state.ts'
import { definePlugin } from '../../framework/descriptor.ts'
import type { AnyPlugin, Hint } from '../../framework/plugin.ts'
import { SKIP, unresolvable } from '../../framework/status.ts'
import { EVERYTHING } from '../../../machinery/selector/label-selector.ts'
import type { AffinityTerm } from '../../snapshot/affinity-term.ts'
import { parseTerms, PodInfo } from '../../snapshot/pod-info.ts'
import { AffinityState, NAME } from './affinity-filter.ts'
import { affinityScore, affinityScores, normalizeBetween, type InterPodAffinityArgs } from './affinity-score.ts'
import type { Tally } from './tally.ts'
import { matchesAll, matchesAny } from './terms.ts'

const hard = stateKey<AffinityState>(`${NAME} filter`)
const soft = stateKey<Tally>(`${NAME} score`)

/** Near to pods that the pod wants, away from those that it does not, and away from those that do not want it. */
export const interPodAffinity = definePlugin<InterPodAffinityArgs>({
  name: NAME,
  weight: 2,
  defaults: { hardPodAffinityWeight: 1, ignorePreferredTermsOfExistingPods: false },
  create(args, handle): AnyPlugin {
    const podEvents = ACTION.add | ACTION.delete | ACTION.updatePodLabel
    return {
      name: NAME,
      events: [
        {
          event: { resource: 'AssignedPod', action: podEvents },
          hint: (pod, old, now) => podHint(pod, old as Pod | undefined, now as Pod | undefined),
        },
        { event: { resource: 'TargetPod', action: ACTION.updatePodLabel } },
        {
          event: { resource: 'Node', action: ACTION.add | ACTION.updateNodeLabel },
          hint: (pod, old, now) => nodeHint(pod, old as Node | undefined, now as Node),
        },
      ],
      preFilter({ state, snapshot }, pod) {
        if (pod.hasPodAffinity) {
          const [fault] = parseTerms(pod.pod).faults
          if (fault !== undefined) return unresolvable(NAME, [`parsing pod: ${messageOf(fault)}`])
        }
        const affinity = AffinityState.of(pod, snapshot, handle.nominated.shunning > 0)
        if (!affinity) return SKIP
        state.write(hard, affinity)
        return null
      },
      addPod: ({ state }, pod, added, node) => state.read(hard).change(pod, added, node, 1),
      removePod: ({ state }, pod, removed, node) => state.read(hard).change(pod, removed, node, -1),
      filter: ({ state }, pod, node) => state.read(hard).check(pod, node),
      preScore({ state, snapshot }, pod) {
        const tally = affinityScores(pod, snapshot, args)
        if (!tally) return SKIP
        state.write(soft, tally)
        return null
      },
      score: ({ state }, _pod, node) => affinityScore(state.read(soft), node),
      normalize: (_cycle, _pod, scores) => normalizeBetween(scores),
    }
  },
})

/** Namespaces that are selected by labels may be any: without the cluster's objects all are taken to match. */
function anyNamespace(terms: readonly AffinityTerm[]): AffinityTerm[] {
  return terms.map((term) => (term.namespaceSelector.nothing ? term : { ...term, namespaceSelector: EVERYTHING }))
}

/** A wanted pod came, an unwanted one went, or one went that did not want the pod. */
function podHint(pod: PodInfo, old: Pod | undefined, now: Pod | undefined): Hint {
  const wanted = anyNamespace(pod.terms.requiredAffinity)
  const unwanted = anyNamespace(pod.terms.requiredAntiAffinity)
  const [before, after] = [old && new PodInfo(old), now && new PodInfo(now)]
  if (after && matchesAll(wanted, after) && !(before && matchesAll(wanted, before))) return 'Queue'
  if (!before) return 'Skip'
  if (matchesAny(unwanted, before) && !(after && matchesAny(unwanted, after))) return 'Queue'
  return !after && matchesAny(anyNamespace(before.terms.requiredAntiAffinity), pod) ? 'Queue' : 'Skip'
}

/** A node that has what the affinity goes by, or has come to be in other domains. */
function nodeHint({ terms }: PodInfo, old: Node | undefined, now: Node): Hint {
  const has = (node: Node) => terms.requiredAffinity.every(({ topologyKey }) => node.metadata.labels?.[topologyKey] !== undefined)
  if (!has(now)) return 'Skip'
  if (!old || !has(old)) return 'Queue'
  const own = [...terms.requiredAffinity, ...terms.requiredAntiAffinity]
  if (own.length === 0) return 'Queue'
  return own.some(({ topologyKey }) => old.metadata.labels?.[topologyKey] !== now.metadata.labels?.[topologyKey]) ? 'Queue' : 'Skip'
}
