/** One reconciliation of one Deployment: what it was begun with, and how it writes. */
import { deployment as deploymentKind } from '../../api/apps/v1/deployment.ts'
import type { Deployment, DeploymentStatus, ReplicaSet } from '../../api/apps/v1/types.gen.ts'
import { semanticEqual } from '../../api/values/equal.ts'
import { formatTime } from '../../api/values/time.ts'
import type { ControllerContext } from '../runtime/controller.ts'
import { statusWith, withCondition, type NewCondition } from './conditions.ts'

/** The ReplicaSets of a Deployment: that of its present template, if there is one, and the others. */
export interface Sets {
  readonly current: ReplicaSet | null
  readonly old: readonly ReplicaSet[]
}

export function allOf({ current, old }: Sets): readonly ReplicaSet[] {
  return current ? [...old, current] : old
}

export class DeploymentSync {
  readonly context: ControllerContext
  /** All that are the Deployment's. */
  readonly sets: readonly ReplicaSet[]
  /** Milliseconds since the epoch, the same for all of this reconciliation. */
  readonly now: number
  #deployment: Deployment

  constructor(context: ControllerContext, deployment: Deployment, sets: readonly ReplicaSet[]) {
    this.context = context
    this.sets = sets
    this.now = context.clock.now()
    this.#deployment = deployment
  }

  /** As it is after what was written so far. */
  get deployment(): Deployment {
    return this.#deployment
  }

  get time(): string {
    return formatTime(this.now)
  }

  /** Writes status and annotations if they differ from what is there. */
  async save(status: DeploymentStatus, annotations = this.#deployment.metadata.annotations): Promise<void> {
    const { metadata, status: before } = this.#deployment
    if (semanticEqual(status, before) && semanticEqual(annotations, metadata.annotations)) return
    const changed = { ...this.#deployment, metadata: { ...metadata, ...(annotations ? { annotations: { ...annotations } } : {}) }, status }
    this.#deployment = await this.context.client.update(deploymentKind, changed, { subresource: 'status' })
  }

  async saveCondition(condition: NewCondition, annotations = this.#deployment.metadata.annotations): Promise<void> {
    const { status } = this.#deployment
    await this.save(statusWith(status, withCondition(status.conditions, condition, this.time)), annotations)
  }

  tell(type: 'Normal' | 'Warning', reason: string, message: string): void {
    this.context.events.event(this.#deployment, type, reason, message)
  }
}
