/** Answers PlacementReviews (`infra.flotilla.dev`) from the scheduler that runs in this plane. */
import { groupResource } from '../api/kind.ts'
import { pod as podKind } from '../api/core/v1/pod.ts'
import { placementReview } from '../api/infra/v1alpha1/placement-review.ts'
import type { PlacementReview, PlacementReviewStatus } from '../api/infra/v1alpha1/placement.ts'
import type { Responder } from '../apiserver/types.ts'
import type { Client } from '../client/client.ts'
import { unavailable } from '../machinery/status.ts'
import { placementStatus } from '../scheduler/explain/placement-status.ts'
import type { Scheduler } from '../scheduler/scheduler.ts'

export class Placements {
  #scheduler: Scheduler | null = null

  /** From now on this one is asked. */
  from(scheduler: Scheduler): void {
    this.#scheduler = scheduler
  }

  /** For the API server. `client` reads the pods that the scheduler has nothing to say of. */
  responders(client: () => Client): Readonly<Record<string, Responder>> {
    return {
      [groupResource(placementReview)]: async (object, { namespace }) => {
        const review = object as PlacementReview
        return { ...review, status: await this.#answer(client(), namespace, review.spec) }
      },
    }
  }

  async #answer(client: Client, namespace: string, { podName, limit }: PlacementReview['spec']): Promise<PlacementReviewStatus> {
    const scheduler = this.#scheduler
    if (scheduler?.state !== 'ready') throw unavailable('the scheduler does not run here yet; another control plane may have its lease', 1)
    const explanation = scheduler.explain(namespace, podName)
    if (explanation) return placementStatus(explanation, limit)
    const { spec, status } = await client.get(podKind, { namespace, name: podName })
    if (spec.nodeName) return { nodeName: spec.nodeName, message: `the pod is on ${spec.nodeName}` }
    if (status.phase === 'Succeeded' || status.phase === 'Failed') return { message: 'the pod has ended' }
    return { message: `the pod is for the scheduler ${spec.schedulerName ?? ''}, which is not this one, or it was made a moment ago` }
  }
}
