/** How a workload does, in numbers, a word, and a sentence. */
import type { DaemonSet, Deployment, ReplicaSet, StatefulSet } from '../../../../electron/api/apps/v1/types.gen.ts'
import type { Job } from '../../../../electron/api/batch/v1/types.gen.ts'
import type { Pod } from '../../../../electron/api/core/v1/types.gen.ts'
import { t, type PlainKey } from '../../i18n/index.ts'
import { isOwnedBy } from '../../kube/owners.ts'
import type { Tone } from '../../kube/tone.ts'
import { jobView } from './jobs.ts'

export interface WorkloadView {
  readonly wanted: number
  readonly ready: number
  /** How far its pods have come, each of all that are wanted. */
  readonly progress: readonly { readonly label: PlainKey; readonly n: number }[]
  readonly tone: Tone
  readonly word: string
  /** What the controller says where it is stuck. */
  readonly message: string
}

const rollout = (updated: number, ready: number, available: number): WorkloadView['progress'] => [
  { label: 'column.updated', n: updated },
  { label: 'column.ready', n: ready },
  { label: 'column.available', n: available },
]

interface Condition {
  readonly type: string
  readonly status: string
  readonly reason?: string
  readonly message?: string
}

export function deploymentView(d: Deployment): WorkloadView {
  const wanted = d.spec.replicas ?? 1
  const status = d.status ?? {}
  const { readyReplicas: ready = 0, updatedReplicas: updated = 0, availableReplicas: available = 0 } = status
  const numbers = { wanted, ready, progress: rollout(updated, ready, available) }
  const conditions: readonly Condition[] = status.conditions ?? []
  const stuck = conditions.find(
    (c) => (c.type === 'Progressing' && c.reason === 'ProgressDeadlineExceeded') || (c.type === 'ReplicaFailure' && c.status === 'True'),
  )
  const settled = (status.observedGeneration ?? 0) >= (d.metadata.generation ?? 0)
  const complete = settled && updated >= wanted && (status.replicas ?? 0) <= wanted && available >= wanted
  const message = stuck?.message ?? ''
  if (d.metadata.deletionTimestamp) return { ...numbers, tone: 'busy', word: t('workload.deleting'), message }
  if (stuck) return { ...numbers, tone: 'err', word: t('workload.stuck'), message }
  if (d.spec.paused) return { ...numbers, tone: 'idle', word: t('workload.paused'), message }
  if (wanted === 0 && complete) return { ...numbers, tone: 'idle', word: t('workload.zero'), message }
  if (complete) return { ...numbers, tone: 'ok', word: t('workload.ready'), message }
  const rolling = !settled || updated < wanted || (status.replicas ?? 0) > updated
  return { ...numbers, tone: rolling ? 'busy' : unsettledTone(d), word: t(rolling ? 'workload.rolling' : 'workload.starting'), message }
}

/** Not all ready with nothing to roll out: on its way at first, a warning when the deadline has made it so. */
const unsettledTone = (d: Deployment): Tone =>
  d.status?.conditions?.some((c) => c.type === 'Available' && c.status === 'False' && c.reason === 'MinimumReplicasUnavailable') &&
  d.status.conditions.some((c) => c.type === 'Progressing' && c.reason === 'NewReplicaSetAvailable')
    ? 'warn'
    : 'busy'

export function replicaSetView(s: ReplicaSet): WorkloadView {
  const wanted = s.spec.replicas ?? 1
  const ready = s.status?.readyReplicas ?? 0
  const failure = (s.status?.conditions as readonly Condition[] | undefined)?.find(
    (c) => c.type === 'ReplicaFailure' && c.status === 'True',
  )
  const numbers = {
    wanted,
    ready,
    progress: rollout(s.status?.replicas ?? 0, ready, s.status?.availableReplicas ?? 0),
    message: failure?.message ?? '',
  }
  if (failure) return { ...numbers, tone: 'err', word: t('workload.stuck') }
  if (wanted === 0) return { ...numbers, tone: 'idle', word: t('workload.old') }
  return ready >= wanted
    ? { ...numbers, tone: 'ok', word: t('workload.ready') }
    : { ...numbers, tone: 'busy', word: t('workload.starting') }
}

export function daemonSetView(s: DaemonSet): WorkloadView {
  const { desiredNumberScheduled: wanted, numberReady: ready, numberMisscheduled } = s.status
  const { updatedNumberScheduled: updated = 0, numberAvailable: available = 0 } = s.status
  const numbers = {
    wanted,
    ready,
    progress: rollout(updated, ready, available),
    message: numberMisscheduled ? t('workload.misplaced', { n: numberMisscheduled }) : '',
  }
  if (wanted === 0) return { ...numbers, tone: 'idle', word: t('workload.noMachine') }
  if (updated < wanted && s.spec.updateStrategy?.type !== 'OnDelete') return { ...numbers, tone: 'busy', word: t('workload.rolling') }
  return ready >= wanted
    ? { ...numbers, tone: 'ok', word: t('workload.ready') }
    : { ...numbers, tone: 'busy', word: t('workload.starting') }
}

export function statefulSetView(s: StatefulSet): WorkloadView {
  const wanted = s.spec.replicas ?? 1
  const { readyReplicas: ready = 0, updatedReplicas: updated = 0, availableReplicas: available } = s.status
  const numbers = { wanted, ready, progress: rollout(updated, ready, available), message: '' }
  if (s.metadata.deletionTimestamp) return { ...numbers, tone: 'busy', word: t('workload.deleting') }
  // Pods below the partition, and all of OnDelete, stay as they are.
  const partition = s.spec.updateStrategy?.rollingUpdate?.partition ?? 0
  const toUpdate = s.spec.updateStrategy?.type === 'OnDelete' ? 0 : Math.max(0, wanted - partition)
  const settled = (s.status.observedGeneration ?? 0) >= (s.metadata.generation ?? 0)
  if (!settled || updated < toUpdate) return { ...numbers, tone: 'busy', word: t('workload.rolling') }
  if (wanted === 0) return { ...numbers, tone: 'idle', word: t('workload.zero') }
  return ready >= wanted
    ? { ...numbers, tone: 'ok', word: t('workload.ready') }
    : { ...numbers, tone: 'busy', word: t('workload.starting') }
}

/** The view of a workload of any of these kinds; null for another kind. */
export function workloadView(object: { kind: string }): WorkloadView | null {
  switch (object.kind) {
    case 'Deployment':
      return deploymentView(object as Deployment)
    case 'ReplicaSet':
      return replicaSetView(object as ReplicaSet)
    case 'DaemonSet':
      return daemonSetView(object as DaemonSet)
    case 'StatefulSet':
      return statefulSetView(object as StatefulSet)
    case 'Job':
      return jobView(object as Job)
    default:
      return null
  }
}

/** The pods of a workload: its own, and those of the ReplicaSets that it owns. */
export function podsOf(uid: string, pods: readonly Pod[], sets: readonly ReplicaSet[]): Pod[] {
  const owners = new Set([uid, ...sets.filter((set) => isOwnedBy(set, uid)).map((set) => set.metadata.uid)])
  return pods.filter((pod) => pod.metadata.ownerReferences?.some((owner) => owners.has(owner.uid)))
}
