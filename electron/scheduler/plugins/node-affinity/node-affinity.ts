import type { Node, NodeAffinity, NodeSelectorTerm, Pod } from '../../../api/core/v1/types.gen.ts'
import { ACTION } from '../../framework/events.ts'
import { stateKey } from '../../framework/cycle-state.ts'
import { definePlugin } from '../../framework/descriptor.ts'
import { normalizeByLargest } from '../../framework/normalize.ts'
import type { AnyPlugin, NodeSubset } from '../../framework/plugin.ts'
import { SKIP, unresolvable, type Result } from '../../framework/status.ts'
import {
  NAME_FIELD,
  NodeTerms,
  PreferredNodes,
  requiredNodes,
  type RequiredNodes,
  type SelectableNode,
} from '../../matching/node-selector.ts'

export interface NodeAffinityArgs {
  /** Holds for every pod, beside what it asks for itself. */
  readonly addedAffinity?: NodeAffinity
}

const name = 'NodeAffinity'
const required = stateKey<RequiredNodes>(`${name} required`)
const preferred = stateKey<PreferredNodes>(`${name} preferred`)
const NOT_MATCHING = ["node(s) didn't match Pod's node affinity/selector"]
const NOT_ENFORCED = ["node(s) didn't match scheduler-enforced node affinity"]
const CONFLICT = ['pod affinity terms conflict']
const REQUIRED = 'requiredDuringSchedulingIgnoredDuringExecution'
const PREFERRED = 'preferredDuringSchedulingIgnoredDuringExecution'

/** The nodes that a pod asks for by their labels and names, and those that it likes better. */
export const nodeAffinity = definePlugin<NodeAffinityArgs>({
  name,
  weight: 2,
  defaults: {},
  create({ addedAffinity }): AnyPlugin {
    const enforced = addedAffinity?.[REQUIRED] ? new NodeTerms(addedAffinity[REQUIRED]) : null
    const addedTerms = addedAffinity?.[PREFERRED] ?? []
    const added = addedTerms.length ? new PreferredNodes(addedTerms) : null
    return {
      name,
      ofNodeAlone: true,
      events: [
        {
          event: { resource: 'Node', action: ACTION.add | ACTION.updateNodeLabel },
          hint({ pod }, old, now) {
            const nodes = requiredNodes(pod)
            const matches = (node: Node) => {
              const selectable = asSelectable(node)
              return nodes.matches(selectable) && (enforced?.matches(selectable) ?? true)
            }
            return matches(now as Node) && !(old && matches(old as Node)) ? 'Queue' : 'Skip'
          },
        },
      ],
      preFilter({ state }, { pod }) {
        const nodes = requiredNodes(pod)
        if (nodes.none && !enforced) return SKIP
        state.write(required, nodes)
        return namedNodes(pod)
      },
      filter({ state }, { pod }, node) {
        if (enforced && !enforced.matches(node)) return unresolvable(name, NOT_ENFORCED)
        const nodes = state.find(required) ?? requiredNodes(pod)
        return nodes.matches(node) ? null : unresolvable(name, NOT_MATCHING, nodes.evidence(node))
      },
      preScore({ state }, { pod }) {
        const terms = pod.spec.affinity?.nodeAffinity?.[PREFERRED] ?? []
        if (terms.length === 0 && !added) return SKIP
        state.write(preferred, new PreferredNodes(terms))
        return null
      },
      score: ({ state }, _pod, node) => (added?.score(node) ?? 0) + state.read(preferred).score(node),
      normalize: (_cycle, _pod, scores) => normalizeByLargest(scores, false),
    }
  },
})

/** Where every alternative names its nodes, only those come into question. */
function namedNodes({ spec }: Pod): Result | NodeSubset {
  const terms = spec.affinity?.nodeAffinity?.[REQUIRED]?.nodeSelectorTerms ?? []
  if (terms.length === 0) return null
  const nodes = new Set<string>()
  for (const term of terms) {
    const names = namesIn(term)
    if (!names) return null
    for (const each of names) nodes.add(each)
  }
  return nodes.size === 0 ? unresolvable(name, CONFLICT) : { nodes }
}

/** Null: the term holds for any name. */
function namesIn({ matchFields }: NodeSelectorTerm): Set<string> | null {
  let names: Set<string> | null = null
  for (const { key, operator, values } of matchFields ?? []) {
    if (key !== NAME_FIELD || operator !== 'In') continue
    const wanted = new Set(values)
    names = names ? names.intersection(wanted) : wanted
  }
  return names
}

function asSelectable({ metadata }: Node): SelectableNode {
  return { name: metadata.name, labels: metadata.labels ?? {} }
}
