/**
 * The extension points, as kube-scheduler has them. Everything up to Reserve is synchronous, so that nothing changes between the first
 * look and the decision; what follows may wait. A plugin that throws says `Error`.
 * Source: `kube-scheduler/framework/interface.go`.
 */
import type { KubeObject } from '../../api/meta/v1/object.ts'
import type { NodeInfo } from '../snapshot/node-info.ts'
import type { PodInfo } from '../snapshot/pod-info.ts'
import type { SnapshotView } from '../snapshot/snapshot.ts'
import type { Attempt } from './attempt.ts'
import type { CycleState } from './cycle-state.ts'
import type { NodeStatuses } from './node-statuses.ts'
import type { ClusterEvent } from './events.ts'
import type { ProposedVictims } from '../extenders/extender.ts'
import type { Result } from './status.ts'

/** What one attempt to place one pod works with. */
export interface Cycle {
  readonly snapshot: SnapshotView
  readonly state: CycleState
}

export interface Plugin {
  readonly name: string
  /**
   * Its filter and its scores, before they are normalized, follow from the node, the pods on it, and what makes up `PodInfo.demand`; and
   * a pod more on a node never makes it fit. They are then remembered for the next pod that asks for the same.
   */
  readonly ofNodeAlone?: boolean
  /** What may let a pod be placed that this plugin refused. None: only time. */
  readonly events?: readonly EventRegistration[]
}

export interface EventRegistration {
  readonly event: ClusterEvent
  /** Whether it is worth trying the pod again; absent: always. Old and new state are there as the event has them. */
  readonly hint?: (pod: PodInfo, old: KubeObject | undefined, now: KubeObject | undefined) => Hint
}

export type Hint = 'Queue' | 'Skip'

/** What the queue knows of a pod that waits. */
export interface Queued {
  readonly info: PodInfo
  /** Since when it waits, in milliseconds of the monotonic clock. */
  readonly timestamp: number
}

export interface QueueSortPlugin extends Plugin {
  /** Whether `a` comes before `b`. */
  less(a: Queued, b: Queued): boolean
}

export interface PreEnqueuePlugin extends Plugin {
  /** Whether the pod may be tried at all. */
  preEnqueue(pod: PodInfo): Result
}

/** The only nodes that come into question; they need not exist. */
export interface NodeSubset {
  readonly nodes: ReadonlySet<string>
}

export interface PreFilterPlugin extends Plugin {
  /** `SKIP`: Filter need not be called for this pod. */
  preFilter(cycle: Cycle, pod: PodInfo): Result | NodeSubset
  /** Another pod is put on, or taken off, a node in thought: the state must say what it would say then. */
  addPod?(cycle: Cycle, pod: PodInfo, added: PodInfo, node: NodeInfo): void
  removePod?(cycle: Cycle, pod: PodInfo, removed: PodInfo, node: NodeInfo): void
}

export interface FilterPlugin extends Plugin {
  /** Its verdicts are of the cluster as it is: it is not asked what would be without some pods. */
  readonly asIs?: boolean
  filter(cycle: Cycle, pod: PodInfo, node: NodeInfo): Result
}

export interface PostFilterPlugin extends Plugin {
  /** Called where no node passed. Success: what it nominated may let the pod be placed later. */
  postFilter(attempt: Attempt, pod: PodInfo, statuses: NodeStatuses): PostFilterAnswer
  /** Whom it would displace, by node. Changes nothing. */
  propose?(attempt: Attempt, pod: PodInfo, statuses: NodeStatuses): ReadonlyMap<string, ProposedVictims>
}

export interface PostFilterAnswer {
  readonly status: Result
  /** The node to nominate; "" clears it; absent leaves it as it is. */
  readonly nominate?: string
}

export interface PreScorePlugin extends Plugin {
  /** `SKIP`: Score need not be called for this pod; all nodes get 0. */
  preScore(cycle: Cycle, pod: PodInfo, nodes: readonly NodeInfo[]): Result
}

export interface ScorePlugin extends Plugin {
  score(cycle: Cycle, pod: PodInfo, node: NodeInfo): number
  /** Brings the scores, in the order of `nodes`, into 0 to 100. Absent: they are. */
  normalize?(cycle: Cycle, pod: PodInfo, scores: number[], nodes: readonly NodeInfo[]): void
}

export interface ReservePlugin extends Plugin {
  reserve(cycle: Cycle, pod: PodInfo, node: string): Result
  /** Must not fail, and may be called where `reserve` was not. */
  unreserve(cycle: Cycle, pod: PodInfo, node: string): void
}

export interface PermitPlugin extends Plugin {
  /** `Wait` with a timeout in milliseconds: the pod waits to be allowed or rejected. */
  permit(cycle: Cycle, pod: PodInfo, node: string): { readonly status: Result; readonly timeout?: number }
}

export interface PreBindPlugin extends Plugin {
  preBind(cycle: Cycle, pod: PodInfo, node: string, signal: AbortSignal): Promise<Result>
}

export interface BindPlugin extends Plugin {
  /** `SKIP`: the next one is asked. */
  bind(cycle: Cycle, pod: PodInfo, node: string, signal: AbortSignal): Promise<Result>
}

export interface PostBindPlugin extends Plugin {
  postBind(cycle: Cycle, pod: PodInfo, node: string): void
}

/** A plugin implements one extension point or more. */
export type AnyPlugin = Plugin &
  Partial<
    QueueSortPlugin &
      PreEnqueuePlugin &
      PreFilterPlugin &
      FilterPlugin &
      PostFilterPlugin &
      PreScorePlugin &
      ScorePlugin &
      ReservePlugin &
      PermitPlugin &
      PreBindPlugin &
      BindPlugin &
      PostBindPlugin
  >

export function isSubset(answer: Result | NodeSubset): answer is NodeSubset {
  return answer !== null && 'nodes' in answer
}
