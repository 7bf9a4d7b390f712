/** How a Job or CronJob does, in numbers and a word. */
import type { CronJob, Job } from '../../../../electron/api/batch/v1/types.gen.ts'
import { cronJobState, jobProgress } from '../../../../electron/contracts/lists/workloads.ts'
import { t, tn } from '../../i18n/index.ts'
import type { Tone } from '../../kube/tone.ts'
import type { WorkloadView } from './workload.ts'

export function jobView(job: Job): WorkloadView {
  const { wanted, ready, tone, state, message } = jobProgress(job)
  const word = state === 'complete' || state === 'failed' || state === 'suspended' ? t(`job.${state}`) : t(`workload.${state}`)
  const progress = [
    { label: 'column.done' as const, n: ready },
    { label: 'workload.running' as const, n: job.status.active ?? 0 },
    { label: 'column.failed' as const, n: job.status.failed ?? 0 },
  ]
  return { wanted, ready, tone, word, message, progress }
}

export function cronJobView(job: CronJob): { tone: Tone; word: string } {
  switch (cronJobState(job)) {
    case 'active':
      return { tone: 'busy', word: tn('cronjob.active', job.status.active?.length ?? 0) }
    case 'suspended':
      return { tone: 'idle', word: t('job.suspended') }
    case 'waiting':
      return { tone: 'ok', word: t('cronjob.waiting') }
  }
}
