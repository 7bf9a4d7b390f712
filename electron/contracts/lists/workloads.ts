/** How workloads do: numbers, a tone, and which of a few states. */
import type { DaemonSet, Deployment, ReplicaSet, StatefulSet } from '../../api/apps/v1/types.gen.ts'
import type { CronJob, Job } from '../../api/batch/v1/types.gen.ts'
import type { Tone } from './tone.ts'

export type WorkloadState = 'deleting' | 'stuck' | 'paused' | 'zero' | 'ready' | 'rolling' | 'starting' | 'old' | 'noMachine' | 'running'
export type JobState = 'complete' | 'failed' | 'suspended'

export interface Progress<State extends string = WorkloadState> {
  readonly wanted: number
  readonly ready: number
  readonly tone: Tone
  readonly state: State
  /** What the controller says where it is stuck. */
  readonly message: string
}

interface Condition {
  readonly type: string
  readonly status: string
  readonly reason?: string
  readonly message?: string
}

export function deploymentProgress(d: Deployment): Progress {
  const wanted = d.spec.replicas ?? 1
  const status = d.status ?? {}
  const { readyReplicas: ready = 0, updatedReplicas: updated = 0, availableReplicas: available = 0 } = status
  const conditions: readonly Condition[] = status.conditions ?? []
  const stuck = conditions.find(
    (c) => (c.type === 'Progressing' && c.reason === 'ProgressDeadlineExceeded') || (c.type === 'ReplicaFailure' && c.status === 'True'),
  )
  const settled = (status.observedGeneration ?? 0) >= (d.metadata.generation ?? 0)
  const complete = settled && updated >= wanted && (status.replicas ?? 0) <= wanted && available >= wanted
  const numbers = { wanted, ready, message: stuck?.message ?? '' }
  if (d.metadata.deletionTimestamp) return { ...numbers, tone: 'busy', state: 'deleting' }
  if (stuck) return { ...numbers, tone: 'err', state: 'stuck' }
  if (d.spec.paused) return { ...numbers, tone: 'idle', state: 'paused' }
  if (wanted === 0 && complete) return { ...numbers, tone: 'idle', state: 'zero' }
  if (complete) return { ...numbers, tone: 'ok', state: 'ready' }
  const rolling = !settled || updated < wanted || (status.replicas ?? 0) > updated
  return { ...numbers, tone: rolling ? 'busy' : unsettledTone(conditions), state: rolling ? 'rolling' : 'starting' }
}

/** Not all ready with nothing to roll out: on its way at first, a warning when the deadline has made it so. */
const unsettledTone = (conditions: readonly Condition[]): Tone =>
  conditions.some((c) => c.type === 'Available' && c.status === 'False' && c.reason === 'MinimumReplicasUnavailable') &&
  conditions.some((c) => c.type === 'Progressing' && c.reason === 'NewReplicaSetAvailable')
    ? 'warn'
    : 'busy'

export function replicaSetProgress(s: ReplicaSet): Progress {
  const wanted = s.spec.replicas ?? 1
  const ready = s.status?.readyReplicas ?? 0
  const conditions: readonly Condition[] = s.status?.conditions ?? []
  const failure = conditions.find((c) => c.type === 'ReplicaFailure' && c.status === 'True')
  const numbers = { wanted, ready, message: failure?.message ?? '' }
  if (failure) return { ...numbers, tone: 'err', state: 'stuck' }
  if (wanted === 0) return { ...numbers, tone: 'idle', state: 'old' }
  return settledAt(numbers)
}

export function daemonSetProgress(s: DaemonSet): Progress {
  const { desiredNumberScheduled: wanted, numberReady: ready, updatedNumberScheduled: updated = 0 } = s.status
  const numbers = { wanted, ready, message: '' }
  if (wanted === 0) return { ...numbers, tone: 'idle', state: 'noMachine' }
  if (updated < wanted && s.spec.updateStrategy?.type !== 'OnDelete') return { ...numbers, tone: 'busy', state: 'rolling' }
  return settledAt(numbers)
}

export function statefulSetProgress(s: StatefulSet): Progress {
  const wanted = s.spec.replicas ?? 1
  const { readyReplicas: ready = 0, updatedReplicas: updated = 0 } = s.status
  const numbers = { wanted, ready, message: '' }
  if (s.metadata.deletionTimestamp) return { ...numbers, tone: 'busy', state: 'deleting' }
  // Pods below the partition, and all of OnDelete, stay as they are.
  const partition = s.spec.updateStrategy?.rollingUpdate?.partition ?? 0
  const toUpdate = s.spec.updateStrategy?.type === 'OnDelete' ? 0 : Math.max(0, wanted - partition)
  const settled = (s.status.observedGeneration ?? 0) >= (s.metadata.generation ?? 0)
  if (!settled || updated < toUpdate) return { ...numbers, tone: 'busy', state: 'rolling' }
  if (wanted === 0) return { ...numbers, tone: 'idle', state: 'zero' }
  return settledAt(numbers)
}

const settledAt = (numbers: { wanted: number; ready: number; message: string }): Progress =>
  numbers.ready >= numbers.wanted ? { ...numbers, tone: 'ok', state: 'ready' } : { ...numbers, tone: 'busy', state: 'starting' }

export function jobProgress({ metadata, spec, status }: Job): Progress<JobState | WorkloadState> {
  const ended = status.conditions?.find((c) => c.status === 'True' && (c.type === 'Complete' || c.type === 'Failed'))
  const numbers = {
    // A work queue is done with its first success, however many work at it.
    wanted: spec.completions ?? 1,
    ready: status.succeeded ?? 0,
    message: ended?.type === 'Failed' ? (ended.message ?? '') : '',
  }
  if (metadata.deletionTimestamp) return { ...numbers, tone: 'busy', state: 'deleting' }
  if (ended?.type === 'Failed') return { ...numbers, tone: 'err', state: 'failed' }
  if (ended) return { ...numbers, tone: 'ok', state: 'complete' }
  if (spec.suspend) return { ...numbers, tone: 'idle', state: 'suspended' }
  return { ...numbers, tone: 'busy', state: status.active ? 'running' : 'starting' }
}

export type CronJobState = 'active' | 'suspended' | 'waiting'
export function cronJobState({ spec, status }: CronJob): CronJobState {
  if (status.active?.length) return 'active'
  return spec.suspend ? 'suspended' : 'waiting'
}
