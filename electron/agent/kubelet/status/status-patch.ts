/** The difference between two pod statuses as a strategic merge patch (patch strategies of the PodStatus model). */
import type { PodStatus } from '../../../api/core/v1/types.gen.ts'
import { semanticEqual } from '../../../api/values/equal.ts'

/** Lists that Kubernetes would merge by a key, and that are replaced as a whole here. */
const REPLACED: readonly (keyof PodStatus)[] = ['podIPs', 'hostIPs']

/** null if they are the same. Conditions of others are not touched. */
export function statusPatch(old: PodStatus, wanted: PodStatus): Record<string, unknown> | null {
  const patch: Record<string, unknown> = {}
  for (const key of new Set([...Object.keys(old), ...Object.keys(wanted)]) as Set<keyof PodStatus>) {
    if (key === 'conditions' || !OWN.has(key) || semanticEqual(old[key], wanted[key])) continue
    const value = wanted[key]
    if (value === undefined) patch[key] = null
    else patch[key] = REPLACED.includes(key) ? [...(value as unknown[]), { $patch: 'replace' }] : value
  }
  const conditions = conditionsPatch(old.conditions ?? [], wanted.conditions ?? [])
  if (conditions.length) patch['conditions'] = conditions
  return Object.keys(patch).length ? patch : null
}

/** What the kubelet writes. */
const OWN = new Set<keyof PodStatus>([
  'phase',
  'reason',
  'message',
  'observedGeneration',
  'hostIP',
  'hostIPs',
  'podIP',
  'podIPs',
  'startTime',
  'qosClass',
  'containerStatuses',
  'initContainerStatuses',
  'ephemeralContainerStatuses',
  'resize',
  'allocatedResources',
  'resources',
])

type Conditions = NonNullable<PodStatus['conditions']>

function conditionsPatch(old: Conditions, wanted: Conditions): unknown[] {
  const changed: unknown[] = []
  for (const condition of wanted) {
    const before = old.find(({ type }) => type === condition.type)
    if (semanticEqual(condition, before)) continue
    // A merge keeps what is not mentioned.
    const dropped = Object.keys(before ?? {}).filter((key) => !(key in condition))
    changed.push({ ...condition, ...Object.fromEntries(dropped.map((key) => [key, null])) })
  }
  const gone = old.filter(({ type }) => REMOVABLE.has(type) && !wanted.some((condition) => condition.type === type))
  return [...changed, ...gone.map(({ type }) => ({ type, $patch: 'delete' }))]
}

/** Conditions that the kubelet takes away again. */
const REMOVABLE = new Set(['PodResizePending', 'PodResizeInProgress'])
