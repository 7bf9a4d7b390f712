import { ageColumn, templateColumns } from '../../columns.ts'
import { defineKind } from '../../kind.ts'
import { selectorText } from '../../meta/v1/label-selector.ts'
import { nonNegative } from '../../meta/v1/validation.ts'
import { invalid, notSupported, required, type FieldError } from '../../values/field-error.ts'
import { age } from '../../values/time.ts'
import { defaultPodTemplate } from '../../core/v1/pod-spec/defaults.ts'
import { templateWarnings } from '../../core/v1/pod-spec/warnings.ts'
import { isTimeZone, scheduleFault } from './cron-schedule.ts'
import { defaultFailurePolicy } from './job.ts'
import { validateJobSpec } from './job-validation.ts'
import type { CronJob, CronJobSpec } from './types.gen.ts'

const POLICIES = ['Allow', 'Forbid', 'Replace']
/** A job's name has eleven characters more, and must be a label. */
const MAX_NAME = 52

export const cronJob = defineKind<CronJob>({
  group: 'batch',
  version: 'v1',
  kind: 'CronJob',
  resource: 'cronjobs',
  shortNames: ['cj'],
  categories: ['all'],
  namespaced: true,
  model: 'io.k8s.api.batch.v1.CronJob',
  subresources: { status: true },
  columns: [
    { name: 'Schedule', type: 'string', description: 'When it runs', value: ({ spec }) => spec.schedule },
    { name: 'Timezone', type: 'string', description: 'Time zone of the schedule', value: ({ spec }) => spec.timeZone ?? '<none>' },
    { name: 'Suspend', type: 'boolean', description: 'Whether it is held', value: ({ spec }) => goBoolean(spec.suspend) },
    { name: 'Active', type: 'integer', description: 'Jobs that run', value: ({ status }) => status.active?.length ?? 0 },
    {
      name: 'Last Schedule',
      type: 'string',
      description: 'How long ago it last ran',
      value: ({ status }, now) => (status.lastScheduleTime ? age(status.lastScheduleTime, now) : '<none>'),
    },
    ageColumn,
    ...templateColumns<CronJob>(({ spec }) => spec.jobTemplate.spec.template.spec.containers),
    {
      name: 'Selector',
      type: 'string',
      priority: 1,
      description: 'Labels of its pods',
      value: ({ spec }) => selectorText(spec.jobTemplate.spec.selector),
    },
  ],
  strategy: {
    defaults({ spec }) {
      spec.concurrencyPolicy ??= 'Allow'
      spec.suspend ??= false
      spec.successfulJobsHistoryLimit ??= 3
      spec.failedJobsHistoryLimit ??= 1
      defaultFailurePolicy(spec.jobTemplate.spec)
      defaultPodTemplate(spec.jobTemplate.spec.template)
    },
    // Only what is stored has a version: a name from before the limit stays.
    validate: ({ metadata, spec }) => [
      ...validateSpec(spec),
      ...(metadata.resourceVersion || metadata.name.length <= MAX_NAME
        ? []
        : [invalid('metadata.name', metadata.name, `must be no more than ${MAX_NAME} characters`)]),
    ],
    warnings: (object, old) => templateWarnings(object, old, object.spec.jobTemplate.spec.template, 'spec.jobTemplate.spec.template'),
  },
})

/** As tables show a flag that may be absent. */
const goBoolean = (value: boolean | undefined) => (value === undefined ? '<unset>' : value ? 'True' : 'False')

function validateSpec(spec: CronJobSpec): FieldError[] {
  const { schedule, timeZone, concurrencyPolicy: policy, jobTemplate } = spec
  const out = schedule ? validateSchedule(schedule) : [required('spec.schedule')]
  out.push(...nonNegative('spec.startingDeadlineSeconds', spec.startingDeadlineSeconds))
  if (timeZone !== undefined) out.push(...validateTimeZone(timeZone, 'spec.timeZone'))
  if (!policy) out.push(required('spec.concurrencyPolicy'))
  else if (!POLICIES.includes(policy)) out.push(notSupported('spec.concurrencyPolicy', policy, POLICIES))
  const at = 'spec.jobTemplate.spec'
  out.push(...validateJobSpec(jobTemplate.spec, at))
  if (jobTemplate.spec.selector) out.push(invalid(`${at}.selector`, jobTemplate.spec.selector, '`selector` will be auto-generated'))
  if (jobTemplate.spec.manualSelector) out.push(notSupported(`${at}.manualSelector`, true, ['nil', 'false']))
  return [
    ...out,
    ...nonNegative('spec.successfulJobsHistoryLimit', spec.successfulJobsHistoryLimit),
    ...nonNegative('spec.failedJobsHistoryLimit', spec.failedJobsHistoryLimit),
  ]
}

function validateSchedule(schedule: string): FieldError[] {
  const fault = scheduleFault(schedule)
  return [
    ...(fault ? [invalid('spec.schedule', schedule, fault)] : []),
    ...(schedule.includes('TZ')
      ? [invalid('spec.schedule', schedule, 'cannot use TZ or CRON_TZ in schedule, use timeZone field instead')]
      : []),
  ]
}

function validateTimeZone(zone: string, field: string): FieldError[] {
  if (!zone) return [invalid(field, zone, 'timeZone must be nil or non-empty string')]
  if (zone.toLowerCase() === 'local') {
    return [invalid(field, zone, 'timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones')]
  }
  return isTimeZone(zone) ? [] : [invalid(field, zone, `unknown time zone ${zone}`)]
}
