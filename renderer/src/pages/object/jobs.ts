/** How a Job or CronJob does, in numbers and a word. */
import type { CronJob, Job } from '../../../../electron/api/batch/v1/types.gen.ts'
import { t, tn } from '../../i18n/index.ts'
import type { Tone } from '../../kube/tone.ts'
import type { WorkloadView } from './workload.ts'

export function jobView(job: Job): WorkloadView {
  const { spec, status } = job
  const succeeded = status.succeeded ?? 0
  // A work queue is done with its first success, however many work at it.
  const wanted = spec.completions ?? 1
  const ended = status.conditions?.find((c) => c.status === 'True' && (c.type === 'Complete' || c.type === 'Failed'))
  const numbers = {
    wanted,
    ready: succeeded,
    progress: [
      { label: 'column.done' as const, n: succeeded },
      { label: 'workload.running' as const, n: status.active ?? 0 },
      { label: 'column.failed' as const, n: status.failed ?? 0 },
    ],
    message: ended?.type === 'Failed' ? (ended.message ?? '') : '',
  }
  if (job.metadata.deletionTimestamp) return { ...numbers, tone: 'busy', word: t('workload.deleting') }
  if (ended)
    return { ...numbers, tone: ended.type === 'Failed' ? 'err' : 'ok', word: t(`job.${ended.type === 'Failed' ? 'failed' : 'complete'}`) }
  if (spec.suspend) return { ...numbers, tone: 'idle', word: t('job.suspended') }
  return { ...numbers, tone: 'busy', word: t(status.active ? 'workload.running' : 'workload.starting') }
}

export function cronJobView({ spec, status }: CronJob): { tone: Tone; word: string } {
  const active = status.active?.length ?? 0
  if (active) return { tone: 'busy', word: tn('cronjob.active', active) }
  return spec.suspend ? { tone: 'idle', word: t('job.suspended') } : { tone: 'ok', word: t('cronjob.waiting') }
}
