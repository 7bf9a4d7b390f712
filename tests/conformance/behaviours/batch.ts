/** Job and CronJob, as far as no pod must run. */
import assert from 'node:assert/strict'
import { cronJob, job, pod } from '../../../electron/api/kinds.gen.ts'
import type { CronJob, CronJobSpec, Job, JobSpec } from '../../../electron/api/batch/v1/types.gen.ts'
import type { Draft } from '../../../electron/api/meta/v1/object.ts'
import { eventually, type BehaviourContext, type Behaviours } from '../lib/behaviour.ts'
import { podSpec } from '../lib/objects.ts'
import { assertHas, mark, uids, untilGone, updateObject, wholeApi } from '../lib/whole-api.ts'

const EVERY_MINUTE = '*/1 * * * ?'
const FIVE_MINUTES = 5 * 60_000

const jobSpec = (more: Draft<JobSpec> = {}): Draft<JobSpec> => ({
  parallelism: 2,
  completions: 4,
  backoffLimit: 6,
  template: { spec: podSpec({ restartPolicy: 'Never' }) },
  ...more,
})

const cronJobSpec = (more: Draft<CronJobSpec> = {}): Draft<CronJobSpec> => ({
  schedule: EVERY_MINUTE,
  concurrencyPolicy: 'Allow',
  // Pods stay pending, so that a job lasts as long as anybody looks.
  jobTemplate: { spec: jobSpec({ parallelism: 1, completions: 1 }) },
  ...more,
})

const createJob = async ({ client, namespace }: BehaviourContext, more: Draft<JobSpec> = {}) =>
  client.create(job, { metadata: { name: 'work', namespace }, spec: jobSpec(more) })

const createCronJob = ({ client, namespace }: BehaviourContext, more: Draft<CronJobSpec>) =>
  client.create(cronJob, { metadata: { name: 'timed', namespace }, spec: cronJobSpec(more) })

const podsOf = async ({ client, namespace }: BehaviourContext, { metadata }: Job) =>
  (await client.list(pod, { namespace, labelSelector: `batch.kubernetes.io/controller-uid=${metadata.uid}` })).items

const isOwner = (owner: Job | CronJob) => (object: { metadata: { ownerReferences?: { uid: string }[] } }) =>
  (object.metadata.ownerReferences ?? []).some(({ uid }) => uid === owner.metadata.uid)

async function twoPods(context: BehaviourContext, of: Job): Promise<void> {
  await eventually(context.signal, 'two pods', async () => (await podsOf(context, of)).length === 2)
}

/** The cron job's jobs that are not finished, which are also those of its status. */
async function activeJobs({ client, namespace }: BehaviourContext, of: CronJob): Promise<{ listed: string[]; inStatus: string[] }> {
  const { active = [] } = (await client.get(cronJob, of.metadata)).status
  const { items } = await client.list(job, { namespace })
  const running = items.filter(({ metadata, status }) => !metadata.deletionTimestamp && !status.completionTime)
  return { listed: uids(running.filter(isOwner(of))), inStatus: active.map(({ uid }) => uid ?? '') }
}

/** Waits for so many, which a list and the status agree upon. */
async function untilActive(context: BehaviourContext, of: CronJob, count: (n: number) => boolean): Promise<string[]> {
  return eventually(context.signal, 'active jobs', async () => {
    const { listed, inStatus } = await activeJobs(context, of)
    assert.deepEqual(new Set(inStatus), new Set(listed))
    return count(listed.length) ? listed : null
  })
}

const wait = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds))

