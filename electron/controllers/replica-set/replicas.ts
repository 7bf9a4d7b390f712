/** What ReplicaSets and ReplicationControllers have in common: so many pods of one template. */
import type { PodTemplateSpec } from '../../api/core/v1/types.gen.ts'
import type { Kind } from '../../api/kind.ts'
import type { KubeObject, Time } from '../../api/meta/v1/object.ts'
import type { LabelSelector } from '../../machinery/selector/label-selector.ts'

/** A kind of such sets, as one controller sees it. */
export interface ReplicaKind<T extends KubeObject> {
  readonly kind: Kind<T>
  readonly name: string
  readonly component: string
  specOf(object: T): ReplicaSpec
  statusOf(object: T): ReplicaStatus
  withStatus(object: T, status: ReplicaStatus): T
  /** Whether the status has `terminatingReplicas` (KEP-3973). */
  readonly countsTerminating: boolean
}

export interface ReplicaSpec {
  readonly replicas: number
  readonly minReadySeconds: number
  readonly selector: LabelSelector
  readonly template: PodTemplateSpec
}

export interface ReplicaStatus {
  readonly replicas: number
  readonly fullyLabeledReplicas?: number
  readonly readyReplicas?: number
  readonly availableReplicas?: number
  readonly terminatingReplicas?: number
  readonly observedGeneration?: number
  readonly conditions?: readonly ReplicaCondition[]
}

export interface ReplicaCondition {
  readonly type: string
  readonly status: string
  readonly reason?: string
  readonly message?: string
  readonly lastTransitionTime?: Time
}
