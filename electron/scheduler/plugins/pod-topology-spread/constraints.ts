/** Spread constraints, ready to be checked. Source: `plugins/podtopologyspread/common.go`. */
import type { TopologySpreadConstraint } from '../../../api/core/v1/types.gen.ts'
import { selectorFromObject, selectorOf, type LabelSelector } from '../../../machinery/selector/label-selector.ts'
import type { LabelRequirement } from '../../../machinery/selector/requirement.ts'
import { defaultSelector } from '../../matching/default-selector.ts'
import type { RequiredNodes } from '../../matching/node-selector.ts'
import { firstUntolerated } from '../../matching/tolerations.ts'
import type { ClusterObjects } from '../../snapshot/cluster-objects.ts'
import type { NodeInfo } from '../../snapshot/node-info.ts'
import type { PodInfo } from '../../snapshot/pod-info.ts'
import type { SnapshotView } from '../../snapshot/snapshot.ts'

export const HOSTNAME = 'kubernetes.io/hostname'

export type Action = TopologySpreadConstraint['whenUnsatisfiable']

export interface Constraint {
  readonly maxSkew: number
  readonly topologyKey: string
  readonly selector: LabelSelector
  readonly minDomains: number
  /** Whether nodes that the pod does not ask for, or whose taints it does not bear, are left out of the count. */
  readonly honorsAffinity: boolean
  readonly honorsTaints: boolean
}

/** What holds where a pod says nothing. */
export type Defaulting =
  | { readonly defaultingType: 'System' }
  | { readonly defaultingType: 'List'; readonly defaultConstraints: readonly TopologySpreadConstraint[] }

const SYSTEM_DEFAULTS: readonly TopologySpreadConstraint[] = [
  { topologyKey: HOSTNAME, whenUnsatisfiable: 'ScheduleAnyway', maxSkew: 3 },
  { topologyKey: 'topology.kubernetes.io/zone', whenUnsatisfiable: 'ScheduleAnyway', maxSkew: 5 },
]

/** The pod's own constraints of this kind, or where it has none at all, the default ones for the pods that belong with it. */
export function constraintsOf(pod: PodInfo, action: Action, defaulting: Defaulting, objects: ClusterObjects): readonly Constraint[] {
  const own = pod.pod.spec.topologySpreadConstraints
  if (own?.length) return own.filter(({ whenUnsatisfiable }) => whenUnsatisfiable === action).map((each) => compile(each, pod))
  const defaults = defaulting.defaultingType === 'System' ? SYSTEM_DEFAULTS : defaulting.defaultConstraints
  const wanted = defaults.filter(({ whenUnsatisfiable }) => whenUnsatisfiable === action)
  if (wanted.length === 0) return []
  const selector = defaultSelector(pod, objects)
  return selector ? wanted.map((each) => ({ ...compile(each, pod), selector })) : []
}

function compile(constraint: TopologySpreadConstraint, { labels }: PodInfo): Constraint {
  const { maxSkew, topologyKey, labelSelector, matchLabelKeys, minDomains = 1, nodeAffinityPolicy, nodeTaintsPolicy } = constraint
  const base = selectorFromObject(labelSelector)
  const added = (matchLabelKeys ?? []).flatMap<LabelRequirement>((key) => {
    const value = labels?.[key]
    return value === undefined ? [] : [{ key, operator: '=', values: [value] }]
  })
  return {
    maxSkew,
    topologyKey,
    selector: added.length && !base.nothing ? selectorOf([...added, ...base.requirements]) : base,
    minDomains,
    honorsAffinity: nodeAffinityPolicy !== 'Ignore',
    honorsTaints: nodeTaintsPolicy === 'Honor',
  }
}

export function hasAllKeys(labels: Readonly<Record<string, string>>, constraints: readonly Constraint[]): boolean {
  for (const { topologyKey } of constraints) if (labels[topologyKey] === undefined) return false
  return true
}

/** Whether the node's pods count for this constraint. */
export function isIncluded(constraint: Constraint, pod: PodInfo, required: RequiredNodes, node: NodeInfo): boolean {
  if (constraint.honorsAffinity && !required.matches(node)) return false
  return !constraint.honorsTaints || !firstUntolerated(node.hardTaints, pod.pod.spec.tolerations)
}

/** Whether that is so for every node, without looking at them. */
export function allIncluded(constraint: Constraint, required: RequiredNodes): boolean {
  return !constraint.honorsTaints && (!constraint.honorsAffinity || required.none)
}

/** Whether every node has every key. */
export function allHaveKeys(constraints: readonly Constraint[], snapshot: SnapshotView): boolean {
  return constraints.every(({ topologyKey }) => snapshot.domains(topologyKey).nodes === snapshot.nodes.length)
}
