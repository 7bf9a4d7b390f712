/** What becomes of a pod that could not be placed or bound. Source: kubernetes `scheduler/schedule_one.go`, `handleSchedulingFailure`. */
import { EVENTS } from '../framework/events.ts'
import { hasReason } from '../../machinery/status.ts'
import type { PodInfo } from '../snapshot/pod-info.ts'
import { hasEnded } from '../snapshot/snapshot.ts'
import type { QueuedPod } from '../queue/queued-pod.ts'
import type { ProfileRuntime, SchedulerCore } from './core.ts'

export interface Failure {
  /** Whether the pod was refused; else a fault stood in its way. */
  readonly refused: boolean
  /** What stood in its way. */
  readonly error?: unknown
  /** As kube-scheduler says it. */
  readonly message: string
  readonly rejectors: ReadonlySet<string>
  readonly pending: ReadonlySet<string>
  /** The node that it was promised; "" takes a promise back; absent leaves it. */
  readonly nominate?: string | undefined
}

/** Has the pod wait for another try, and tells its owner why. A pod that is gone, has ended or is on a node needs neither. */
export function handleFailure(core: SchedulerCore, { events }: ProfileRuntime, queued: QueuedPod, failure: Failure): void {
  const { queue, statuses, ledger, logger } = core
  const { info } = queued
  const live = core.livePod(info.namespace, info.pod.metadata.name)
  if (!live || live.metadata.uid !== info.uid || live.spec.nodeName || hasEnded(live)) {
    queue.done(info.uid)
    ledger.forget(info.uid)
    if (!live || live.metadata.uid !== info.uid) queue.nominator.delete(info.uid)
    return
  }
  const { refused, message, rejectors, pending, nominate } = failure
  // The pod is leaving, or was bound by another: informers are about to tell.
  const isRace = hasReason(failure.error, 'NotFound', 'Conflict')
  if (isRace) logger.debug('scheduling met a newer state of the pod', { pod: info.key, message })
  else if (!refused) logger.warn('scheduling a pod failed', { pod: info.key, message })
  queue.fail(queued, live, rejectors, pending)
  queue.nominator.set(queued.info, nominate)
  events.event(live, 'Warning', 'FailedScheduling', message)
  const reason = refused ? 'Unschedulable' : 'SchedulerError'
  statuses.write(live, {
    condition: { type: 'PodScheduled', status: 'False', reason, message },
    ...(nominate === undefined ? {} : { nominatedNodeName: nominate }),
  })
}

/** What was counted on a node is not any more: others may fit there now. */
export function releaseAssumed(core: SchedulerCore, info: PodInfo): void {
  if (!core.cache.forget(info.uid)) return
  core.queue.move({ event: EVENTS.assignedPodDelete, old: info.pod }, ({ uid }) => uid !== info.uid)
}
