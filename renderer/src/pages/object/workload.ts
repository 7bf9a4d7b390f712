/** How a workload does, in numbers, a word, and a sentence. */
import type { DaemonSet, Deployment, ReplicaSet, StatefulSet } from '../../../../electron/api/apps/v1/types.gen.ts'
import type { Job } from '../../../../electron/api/batch/v1/types.gen.ts'
import {
  daemonSetProgress,
  deploymentProgress,
  replicaSetProgress,
  statefulSetProgress,
  type Progress,
} from '../../../../electron/contracts/lists/workloads.ts'
import { t, type PlainKey } from '../../i18n/index.ts'
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
const worded = ({ wanted, ready, tone, state, message }: Progress, progress: WorkloadView['progress']): WorkloadView => ({
  ...{ wanted, ready, tone, message, progress },
  word: t(`workload.${state}`),
})

export function deploymentView(d: Deployment): WorkloadView {
  const { readyReplicas = 0, updatedReplicas = 0, availableReplicas = 0 } = d.status ?? {}
  return worded(deploymentProgress(d), rollout(updatedReplicas, readyReplicas, availableReplicas))
}

export function replicaSetView(s: ReplicaSet): WorkloadView {
  const progress = replicaSetProgress(s)
  return worded(progress, rollout(s.status?.replicas ?? 0, progress.ready, s.status?.availableReplicas ?? 0))
}

export function daemonSetView(s: DaemonSet): WorkloadView {
  const { updatedNumberScheduled = 0, numberReady, numberAvailable = 0, numberMisscheduled: n } = s.status
  const view = worded(daemonSetProgress(s), rollout(updatedNumberScheduled, numberReady, numberAvailable))
  return n ? { ...view, message: t('workload.misplaced', { n }) } : view
}

export function statefulSetView(s: StatefulSet): WorkloadView {
  const { readyReplicas = 0, updatedReplicas = 0, availableReplicas } = s.status
  return worded(statefulSetProgress(s), rollout(updatedReplicas, readyReplicas, availableReplicas))
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
