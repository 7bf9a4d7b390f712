/**
 * The snapshot as the scheduler keeps it: what informers tell of pods on nodes, and beside it the pods that it has placed itself and
 * that no informer has told of yet. Source: kubernetes `scheduler/backend/cache`, its state machine of pods included.
 */
import type { Pod } from '../../api/core/v1/types.gen.ts'
import type { Clock } from '../../base/clock.ts'
import { PodInfo } from './pod-info.ts'
import type { Snapshot } from './snapshot.ts'

/** A placement of the scheduler's own. */
interface Assumption {
  readonly pod: PodInfo
  /** Null until its binding has ended; then when somebody must ask what became of it, in milliseconds of the monotonic clock. */
  deadline: number | null
}

/** How long after its binding an informer has to tell of a pod. */
const CONFIRM_WITHIN = 30_000

export class SchedulerCache {
  readonly snapshot: Snapshot
  readonly #clock: Clock
  readonly #assumed = new Map<string, Assumption>()

  constructor(snapshot: Snapshot, clock: Clock) {
    this.snapshot = snapshot
    this.#clock = clock
  }

  isAssumed(uid: string): boolean {
    return this.#assumed.has(uid)
  }

  /** Counts the pod on the node from now on. Throws if it is on one already. */
  assume(pod: PodInfo, node: string): void {
    this.snapshot.addPod(pod, node)
    this.#assumed.set(pod.uid, { pod, deadline: null })
  }

  /** The binding was accepted; an informer will tell of it. */
  finishBinding(uid: string): void {
    const assumption = this.#assumed.get(uid)
    if (assumption) assumption.deadline = this.#clock.monotonic() + CONFIRM_WITHIN
  }

  /** Takes an assumption back. False if there is none: an informer has told of the pod meanwhile, or it was deleted. */
  forget(uid: string): boolean {
    if (!this.#assumed.delete(uid)) return false
    this.snapshot.removePod(uid)
    return true
  }

  /** Assumptions whose time is over: ask the API server, then `setPod` or `forget` each. Their time begins anew. */
  overdue(): PodInfo[] {
    const now = this.#clock.monotonic()
    const overdue: PodInfo[] = []
    for (const assumption of this.#assumed.values()) {
      if (assumption.deadline === null || assumption.deadline > now) continue
      assumption.deadline = now + CONFIRM_WITHIN
      overdue.push(assumption.pod)
    }
    return overdue
  }

  /** An informer says that the pod is on the node of its spec. Returns it as it counts now, and as it did before, if it did. */
  setPod(pod: Pod): { now: PodInfo; before: PodInfo | undefined } {
    const { uid } = pod.metadata
    this.#assumed.delete(uid)
    const now = new PodInfo(pod, this.snapshot.podOf(uid))
    const place = pod.spec.nodeName ?? ''
    const before = this.snapshot.renewPod(now, place) ?? this.snapshot.removePod(uid)
    if (this.snapshot.placeOf(uid) === undefined) this.snapshot.addPod(now, place)
    return { now, before }
  }

  /** The pod is gone, or has ended. */
  removePod(uid: string): void {
    this.#assumed.delete(uid)
    this.snapshot.removePod(uid)
  }
}
