/** One pod's way from the queue to its place, without a pause. Source: kubernetes `scheduler/schedule_one.go`, `schedulingCycle`. */
import { ADVICE, type Advice } from '../extenders/advice.ts'
import type { Attempt } from '../framework/attempt.ts'
import { Diagnosis } from '../framework/diagnosis.ts'
import { isRejected, messageOfStatus, type Status } from '../framework/status.ts'
import type { QueuedPod } from '../queue/queued-pod.ts'
import type { ProfileRuntime, SchedulerCore } from './core.ts'
import { handleFailure, releaseAssumed, type Failure } from './failures.ts'
import type { NodeSearch } from './node-search.ts'
import { place, type Placement } from './placement.ts'
import { whatIf } from './what-if.ts'

/** A pod that is counted on a node and has to be bound. */
export interface Reservation {
  readonly runtime: ProfileRuntime
  readonly queued: QueuedPod
  readonly attempt: Attempt
  readonly node: string
  /** How long each Permit plugin wants it to wait, in milliseconds. */
  readonly waits: ReadonlyMap<string, number>
}

const NONE: ReadonlySet<string> = new Set()

/** Null: there is nothing to bind, and everything else is done. `advice`: what extenders said of the pod. */
export function schedulePod(core: SchedulerCore, search: NodeSearch, queued: QueuedPod, advice: Advice | null = null): Reservation | null {
  const { cache, queue } = core
  const { pod, uid, key } = queued.info
  const runtime = core.profiles.get(pod.spec.schedulerName ?? '')
  if (!runtime || cache.isAssumed(uid)) {
    queue.done(uid)
    return null
  }
  if (pod.metadata.deletionTimestamp) {
    queue.done(uid)
    core.ledger.forget(uid)
    runtime.events.event(pod, 'Warning', 'FailedScheduling', `skip schedule deleting pod: ${key}`)
    return null
  }
  const attempt = runtime.framework.begin(cache.snapshot)
  if (advice) attempt.state.write(ADVICE, advice)
  const placement: Placement = advice?.fault
    ? { type: 'fault', status: advice.fault }
    : place(runtime.framework, attempt, queued.info, search, core.random)
  if (placement.type === 'placed') return reserve(core, runtime, queued, attempt, placement)
  const failure = failureOf(runtime, attempt, queued, placement)
  const nodes = cache.snapshot.nodes.length
  core.ledger.refused(queued, { nodes, message: failure.message, ...(placement.type === 'unfit' ? placement : {}) })
  handleFailure(core, runtime, queued, failure)
  return null
}

function failureOf(
  { framework }: ProfileRuntime,
  attempt: Attempt,
  queued: QueuedPod,
  placement: Exclude<Placement, { type: 'placed' }>,
): Failure {
  // The first node will do for all that plugins know; without rejectors the pod would be tried again and again.
  if (placement.type === 'no nodes') {
    return { refused: true, message: messageOfStatus(placement.status), rejectors: new Set(framework.filterNames), pending: NONE }
  }
  if (placement.type === 'fault') return faultOf(placement.status)
  const { diagnosis } = placement
  const answer = framework.postFilter(whatIf(attempt), queued.info, diagnosis.statuses)
  if (answer?.status) diagnosis.postFilterMessage = messageOfStatus(answer.status)
  return { ...refusalOf(diagnosis, attempt.snapshot.nodes.length), nominate: answer?.nominate }
}

function reserve(
  core: SchedulerCore,
  runtime: ProfileRuntime,
  queued: QueuedPod,
  attempt: Attempt,
  { node, scores }: Extract<Placement, { type: 'placed' }>,
): Reservation | null {
  const { framework } = runtime
  const { info } = queued
  core.cache.assume(info, node)
  core.queue.nominator.delete(info.uid)
  core.ledger.placed(queued, node, scores)
  const refusal = framework.reserve(attempt, info, node)
  const { status, waits } = refusal ? { status: refusal, waits: new Map<string, number>() } : framework.permit(attempt, info, node)
  if (!status) return { runtime, queued, attempt, node, waits }
  giveUp(core, { runtime, queued, attempt, node, waits }, status)
  return null
}

/** Takes a reservation back, and has the pod wait for another try. */
export function giveUp(core: SchedulerCore, { runtime, queued, attempt, node }: Reservation, status: Status): void {
  runtime.framework.unreserve(attempt, queued.info, node)
  releaseAssumed(core, queued.info)
  let failure = faultOf(status)
  if (isRejected(status)) {
    const diagnosis = new Diagnosis()
    diagnosis.statuses.set(node, status)
    diagnosis.blame(status)
    failure = refusalOf(diagnosis, 1)
  }
  core.ledger.failed(queued, failure.message)
  handleFailure(core, runtime, queued, failure)
}

function faultOf(status: Status): Failure {
  return { refused: false, error: status.error, message: messageOfStatus(status), rejectors: NONE, pending: NONE }
}

function refusalOf(diagnosis: Diagnosis, nodes: number): Failure {
  const { rejectors, pending } = diagnosis
  return { refused: true, message: diagnosis.message(nodes), rejectors, pending }
}
