/** What a pod's status says to who counts pods. Source: kubernetes `api/v1/pod`. */
import type { Pod, PodCondition } from '../../api/core/v1/types.gen.ts'
import { findCondition } from '../../machinery/conditions.ts'

/** It has ended for good. */
export function isPodTerminal({ status }: Pod): boolean {
  return status.phase === 'Succeeded' || status.phase === 'Failed'
}

/** It counts: neither ended nor asked to end. */
export function isPodActive(pod: Pod): boolean {
  return !isPodTerminal(pod) && pod.metadata.deletionTimestamp === undefined
}

/** It was asked to end and has not ended. */
export function isPodTerminating(pod: Pod): boolean {
  return !isPodTerminal(pod) && pod.metadata.deletionTimestamp !== undefined
}

export function readyCondition({ status }: Pod): PodCondition | undefined {
  return findCondition(status.conditions, 'Ready')
}

export function isPodReady(pod: Pod): boolean {
  return readyCondition(pod)?.status === 'True'
}

/** Ready for at least so many seconds at `now` (milliseconds since the epoch). */
export function isPodAvailable(pod: Pod, minReadySeconds: number, now: number): boolean {
  return untilAvailable(pod, minReadySeconds, now) === 0
}

/** Milliseconds until a ready pod is available; 0 if it is, null if it is not ready. */
export function untilAvailable(pod: Pod, minReadySeconds: number, now: number): number | null {
  const ready = readyCondition(pod)
  if (ready?.status !== 'True') return null
  if (minReadySeconds === 0) return 0
  const since = Date.parse(ready.lastTransitionTime ?? '')
  return Number.isNaN(since) ? null : Math.max(0, since + minReadySeconds * 1000 - now)
}

/** The shortest time in milliseconds until one of the pods becomes available by the mere passing of time; null if none does. */
export function nextAvailable(pods: readonly Pod[], minReadySeconds: number, now: number): number | null {
  let next: number | null = null
  for (const pod of pods) {
    const wait = untilAvailable(pod, minReadySeconds, now)
    if (wait !== null && wait > 0 && (next === null || wait < next)) next = wait
  }
  return next
}
