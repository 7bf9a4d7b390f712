/** Pods of a DaemonSet as they are made for a node. Source: kubernetes `pkg/controller/daemon/util`. */
import type { DaemonSet } from '../../api/apps/v1/types.gen.ts'
import { daemonSet } from '../../api/apps/v1/daemon-set.ts'
import type { Affinity, Pod, PodSpec, Toleration } from '../../api/core/v1/types.gen.ts'
import type { Draft } from '../../api/meta/v1/object.ts'
import {
  DISK_PRESSURE,
  MEMORY_PRESSURE,
  NETWORK_UNAVAILABLE,
  NOT_READY,
  PID_PRESSURE,
  sameToleration,
  UNREACHABLE,
  UNSCHEDULABLE,
  type Effect,
} from '../node/taints.ts'
import { REVISION_LABEL } from '../workload/history.ts'
import { podFromTemplate } from '../workload/pod-control.ts'

const TOLERATED: readonly (readonly [string, Effect])[] = [
  [NOT_READY, 'NoExecute'],
  [UNREACHABLE, 'NoExecute'],
  [DISK_PRESSURE, 'NoSchedule'],
  [MEMORY_PRESSURE, 'NoSchedule'],
  [PID_PRESSURE, 'NoSchedule'],
  [UNSCHEDULABLE, 'NoSchedule'],
]

/** Daemons stay through what drives other pods away; on the host's network they even come before the node's network does. */
export function daemonTolerations({ tolerations = [], hostNetwork }: PodSpec): Toleration[] {
  const pairs = hostNetwork ? [...TOLERATED, [NETWORK_UNAVAILABLE, 'NoSchedule'] as const] : TOLERATED
  const added = pairs.map(([key, effect]): Toleration => ({ key, operator: 'Exists', effect }))
  return [...tolerations.filter((own) => !added.some((toleration) => sameToleration(own, toleration))), ...added]
}

/** The scheduler binds it, but to this node only. What the template says of nodes was looked at when the node was chosen. */
export function pinnedTo(affinity: Affinity | undefined, node: string): Affinity {
  const term = { matchFields: [{ key: 'metadata.name', operator: 'In' as const, values: [node] }] }
  const nodeAffinity = { ...affinity?.nodeAffinity, requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [term] } }
  return { ...affinity, nodeAffinity }
}

export function podForNode(set: DaemonSet, node: string, hash: string): Draft<Pod> {
  const { metadata, spec } = set.spec.template
  const template = {
    metadata: { ...metadata, labels: { ...metadata.labels, [REVISION_LABEL]: hash } },
    spec: { ...spec, affinity: pinnedTo(spec.affinity, node), tolerations: daemonTolerations(spec) },
  }
  return podFromTemplate(template, set, daemonSet)
}

/** The node that runs it or shall. */
export function targetNode({ spec }: Pod): string {
  if (spec.nodeName) return spec.nodeName
  const terms = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? []
  for (const { matchFields } of terms) {
    const named = matchFields?.find(({ key, operator }) => key === 'metadata.name' && operator === 'In')
    if (named?.values?.[0]) return named.values[0]
  }
  return ''
}