export const behaviours: Behaviours = {
  async 'job-lifecycle'(context) {
    const { client, namespace, signal } = context
    const { labels, selector } = mark(context)
    const made = await createJob(context, { suspend: true })
    const at = made.metadata
    await client.patch(job, at, { type: 'strategic', body: { metadata: { labels } } })
    assertHas(await client.get(job, at), { metadata: { labels } })
    await updateObject(context, job, at, ({ metadata }) => {
      metadata.annotations = { ...metadata.annotations, replaced: 'true' }
    })
    assert.equal((await client.get(job, at)).metadata.annotations?.['replaced'], 'true')
    const list = async () => uids((await client.list(job, { labelSelector: selector })).items)
    assert.deepEqual(await list(), uids([made]))
    await client.deleteCollection(job, { namespace, labelSelector: selector })
    await eventually(signal, 'the list is empty', async () => (await list()).length === 0)
  },

  async 'job-status'(context) {
    const { client, signal } = context
    const made = await createJob(context)
    const at = made.metadata
    const status = { subresource: 'status' }
    await eventually(signal, 'the job runs', async () => ((await client.get(job, at)).status.active ?? 0) > 0)
    const condition = (type: string) => ({ type, status: 'True' as const, reason: 'Conformance', message: 'set by a test' })
    const has = async (type: string) =>
      ((await client.get(job, at, status)).status.conditions ?? []).some((one) => one.type === type && one.status === 'True')
    const body = { metadata: { annotations: { patchedstatus: 'true' } }, status: { conditions: [condition('StatusPatched')] } }
    await client.patch(job, at, { type: 'merge', body }, status)
    assert.equal((await client.get(job, at)).metadata.annotations?.['patchedstatus'], 'true')
    assert.ok(await has('StatusPatched'))
    await updateObject(
      context,
      job,
      at,
      (object) => void (object.status.conditions = [...(object.status.conditions ?? []), condition('StatusUpdated')]),
      'status',
    )
    assert.ok(await has('StatusUpdated'))
  },

  async 'job-delete'(context) {
    const { client, signal } = context
    const made = await createJob(context)
    await eventually(signal, 'two active pods', async () => (await client.get(job, made.metadata)).status.active === 2)
    await client.delete(job, made.metadata, { propagationPolicy: 'Foreground' })
    await untilGone(context, job, made.metadata)
    assert.deepEqual(await podsOf(context, made), [])
  },

  async 'job-adopt-and-release'(context) {
    const { client, signal } = context
    const made = await createJob(context)
    await twoPods(context, made)
    const [one] = await podsOf(context, made)
    assert.ok(one)
    await client.patch(pod, one.metadata, { type: 'merge', body: { metadata: { ownerReferences: null } } })
    await eventually(signal, 'the pod is adopted', async () => isOwner(made)(await client.get(pod, one.metadata)))
    const labels = Object.fromEntries(Object.keys(one.metadata.labels ?? {}).map((name) => [name, null]))
    await client.patch(pod, one.metadata, { type: 'merge', body: { metadata: { labels } } })
    await eventually(signal, 'the pod is released', async () => !isOwner(made)(await client.get(pod, one.metadata)))
  },

  'cronjob-api': wholeApi({
    kind: cronJob,
    subresources: ['status'],
    draft: () => ({ spec: cronJobSpec({ suspend: true }) }),
    async also(context, { metadata }) {
      const { client } = context
      const status = { subresource: 'status' }
      const read = async () => (await client.get(cronJob, metadata, status)).status.lastScheduleTime
      await client.patch(cronJob, metadata, { type: 'merge', body: { status: { lastScheduleTime: '2026-01-01T00:00:00Z' } } }, status)
      assert.equal(await read(), '2026-01-01T00:00:00Z')
      await updateObject(context, cronJob, metadata, (object) => void (object.status.lastScheduleTime = '2026-01-01T00:01:00Z'), 'status')
      assert.equal(await read(), '2026-01-01T00:01:00Z')
    },
  }),

  async 'cronjob-allow-concurrent'(context) {
    const made = await createCronJob(context, { concurrencyPolicy: 'Allow' })
    await untilActive(context, made, (n) => n >= 2)
  },

  async 'cronjob-forbid-concurrent'(context) {
    const made = await createCronJob(context, { concurrencyPolicy: 'Forbid' })
    const [first] = await untilActive(context, made, (n) => n === 1)
    for (const end = performance.now() + FIVE_MINUTES / 2; performance.now() < end; await wait(5_000)) {
      assert.deepEqual((await activeJobs(context, made)).listed, [first])
    }
  },

  async 'cronjob-replace-concurrent'(context) {
    const { signal } = context
    const made = await createCronJob(context, { concurrencyPolicy: 'Replace' })
    const [first = ''] = await untilActive(context, made, (n) => n === 1)
    await eventually(signal, 'another job takes its place', async () => {
      const { listed } = await activeJobs(context, made)
      return listed.length === 1 && !listed.includes(first)
    })
  },

  async 'cronjob-suspend'(context) {
    const { client, namespace } = context
    const made = await createCronJob(context, { suspend: true })
    for (const end = performance.now() + FIVE_MINUTES; performance.now() < end; await wait(10_000)) {
      assert.deepEqual((await client.get(cronJob, made.metadata)).status.active ?? [], [])
      assert.deepEqual((await client.list(job, { namespace })).items, [])
    }
  },
}
