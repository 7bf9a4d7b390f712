/** Whether a finished placement is one that the declared rules allow, worked out anew from the objects alone. */
import type { Node, Pod } from '../../electron/api/core/v1/types.gen.ts'
import { podRequests } from '../../electron/api/core/v1/pod-resources.ts'
import { toMilli } from '../../electron/api/values/quantity.ts'

const ZONE = 'topology.kubernetes.io/zone'

/** Throws at the first thing that may not be: a node with too much on it, a required term or a skew that does not hold. */
export function assertLegal(nodes: readonly Node[], pods: readonly Pod[]): void {
  const byName = new Map(nodes.map((node) => [node.metadata.name, node]))
  const on = Map.groupBy(pods, ({ spec }) => spec.nodeName ?? '')
  for (const [name, held] of on) {
    const node = byName.get(name)
    if (!node) throw new Error(`${held[0]?.metadata.name} is on ${name || 'no node'}`)
    assertFits(node, held)
  }
  const zoneOf = ({ spec }: Pod) => byName.get(spec.nodeName ?? '')?.metadata.labels?.[ZONE] ?? ''
  const inZone = Map.groupBy(pods, zoneOf)
  for (const pod of pods) {
    const { podAffinity, podAntiAffinity } = pod.spec.affinity ?? {}
    for (const { topologyKey, labelSelector } of podAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []) {
      const near = topologyKey === ZONE ? inZone.get(zoneOf(pod)) : on.get(pod.spec.nodeName ?? '')
      if (!near?.some((other) => matches(other, labelSelector?.matchLabels))) throw new Error(`${pod.metadata.name} has nobody near it`)
    }
    for (const { labelSelector } of podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []) {
      const beside = on.get(pod.spec.nodeName ?? '')?.filter((other) => other !== pod && matches(other, labelSelector?.matchLabels)) ?? []
      if (beside.length > 0) throw new Error(`${pod.metadata.name} is beside ${beside[0]?.metadata.name}`)
    }
  }
  assertSpread(pods, inZone, new Set(nodes.map(({ metadata }) => metadata.labels?.[ZONE] ?? '')))
}

function assertFits({ metadata, status }: Node, held: readonly Pod[]): void {
  const { allocatable = {} } = status
  if (held.length > Number(allocatable['pods'])) throw new Error(`${held.length} pods are on ${metadata.name}`)
  for (const resource of ['cpu', 'memory']) {
    const asked = held.reduce((sum, { spec }) => sum + toMilli(podRequests(spec)[resource] ?? '0'), 0)
    if (asked > toMilli(allocatable[resource] ?? '0')) throw new Error(`more ${resource} is asked for on ${metadata.name} than it has`)
  }
}

function assertSpread(pods: readonly Pod[], inZone: ReadonlyMap<string, readonly Pod[]>, zones: ReadonlySet<string>): void {
  const [constraint] = pods[0]?.spec.topologySpreadConstraints ?? []
  if (!constraint) return
  const counts = [...zones].map((zone) => inZone.get(zone)?.length ?? 0)
  const skew = Math.max(...counts) - Math.min(...counts)
  if (skew > constraint.maxSkew) throw new Error(`the skew is ${skew}, and may be ${constraint.maxSkew}`)
}

function matches({ metadata }: Pod, labels: Readonly<Record<string, string>> = {}): boolean {
  return Object.entries(labels).every(([key, value]) => metadata.labels?.[key] === value)
}
