/** Where a pod may be, and why it is not: what kube-scheduler says in one sentence, node by node. Group `infra.flotilla.dev`. */
import type { KubeObject, Time } from '../../meta/v1/object.ts'

/** Is answered and not stored, as the reviews of authorization.k8s.io. */
export interface PlacementReview extends KubeObject {
  spec: PlacementReviewSpec
  status: PlacementReviewStatus
}

export interface PlacementReviewSpec {
  /** In the review's namespace. */
  podName: string
  /** So many nodes are shown at most, those nearest to taking the pod first. Default 100. */
  limit: number
}

export interface PlacementReviewStatus {
  /** Where it is, if it has a node; then there is nothing else to say. */
  nodeName?: string
  /** Why nodes need not be looked at one by one: the pod is gated, another scheduler's, or no node comes into question. */
  message?: string
  lastAttempt?: PlacementAttempt
  /** As things are now. */
  nodes?: NodePlacement[]
  /** How many nodes there are, shown or not. */
  totalNodes?: number
}

/** What became of the pod when the scheduler tried it last. */
export interface PlacementAttempt {
  /** HeldBack: a gate keeps it from being tried. Placed: it is being bound. Failed: something broke on the way. */
  outcome: 'Refused' | 'HeldBack' | 'Placed' | 'Failed'
  time: Time
  /** The how manyeth it was. */
  attempt: number
  /** As the pod's condition says it. */
  message?: string
  nodeName?: string
  /** What each node said then; absent once so many pods wait that details are not kept. */
  nodes?: AttemptedNode[]
}

export interface AttemptedNode {
  /** Absent: all nodes that are not named. */
  name?: string
  /** By the first filter that did. */
  refusal?: FilterVerdict
  scores?: PluginScore[]
  total?: number
}

export interface NodePlacement {
  name: string
  fits: boolean
  /** All of them, in the order in which they are asked. */
  filters?: FilterVerdict[]
  scores?: PluginScore[]
  /** Weighted sum of the scores. */
  total?: number
}

export interface FilterVerdict {
  plugin: string
  /** Skipped: the pod asks for nothing that the filter looks at. */
  verdict: 'Passed' | 'Skipped' | 'Refused' | 'Failed'
  /** Whether taking other pods away may help. */
  resolvable?: boolean
  reasons?: string[]
  /** What it saw: `scheduler/framework/evidence.ts`. */
  evidence?: object[]
}

/** From 0 to 100, before it is weighed. */
export interface PluginScore {
  plugin: string
  score: number
  weight: number
}
