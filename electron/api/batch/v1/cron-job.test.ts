import { describe, expect, it } from 'vitest'
import { container, type Loose } from '../../testing/objects.ts'
import { created, decoded, row, stored, updated } from '../../testing/rules.ts'
import { cronJob } from './cron-job.ts'

const of = (more: Loose = {}, jobSpec: Loose = {}): Loose => ({
  spec: {
    schedule: '*/5 * * * *',
    jobTemplate: { spec: { template: { spec: { containers: [container()], restartPolicy: 'Never' } }, ...jobSpec } },
    ...more,
  },
})

describe('a cron job', () => {
  it('runs jobs side by side and keeps a few, unless it says otherwise', () => {
    expect(decoded(cronJob, of()).spec).toMatchObject({
      concurrencyPolicy: 'Allow',
      suspend: false,
      successfulJobsHistoryLimit: 3,
      failedJobsHistoryLimit: 1,
      jobTemplate: { spec: { template: { spec: { dnsPolicy: 'ClusterFirst' } } } },
    })
  })

  it.each<[what: string, manifest: Loose, errors: string[]]>([
    ['an ordinary one', of({ timeZone: 'Europe/Paris' }), []],
    ['without a schedule', of({ schedule: '' }), ['spec.schedule: Required value']],
    [
      'at no time',
      of({ schedule: '61 * * * *' }),
      ['spec.schedule: Invalid value: "61 * * * *": end of range (61) above maximum (59): 61'],
    ],
    [
      'with a zone in its schedule',
      of({ schedule: 'TZ=UTC 0 0 * * *' }),
      ['spec.schedule: Invalid value: "TZ=UTC 0 0 * * *": cannot use TZ or CRON_TZ in schedule, use timeZone field instead'],
    ],
    ['in no zone', of({ timeZone: '' }), ['spec.timeZone: Invalid value: "": timeZone must be nil or non-empty string']],
    [
      'in the zone of whoever reads it',
      of({ timeZone: 'Local' }),
      ['spec.timeZone: Invalid value: "Local": timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones'],
    ],
    [
      'in a zone that does not exist',
      of({ timeZone: 'Mars/Base' }),
      ['spec.timeZone: Invalid value: "Mars/Base": unknown time zone Mars/Base'],
    ],
    [
      'with words and numbers that cannot be',
      of({ concurrencyPolicy: 'Some', startingDeadlineSeconds: -1, failedJobsHistoryLimit: -1 }),
      [
        'spec.startingDeadlineSeconds: Invalid value: -1: must be greater than or equal to 0',
        'spec.concurrencyPolicy: Unsupported value: "Some": supported values: "Allow", "Forbid", "Replace"',
        'spec.failedJobsHistoryLimit: Invalid value: -1: must be greater than or equal to 0',
      ],
    ],
    [
      'of jobs with a selector of somebody’s own',
      of({}, { selector: { matchLabels: { a: 'b' } }, manualSelector: true }),
      [
        'spec.jobTemplate.spec.selector: Invalid value: {"matchLabels":{"a":"b"}}: `selector` will be auto-generated',
        'spec.jobTemplate.spec.manualSelector: Unsupported value: true: supported values: "nil", "false"',
      ],
    ],
    [
      'with a name too long for its jobs',
      { metadata: { name: 'x'.repeat(53) }, ...of() },
      [`metadata.name: Invalid value: "${'x'.repeat(53)}": must be no more than 52 characters`],
    ],
  ])('%s', (_, manifest, errors) => {
    expect(created(cronJob, manifest).errors).toEqual(errors)
  })

  it('keeps a name from before the limit', () => {
    const old = stored(cronJob, { metadata: { name: 'x'.repeat(60) }, ...of() })
    const outcome = updated(cronJob, old, ({ spec }) => {
      spec.suspend = true
    })
    expect(outcome.errors).toEqual([])
  })

  it('is shown with its schedule', () => {
    const status = { active: [{ name: 'a' }], lastScheduleTime: '2026-01-01T00:55:00Z' }
    expect(row(cronJob, stored(cronJob, { ...of({ suspend: true }), status }))).toMatchObject({
      Schedule: '*/5 * * * *',
      Timezone: '<none>',
      Suspend: 'True',
      Active: 1,
      'Last Schedule': '5m',
      Age: '60m',
      Containers: 'app',
      Selector: '<none>',
    })
    expect(row(cronJob, stored(cronJob, of({ timeZone: 'UTC' })))).toMatchObject({
      Timezone: 'UTC',
      Suspend: 'False',
      'Last Schedule': '<none>',
    })
  })
})
