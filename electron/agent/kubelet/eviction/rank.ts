/** Whom to end when something runs short. Source: kubernetes `kubelet/eviction/helpers.go`. */
import type { Pod } from '../../../api/core/v1/types.gen.ts'
import { podRequests } from '../../../api/core/v1/pod-resources.ts'
import { bytesOf } from '../containers/resources.ts'

export interface Candidate {
  readonly pod: Pod
  /** Bytes of what is short. */
  readonly usage: number
  /** By container. */
  readonly containers: ReadonlyMap<string, number>
}

/** From here on a pod is not ended for the node's sake. */
const SYSTEM_CRITICAL = 2_000_000_000

export function isCritical({ spec }: Pod): boolean {
  return (spec.priority ?? 0) >= SYSTEM_CRITICAL
}

/** First those that use more than they asked for, then the less important, then those that exceed most. */
export function rank(candidates: readonly Candidate[], resource: 'memory' | 'ephemeral-storage'): Candidate[] {
  const over = ({ pod, usage }: Candidate) => usage - bytesOf(podRequests(pod.spec)[resource])
  return candidates
    .filter(({ pod }) => !isCritical(pod))
    .toSorted(
      (a, b) => Number(over(b) > 0) - Number(over(a) > 0) || (a.pod.spec.priority ?? 0) - (b.pod.spec.priority ?? 0) || over(b) - over(a),
    )
}
