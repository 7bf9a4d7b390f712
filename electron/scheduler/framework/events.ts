/** What happens in the cluster, as far as it may let a pod be placed that could not be. Source: `kube-scheduler/framework` events. */
import type { Node } from '../../api/core/v1/types.gen.ts'
import type { KubeObject } from '../../api/meta/v1/object.ts'
import { semanticEqual } from '../../api/values/equal.ts'
import { amountIn, type Amounts } from '../snapshot/amounts.ts'
import type { PodInfo } from '../snapshot/pod-info.ts'

export type EventResource =
  /** Pods on nodes; the pod itself while it is on none; other pods that are on none; any of these. */
  | 'AssignedPod'
  | 'TargetPod'
  | 'UnscheduledPod'
  | 'Pod'
  | 'Node'
  | 'PersistentVolumeClaim'
  | 'PersistentVolume'
  | 'StorageClass'
  | 'CSINode'
  | 'CSIDriver'
  | 'CSIStorageCapacity'
  | 'VolumeAttachment'
  | 'ResourceClaim'
  | 'DeviceClass'
  | 'ResourceSlice'
  | '*'

/** Bits, so that one registration covers several. */
export const ACTION = {
  add: 1,
  delete: 2,
  updateNodeAllocatable: 4,
  updateNodeLabel: 8,
  updateNodeTaint: 16,
  updateNodeCondition: 32,
  updateNodeAnnotation: 64,
  updatePodLabel: 128,
  updatePodScaleDown: 256,
  updatePodToleration: 512,
  updatePodGatesEliminated: 1024,
  /** Any other change. */
  updateOther: 2048,
} as const

export const ALL_ACTIONS = 4095

export interface ClusterEvent {
  readonly resource: EventResource
  /** `ACTION` bits; one where something happened, several where they are asked for. */
  readonly action: number
}

/** An event with what it is about. */
export interface Happening {
  readonly event: ClusterEvent
  readonly old?: KubeObject | undefined
  readonly now?: KubeObject | undefined
}

/** Moves every pod, whatever refused it: time has passed, or somebody asks for it. */
export const EVERYTHING: ClusterEvent = Object.freeze({ resource: '*', action: ALL_ACTIONS })

export const EVENTS = {
  assignedPodAdd: { resource: 'AssignedPod', action: ACTION.add },
  assignedPodDelete: { resource: 'AssignedPod', action: ACTION.delete },
  nodeAdd: { resource: 'Node', action: ACTION.add },
  nodeDelete: { resource: 'Node', action: ACTION.delete },
} as const satisfies Record<string, ClusterEvent>

/** Whether who asked for `wanted` is to hear of `event`. */
export function matchesEvent(wanted: ClusterEvent, event: ClusterEvent): boolean {
  if (wanted.resource === '*') return wanted.action === ALL_ACTIONS || (wanted.action & event.action) !== 0
  const isPod = event.resource === 'AssignedPod' || event.resource === 'TargetPod' || event.resource === 'UnscheduledPod'
  const sameResource = wanted.resource === event.resource || (wanted.resource === 'Pod' && isPod)
  return sameResource && (wanted.action & event.action) !== 0
}

/** What changed of a node that plugins may care for; empty for a heartbeat. */
export function nodeEvents(now: Node, old: Node): ClusterEvent[] {
  const actions: number[] = []
  if (!semanticEqual(now.status.allocatable, old.status.allocatable)) actions.push(ACTION.updateNodeAllocatable)
  if (!semanticEqual(now.metadata.labels, old.metadata.labels)) actions.push(ACTION.updateNodeLabel)
  const opened = old.spec.unschedulable && !now.spec.unschedulable
  if (opened || !semanticEqual(now.spec.taints, old.spec.taints)) actions.push(ACTION.updateNodeTaint)
  if (!semanticEqual(conditionsOf(now), conditionsOf(old))) actions.push(ACTION.updateNodeCondition)
  if (!semanticEqual(now.metadata.annotations, old.metadata.annotations)) actions.push(ACTION.updateNodeAnnotation)
  return actions.map((action) => ({ resource: 'Node', action }))
}

function conditionsOf({ status }: Node): Record<string, string> {
  return Object.fromEntries((status.conditions ?? []).map((condition) => [condition.type, condition.status]))
}

/** What changed of a pod; never empty. */
export function podEvents(after: PodInfo, before: PodInfo, resource: 'AssignedPod' | 'TargetPod'): ClusterEvent[] {
  const [now, old] = [after.pod, before.pod]
  const actions: number[] = []
  if (!semanticEqual(now.metadata.labels, old.metadata.labels)) actions.push(ACTION.updatePodLabel)
  if (isScaledDown(after.requests, before.requests)) actions.push(ACTION.updatePodScaleDown)
  if (!now.spec.schedulingGates?.length && old.spec.schedulingGates?.length) actions.push(ACTION.updatePodGatesEliminated)
  if ((now.spec.tolerations?.length ?? 0) !== (old.spec.tolerations?.length ?? 0)) actions.push(ACTION.updatePodToleration)
  if (actions.length === 0) actions.push(ACTION.updateOther)
  return actions.map((action) => ({ resource, action }))
}

function isScaledDown(after: Amounts, before: Amounts): boolean {
  if (after === before) return false
  const names = ['cpu', 'memory', 'ephemeral-storage', ...(before.scalar?.keys() ?? [])]
  return names.some((name) => amountIn(after, name) < amountIn(before, name))
}
