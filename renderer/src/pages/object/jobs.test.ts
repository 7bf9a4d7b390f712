import { describe, expect, it } from 'vitest'
import type { CronJob, Job } from '../../../../electron/api/batch/v1/types.gen.ts'
import type { StatefulSet } from '../../../../electron/api/apps/v1/types.gen.ts'
import { cronJobView, jobView } from './jobs.ts'
import { statefulSetView } from './workload.ts'

const job = (spec: Partial<Job['spec']>, status: Job['status'] = {}) =>
  ({ metadata: { name: 'import' }, spec: { completions: 3, ...spec }, status }) as Job

describe('a job', () => {
  it('is on its way until as many succeeded as are wanted', () => {
    expect(jobView(job({}, { active: 2, succeeded: 1 }))).toMatchObject({ tone: 'busy', word: 'Running', ready: 1, wanted: 3 })
    expect(jobView(job({}, { succeeded: 3, conditions: [{ type: 'Complete', status: 'True' }] }))).toMatchObject({
      tone: 'ok',
      word: 'Complete',
    })
  })

  it('tells why it failed', () => {
    const conditions = [{ type: 'Failed', status: 'True', message: 'Job has reached the specified backoff limit' }]
    expect(jobView(job({}, { failed: 7, conditions }))).toMatchObject({
      tone: 'err',
      message: 'Job has reached the specified backoff limit',
    })
  })

  it('rests while it is suspended, unless it has ended', () => {
    expect(jobView(job({ suspend: true })).tone).toBe('idle')
    expect(jobView(job({ suspend: true }, { conditions: [{ type: 'Failed', status: 'True' }] })).tone).toBe('err')
  })
})

describe('a cron job', () => {
  const cronJob = (spec: Partial<CronJob['spec']>, status: CronJob['status'] = {}) =>
    ({ metadata: { name: 'nightly' }, spec, status }) as CronJob
  it('says how many of its jobs run, even when no more are started', () => {
    expect(cronJobView(cronJob({ suspend: true }, { active: [{}, {}] }))).toEqual({ tone: 'busy', word: '2 running' })
    expect(cronJobView(cronJob({ suspend: true })).tone).toBe('idle')
    expect(cronJobView(cronJob({})).tone).toBe('ok')
  })
})

describe('a stateful set', () => {
  const set = (spec: Partial<StatefulSet['spec']>, status: Partial<StatefulSet['status']>) =>
    ({
      metadata: { name: 'db', generation: 2 },
      spec: { replicas: 3, ...spec },
      status: { replicas: 3, observedGeneration: 2, ...status },
    }) as StatefulSet
  it('is done when all but those below the partition are updated', () => {
    const half = { readyReplicas: 3, updatedReplicas: 1 }
    expect(statefulSetView(set({}, half)).tone).toBe('busy')
    expect(statefulSetView(set({ updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 2 } } }, half)).tone).toBe('ok')
    expect(statefulSetView(set({ updateStrategy: { type: 'OnDelete' } }, half)).tone).toBe('ok')
  })
})
