import { describe, expect, it } from 'vitest'
import { cronJob as cronJobKind } from '../../api/batch/v1/cron-job.ts'
import { job as jobKind } from '../../api/batch/v1/job.ts'
import type { CronJob, Job } from '../../api/batch/v1/types.gen.ts'
import type { Draft } from '../../api/meta/v1/object.ts'
import { formatTime } from '../../api/values/time.ts'
import { controllerOf } from '../../machinery/object.ts'
import { NAMESPACE, startCluster, type ClusterOptions, type TestCluster } from '../testing/cluster.ts'
import { cronJobOf } from '../testing/objects.ts'

const only = ['cronjob-controller']
const MINUTE = 60_000
const at = { namespace: NAMESPACE, name: 'timed' }
const start = (options: Partial<ClusterOptions> = {}) => startCluster({ only, ...options })

const create = async (cluster: TestCluster, spec: Draft<CronJob['spec']> = {}) => {
  const made = await cluster.client.create(cronJobKind, cronJobOf('timed', spec))
  await cluster.quiet()
  return made
}
const change = async (cluster: TestCluster, spec: Draft<CronJob['spec']>) => {
  await cluster.client.patch(cronJobKind, at, { type: 'merge', body: { spec } })
  await cluster.quiet()
}
const jobsOf = async ({ client }: TestCluster): Promise<readonly Job[]> => (await client.list(jobKind, { namespace: NAMESPACE })).items
const names = async (cluster: TestCluster) => (await jobsOf(cluster)).map(({ metadata }) => metadata.name).sort()
const statusOf = async ({ client }: TestCluster) => (await client.get(cronJobKind, at)).status
const active = async (cluster: TestCluster) => ((await statusOf(cluster)).active ?? []).map(({ name }) => name)
const end = async (cluster: TestCluster, { metadata }: Job, type: 'Complete' | 'Failed') => {
  const time = formatTime(cluster.clock.now())
  const condition = { type, status: 'True', lastTransitionTime: time }
  const body = { status: { startTime: time, conditions: [condition], ...(type === 'Complete' ? { completionTime: time } : {}) } }
  await cluster.client.patch(jobKind, metadata, { type: 'merge', body }, { subresource: 'status' })
  await cluster.quiet()
}

