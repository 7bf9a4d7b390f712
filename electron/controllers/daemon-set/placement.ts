/** Which nodes a DaemonSet's pods belong on, and what must change there. Source: kubernetes `pkg/controller/daemon`. */
import type { DaemonSet } from '../../api/apps/v1/types.gen.ts'
import type { Node, Pod } from '../../api/core/v1/types.gen.ts'
import { fitsNode } from '../node/node-selector.ts'
import { untolerated } from '../node/taints.ts'
import { REVISION_LABEL } from '../workload/history.ts'
import { isPodAvailable, isPodReady, isPodTerminal } from '../workload/pod-state.ts'
import { daemonTolerations } from './pod-template.ts'

export interface Placement {
  /** A pod shall be made there. */
  readonly shouldRun: boolean
  /** One that is there may stay. */
  readonly mayStay: boolean
}

export function placementOn(set: DaemonSet, node: Node): Placement {
  const { spec } = set.spec.template
  if ((spec.nodeName && spec.nodeName !== node.metadata.name) || !fitsNode(spec, node)) return { shouldRun: false, mayStay: false }
  const tolerations = daemonTolerations(spec)
  if (!untolerated(node.spec.taints, tolerations, ['NoSchedule', 'NoExecute'])) return { shouldRun: true, mayStay: true }
  return { shouldRun: false, mayStay: !untolerated(node.spec.taints, tolerations, ['NoExecute']) }
}

/** What one node's pods of a set are in for. */
export interface NodePlan {
  readonly create: boolean
  readonly delete: readonly Pod[]
  /** Ended by themselves: they are deleted, so that others can take their place. */
  readonly ended: readonly Pod[]
}

export interface PlanOptions {
  readonly set: DaemonSet
  /** Of the present template. */
  readonly hash: string
  readonly now: number
}

/** `pods` are the set's on this node. */
export function planNode(node: Node, pods: readonly Pod[], { set, hash, now }: PlanOptions): NodePlan {
  const { shouldRun, mayStay } = placementOn(set, node)
  const none: NodePlan = { create: false, delete: [], ended: [] }
  if (pods.length === 0) return { ...none, create: shouldRun }
  const staying = pods.filter(({ metadata }) => metadata.deletionTimestamp === undefined)
  if (!mayStay) return { ...none, delete: staying }
  const running = staying.filter((pod) => !isPodTerminal(pod)).sort(oldestFirst)
  return {
    create: false,
    delete: allowsSurge(set) ? surplusWithSurge(running, { set, hash, now }) : running.slice(1),
    ended: staying.filter(isPodTerminal),
  }
}

export function allowsSurge({ spec }: DaemonSet): boolean {
  const { type, rollingUpdate } = spec.updateStrategy
  const surge = rollingUpdate?.maxSurge ?? 0
  return type === 'RollingUpdate' && surge !== 0 && surge !== '0%'
}

export function isUpdated({ metadata }: Pod, hash: string): boolean {
  return metadata.labels?.[REVISION_LABEL] === hash
}

/** Bound ones before others, then the oldest. */
export function oldestFirst(a: Pod, b: Pod): number {
  const bound = Number(Boolean(b.spec.nodeName)) - Number(Boolean(a.spec.nodeName))
  if (bound !== 0) return bound
  const [x, y] = [a.metadata.creationTimestamp, b.metadata.creationTimestamp]
  return x === y ? (a.metadata.name < b.metadata.name ? -1 : 1) : x < y ? -1 : 1
}

/** One old and one new may stand side by side, while the old is ready and the new not available. */
function surplusWithSurge(running: readonly Pod[], { set, hash, now }: PlanOptions): readonly Pod[] {
  if (running.length <= 1) return []
  const fresh = running.filter((pod) => isUpdated(pod, hash))
  const old = running.filter((pod) => !isUpdated(pod, hash))
  const surplus = [...fresh.slice(1), ...old.slice(1)]
  const [newest, oldest] = [fresh[0], old[0]]
  if (!newest || !oldest) return surplus
  const replaced = !isPodReady(oldest) || isPodAvailable(newest, set.spec.minReadySeconds ?? 0, now)
  return replaced ? [...surplus, oldest] : surplus
}
