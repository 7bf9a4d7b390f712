/**
 * Victims are deleted beside the scheduling of other pods; the pod that they make room for is held back meanwhile (KEP-4832).
 * Source: `scheduler/framework/preemption.prepareCandidateAsync`.
 */
import { pod as podKind } from '../../../api/core/v1/pod.ts'
import { isAbort } from '../../../base/async.ts'
import { hasReason } from '../../../machinery/status.ts'
import type { Handle } from '../../framework/descriptor.ts'
import type { PodInfo } from '../../snapshot/pod-info.ts'
import { patchPodStatus } from '../../writes/pod-status.ts'
import type { Candidate } from './ranks.ts'
import { NAME } from './victims.ts'

export class Evictions {
  readonly #handle: Handle
  /** Pods whose victims are being deleted; with the last of them, once its turn has come. */
  readonly #running = new Map<string, PodInfo | null>()

  constructor(handle: Handle) {
    this.#handle = handle
  }

  /** Whether the pod must wait before it is tried again. Once its last victim is on its way out, only the answer is missing. */
  isRunning(uid: string): boolean {
    const last = this.#running.get(uid)
    if (last === undefined) return false
    if (last === null) return true
    const live = this.#handle.livePod(last.namespace, last.pod.metadata.name)
    return live?.metadata.uid === last.uid && !live.metadata.deletionTimestamp
  }

  /** Returns at once. */
  begin(pod: PodInfo, { node, victims }: Candidate): void {
    const leaving = victims.pods.filter(({ terminating }) => !terminating)
    const last = leaving.at(-1)
    if (!last) return
    this.#running.set(pod.uid, null)
    void this.#run(pod, node, leaving.slice(0, -1), last)
  }

  async #run(pod: PodInfo, node: string, others: readonly PodInfo[], last: PodInfo): Promise<void> {
    try {
      await this.#clearNominations(pod, node)
      await Promise.all(others.map((victim) => this.#evict(pod, node, victim)))
      this.#running.set(pod.uid, last)
      await this.#evict(pod, node, last)
      this.#running.delete(pod.uid)
    } catch (error) {
      this.#running.delete(pod.uid)
      if (isAbort(error)) return
      this.#handle.logger.warn('preempting failed', { pod: pod.key, node, error })
      this.#handle.activate(pod.uid)
    }
  }

  /** Pods of lower priority that were promised the node will hardly fit now, and had better look for another. */
  async #clearNominations(pod: PodInfo, node: string): Promise<void> {
    const { nominated, client, clock, signal, logger } = this.#handle
    for (const other of nominated.onNode(node)) {
      if (other.priority >= pod.priority) continue
      const live = this.#handle.livePod(other.namespace, other.pod.metadata.name)
      if (!live) continue
      try {
        await patchPodStatus(client, live, { nominatedNodeName: '' }, clock, signal)
      } catch (error) {
        if (isAbort(error)) throw error
        logger.debug('a nomination was not taken back', { pod: other.key, node, error })
      }
    }
  }

  #evict(pod: PodInfo, node: string, victim: PodInfo): Promise<void> {
    return this.#handle.calls.run(() => this.#evictNow(pod, node, victim))
  }

  async #evictNow(pod: PodInfo, node: string, victim: PodInfo): Promise<void> {
    const { client, clock, events, signal } = this.#handle
    if (!this.#handle.rejectWaiting(victim.uid, NAME, 'preempted')) {
      const { name, namespace } = victim.pod.metadata
      const condition = {
        type: 'DisruptionTarget',
        status: 'True',
        reason: 'PreemptionByScheduler',
        message: `${pod.pod.spec.schedulerName ?? ''}: preempting to accommodate a higher priority pod`,
      }
      try {
        await patchPodStatus(client, victim.pod, { condition }, clock, signal)
        await client.delete(podKind, { name, namespace }, { preconditions: { uid: victim.uid }, signal })
      } catch (error) {
        // It is gone already, or another pod has its name.
        if (hasReason(error, 'NotFound', 'Conflict')) return
        throw error
      }
    }
    events.event(victim.pod, 'Normal', 'Preempted', `Preempted by pod ${pod.uid} on node ${node}`)
  }
}
