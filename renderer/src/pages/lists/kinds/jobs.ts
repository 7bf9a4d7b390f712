/** What runs to its end, now or by a schedule. */
import type { CronJob, Job } from '../../../../../electron/api/batch/v1/types.gen.ts'
import { shortHumanDuration } from '../../../../../electron/api/values/duration.ts'
import { t } from '../../../i18n/index.ts'
import { CRON_JOBS, JOBS } from '../../../kube/resources.ts'
import { wallClock } from '../../../time/clock.ts'
import { cronJobView, jobView } from '../../object/jobs.ts'
import { ageColumn, imagesColumn, nameColumn, namespaceColumn, templateImages } from '../columns.ts'
import { text, type ListDef } from '../list-def.ts'

/** Milliseconds from its start to its end, or to now. */
const ran = ({ status }: Job): number | null =>
  status.startTime ? (status.completionTime ? Date.parse(status.completionTime) : wallClock()) - Date.parse(status.startTime) : null

const jobs: ListDef<Job> = {
  resource: JOBS,
  title: 'nav.jobs',
  icon: 'job',
  columns: ({ trouble }) => [
    nameColumn(JOBS),
    namespaceColumn(),
    {
      id: 'done',
      label: t('column.done'),
      min: 56,
      cell: (job) => text(`${job.status.succeeded ?? 0}/${jobView(job).wanted}`),
    },
    {
      id: 'status',
      label: t('column.status'),
      min: 142,
      cell: (job) => {
        const view = jobView(job)
        const { tone, word, message = '' } = view.tone === 'busy' ? (trouble(job) ?? view) : view
        return { type: 'status', tone, word, title: message }
      },
    },
    {
      id: 'failed',
      label: t('column.failed'),
      min: 52,
      align: 'right',
      drop: 7,
      cell: (job) => text(job.status.failed ?? 0, job.status.failed ? { tone: 'warn' } : { dim: true }),
    },
    {
      id: 'duration',
      label: t('column.duration'),
      min: 64,
      align: 'right',
      drop: 5,
      cell: (job) => (job.status.completionTime ? text(shortHumanDuration(ran(job) ?? 0)) : { type: 'age', time: job.status.startTime }),
    },
    imagesColumn(),
    ageColumn(),
  ],
  chips: [
    { id: 'failed', label: 'list.chip.failed', icon: 'err' },
    { id: 'running', label: 'list.chip.running', icon: 'busy' },
  ],
  actions: ['suspend', 'edit', 'delete'],
  empty: { title: 'list.empty.jobs', text: 'list.empty.jobsText' },
}

const cronJobs: ListDef<CronJob> = {
  resource: CRON_JOBS,
  title: 'nav.cronjobs',
  icon: 'cronjob',
  columns: () => [
    nameColumn(CRON_JOBS),
    namespaceColumn(),
    {
      id: 'schedule',
      label: t('column.schedule'),
      min: 110,
      grow: 0.3,
      cell: ({ spec }) => text(spec.schedule, { mono: true, title: spec.timeZone ?? '' }),
    },
    { id: 'zone', label: t('column.timeZone'), min: 100, drop: 8, optional: true, cell: ({ spec }) => text(spec.timeZone) },
    {
      id: 'status',
      label: t('column.status'),
      min: 120,
      cell: (job) => ({ type: 'status', ...cronJobView(job) }),
    },
    {
      id: 'last',
      label: t('column.lastRun'),
      min: 60,
      align: 'right',
      drop: 5,
      cell: (job) => ({ type: 'age', time: job.status.lastScheduleTime }),
    },
    {
      id: 'success',
      label: t('column.lastSuccess'),
      min: 84,
      align: 'right',
      drop: 6,
      cell: (job) => ({ type: 'age', time: job.status.lastSuccessfulTime }),
    },
    templateImages((job) => job.spec.jobTemplate.spec),
    ageColumn(),
  ],
  chips: [{ id: 'suspended', label: 'list.chip.suspended', icon: 'paused' }],
  actions: ['run', 'suspend', 'edit', 'delete'],
  empty: { title: 'list.empty.cronjobs', text: 'list.empty.cronjobsText' },
}

export const JOB_LISTS = [jobs, cronJobs] as const
