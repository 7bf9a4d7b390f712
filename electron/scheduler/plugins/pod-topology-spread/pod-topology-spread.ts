import type { Node, Pod } from '../../../api/core/v1/types.gen.ts'
import type { KubeObject } from '../../../api/meta/v1/object.ts'
import { ACTION } from '../../framework/events.ts'
import { stateKey } from '../../framework/cycle-state.ts'
import { definePlugin } from '../../framework/descriptor.ts'
import type { AnyPlugin, Hint } from '../../framework/plugin.ts'
import { SKIP } from '../../framework/status.ts'
import { NO_OBJECTS } from '../../snapshot/cluster-objects.ts'
import type { PodInfo } from '../../snapshot/pod-info.ts'
import { constraintsOf, hasAllKeys, type Constraint, type Defaulting } from './constraints.ts'
import { NAME, SpreadState } from './spread-filter.ts'
import { SpreadScores } from './spread-score.ts'

export type PodTopologySpreadArgs = Defaulting

const hard = stateKey<SpreadState>(`${NAME} filter`)
const soft = stateKey<SpreadScores>(`${NAME} score`)

/** Spreads pods over zones, hosts or other domains, as they ask for or as those do that belong together. */
export const podTopologySpread = definePlugin<PodTopologySpreadArgs>({
  name: NAME,
  weight: 2,
  defaults: { defaultingType: 'System' },
  create(defaulting): AnyPlugin {
    const podChange = (pod: PodInfo, old: KubeObject | undefined, now: KubeObject | undefined): Hint =>
      podHint(pod, old as Pod | undefined, now as Pod | undefined, defaulting)
    return {
      name: NAME,
      events: [
        { event: { resource: 'AssignedPod', action: ACTION.add | ACTION.delete | ACTION.updatePodLabel }, hint: podChange },
        { event: { resource: 'TargetPod', action: ACTION.updatePodLabel }, hint: podChange },
        {
          event: { resource: 'Node', action: ACTION.add | ACTION.delete | ACTION.updateNodeLabel | ACTION.updateNodeTaint },
          hint: (pod, old, now) => nodeHint(pod, old as Node | undefined, now as Node | undefined, defaulting),
        },
      ],
      preFilter({ state, snapshot }, pod) {
        const constraints = constraintsOf(pod, 'DoNotSchedule', defaulting, snapshot.objects)
        if (constraints.length === 0) return SKIP
        state.write(hard, SpreadState.of(constraints, pod, snapshot))
        return null
      },
      addPod: ({ state }, pod, added, node) => state.read(hard).change(pod, added, node, 1),
      removePod: ({ state }, pod, removed, node) => state.read(hard).change(pod, removed, node, -1),
      filter: ({ state }, pod, node) => state.read(hard).check(pod, node),
      preScore({ state, snapshot }, pod, nodes) {
        const constraints = constraintsOf(pod, 'ScheduleAnyway', defaulting, snapshot.objects)
        if (constraints.length === 0) return SKIP
        // Hosts are spread over also where the nodes have no zones.
        const allKeys = Boolean(pod.pod.spec.topologySpreadConstraints?.length) || defaulting.defaultingType !== 'System'
        state.write(soft, new SpreadScores(constraints, pod, nodes, snapshot, { allKeys }))
        return null
      },
      score: ({ state }, _pod, node) => state.read(soft).score(node),
      normalize: ({ state }, _pod, scores, nodes) => state.read(soft).normalize(scores, nodes),
    }
  },
})

/** The constraints by which the pod may have been refused; without the cluster's objects those of `List` select by nothing. */
function hardConstraints(pod: PodInfo, defaulting: Defaulting): readonly Constraint[] | null {
  if (pod.pod.spec.topologySpreadConstraints?.length) return constraintsOf(pod, 'DoNotSchedule', defaulting, NO_OBJECTS)
  return null
}

/** Pods that count came, went, or began or ceased to count. */
function podHint(pod: PodInfo, old: Pod | undefined, now: Pod | undefined, defaulting: Defaulting): Hint {
  const constraints = hardConstraints(pod, defaulting)
  if (!constraints) return 'Queue'
  if (now?.metadata.uid === pod.uid) return 'Queue'
  if ((now ?? old)?.metadata.namespace !== pod.namespace) return 'Skip'
  const counts = (other: Pod | undefined, { selector }: Constraint) => other !== undefined && selector.matches(other.metadata.labels)
  return constraints.some((constraint) => counts(old, constraint) !== counts(now, constraint)) ? 'Queue' : 'Skip'
}

/** Domains may have come or gone. */
function nodeHint(pod: PodInfo, old: Node | undefined, now: Node | undefined, defaulting: Defaulting): Hint {
  const constraints = hardConstraints(pod, defaulting)
  if (!constraints) return 'Queue'
  const has = (node: Node | undefined) => node !== undefined && hasAllKeys(node.metadata.labels ?? {}, constraints)
  if (!has(old) && !has(now)) return 'Skip'
  if (!old || !now) return 'Queue'
  const moved = constraints.some(({ topologyKey }) => old.metadata.labels?.[topologyKey] !== now.metadata.labels?.[topologyKey])
  return moved || constraints.some(({ honorsTaints }) => honorsTaints) || has(old) !== has(now) ? 'Queue' : 'Skip'
}