describe('the CronJob controller', () => {
  it('starts a job at each time of its schedule, named by the time, and keeps account of those that run', async () => {
    await using cluster = await start()
    await create(cluster, { jobTemplate: { metadata: { labels: { team: 'a' } }, spec: cronJobOf('x').spec?.jobTemplate?.spec ?? {} } })
    await cluster.advance(30_000)
    expect(await names(cluster)).toEqual([])
    await cluster.advance(31_000)
    const [job] = await jobsOf(cluster)
    const minute = Math.floor(cluster.clock.now() / MINUTE)
    expect(job?.metadata).toMatchObject({ name: `timed-${minute}`, labels: { team: 'a' } })
    expect(job?.metadata.annotations).toEqual({ 'batch.kubernetes.io/cronjob-scheduled-timestamp': formatTime(minute * MINUTE) })
    expect(job && controllerOf(job)).toMatchObject({ kind: 'CronJob', name: 'timed', blockOwnerDeletion: true })
    expect(await statusOf(cluster)).toMatchObject({
      lastScheduleTime: formatTime(minute * MINUTE),
      active: [{ kind: 'Job', apiVersion: 'batch/v1', name: `timed-${minute}`, namespace: NAMESPACE, uid: job?.metadata.uid }],
    })
    await cluster.advance(MINUTE)
    expect(await active(cluster)).toEqual([`timed-${minute}`, `timed-${minute + 1}`])
    if (job) await end(cluster, job, 'Complete')
    expect(await active(cluster)).toEqual([`timed-${minute + 1}`])
    expect((await statusOf(cluster)).lastSuccessfulTime).toBe(formatTime(cluster.clock.now()))
    const events = await cluster.events('timed')
    expect(events).toContain(`SuccessfulCreate: Created job timed-${minute}`)
    expect(events).toContain(`SawCompletedJob: Saw completed job: timed-${minute}, condition: Complete`)
    expect(events.filter((text) => text.startsWith('UnexpectedJob'))).toEqual([])
    expect(cluster.complaints).toEqual([])
  })

  it('goes by its time zone', async () => {
    await using cluster = await start()
    const { clock } = cluster
    // The day of the test begins at midnight in UTC: half past five in Kolkata.
    expect(new Date(clock.now()).getUTCHours()).toBe(0)
    await create(cluster, { schedule: '45 5 * * *', timeZone: 'Asia/Kolkata' })
    await cluster.advance(14 * MINUTE)
    expect(await names(cluster)).toEqual([])
    await cluster.advance(1.1 * MINUTE)
    const [job] = await jobsOf(cluster)
    expect(job?.metadata.annotations?.['batch.kubernetes.io/cronjob-scheduled-timestamp']).toMatch(/T05:45:00\+05:30$/)
  })

  it('starts no second job beside one that runs where it must not, but makes up for it afterwards', async () => {
    await using cluster = await start()
    await create(cluster, { concurrencyPolicy: 'Forbid' })
    await cluster.advance(1.1 * MINUTE)
    const [job] = await jobsOf(cluster)
    await cluster.advance(3 * MINUTE)
    expect(await names(cluster)).toEqual([job?.metadata.name])
    expect((await cluster.events('timed')).some((text) => text.startsWith('JobAlreadyActive'))).toBe(true)
    if (job) await end(cluster, job, 'Complete')
    expect(await names(cluster)).toHaveLength(2)
    expect(await active(cluster)).toEqual([`timed-${Math.floor(cluster.clock.now() / MINUTE)}`])
  })

  it('puts a new job in the place of the one that runs, where it says so', async () => {
    await using cluster = await start()
    await create(cluster, { concurrencyPolicy: 'Replace' })
    await cluster.advance(1.1 * MINUTE)
    const [first] = await names(cluster)
    await cluster.advance(MINUTE)
    const [second, ...more] = await names(cluster)
    expect(more).toEqual([])
    expect(second).not.toBe(first)
    expect(await active(cluster)).toEqual([second])
    expect(await cluster.events('timed')).toContain(`SuccessfulDelete: Deleted job ${first}`)
  })

  it('starts one job for all runs that were missed, and none that is too late', async () => {
    await using cluster = await start()
    await create(cluster, { suspend: true })
    await cluster.advance(5.5 * MINUTE)
    expect(await names(cluster)).toEqual([])
    await change(cluster, { suspend: false })
    expect(await names(cluster)).toEqual([`timed-${Math.floor(cluster.clock.now() / MINUTE)}`])
    await change(cluster, { suspend: true, startingDeadlineSeconds: 20 })
    await cluster.advance(5 * MINUTE)
    await change(cluster, { suspend: false })
    expect(await names(cluster)).toHaveLength(1)
    await cluster.advance(0.6 * MINUTE)
    expect(await names(cluster)).toHaveLength(2)
  })

  it('does not make up for runs that a new schedule would have had before', async () => {
    await using cluster = await start()
    await create(cluster, { schedule: '0 12 * * *' })
    await cluster.advance(10 * MINUTE)
    await change(cluster, { schedule: '5 * * * *' })
    expect(await names(cluster)).toEqual([])
    await cluster.advance(56 * MINUTE)
    expect(await names(cluster)).toHaveLength(1)
  })

  it('keeps the last jobs of each ending', async () => {
    await using cluster = await start()
    await create(cluster, { successfulJobsHistoryLimit: 2, failedJobsHistoryLimit: 1 })
    const kept: { Complete: string[]; Failed: string[] } = { Complete: [], Failed: [] }
    for (let i = 0; i < 7; i++) {
      await cluster.advance(1.02 * MINUTE)
      const ending = i % 2 ? 'Failed' : 'Complete'
      const running = (await jobsOf(cluster)).filter(({ status }) => !status.conditions)
      for (const job of running) {
        kept[ending].push(job.metadata.name)
        await end(cluster, job, ending)
      }
    }
    expect(await names(cluster)).toEqual([...kept.Complete.slice(-2), ...kept.Failed.slice(-1)].sort())
  })

  it('notices that a job went missing, and one that it did not create', async () => {
    await using cluster = await start()
    const made = await create(cluster, { schedule: '0 0 1 1 *' })
    const { apiVersion, kind, metadata } = made
    const owner = { apiVersion, kind, name: metadata.name, uid: metadata.uid, controller: true }
    const spec = cronJobOf('x').spec?.jobTemplate?.spec ?? {}
    await cluster.client.create(jobKind, { metadata: { name: 'manual', namespace: NAMESPACE, ownerReferences: [owner] }, spec })
    await cluster.client.patch(
      cronJobKind,
      at,
      { type: 'merge', body: { status: { active: [{ kind: 'Job', name: 'gone', namespace: NAMESPACE, uid: 'x' }] } } },
      { subresource: 'status' },
    )
    await cluster.quiet()
    const events = await cluster.events('timed')
    expect(events).toContain('UnexpectedJob: Saw a job that the controller did not create or forgot: manual')
    expect(events).toContain('MissingJob: Active job went missing: gone')
    expect(await active(cluster)).toEqual([])
  })
})
