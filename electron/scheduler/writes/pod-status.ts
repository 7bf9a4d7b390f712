/** What the scheduler writes into pods' status. Source: kubernetes `scheduler/util.PatchPodStatus`, `api/v1/pod.UpdatePodCondition`. */
import { pod as podKind } from '../../api/core/v1/pod.ts'
import type { Pod, PodCondition } from '../../api/core/v1/types.gen.ts'
import { formatTime } from '../../api/values/time.ts'
import type { Clock } from '../../base/clock.ts'
import type { Client } from '../../client/client.ts'
import { findCondition, setCondition } from '../../machinery/conditions.ts'

export interface StatusChange {
  readonly condition?: Pick<PodCondition, 'type' | 'status' | 'reason' | 'message'>
  /** "" takes it away; absent leaves it. */
  readonly nominatedNodeName?: string
}

/** The merge patch; null if the pod is so already. It holds for this pod only, not for a later one of its name. */
export function statusPatch({ metadata, status }: Pod, change: StatusChange, clock: Clock): object | null {
  const { condition, nominatedNodeName } = change
  const body: Record<string, unknown> = {}
  if (condition) {
    const { generation } = metadata
    const wanted = { ...condition, ...(generation === undefined ? {} : { observedGeneration: generation }) }
    const conditions = setCondition<PodCondition>(status.conditions, wanted, formatTime(clock.now()))
    if (conditions !== status.conditions) body['conditions'] = [findCondition(conditions, condition.type)]
  }
  if (nominatedNodeName !== undefined && nominatedNodeName !== (status.nominatedNodeName ?? '')) {
    body['nominatedNodeName'] = nominatedNodeName || null
  }
  return Object.keys(body).length === 0 ? null : { metadata: { uid: metadata.uid }, status: body }
}

/** The pod as it is then; null if it was so already. Throws StatusError, `NotFound` where the pod is gone. */
export async function patchPodStatus(
  client: Client,
  pod: Pod,
  change: StatusChange,
  clock: Clock,
  signal: AbortSignal,
): Promise<Pod | null> {
  const body = statusPatch(pod, change, clock)
  if (!body) return null
  const { name, namespace } = pod.metadata
  return client.patch(podKind, { name, namespace }, { type: 'strategic', body }, { subresource: 'status', signal })
}
