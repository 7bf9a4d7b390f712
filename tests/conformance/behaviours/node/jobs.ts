/** Job: indexes, failure and success policies, as far as pods must run for them. */
import assert from 'node:assert/strict'
import { job, pod } from '../../../../electron/api/kinds.gen.ts'
import type { Job, JobSpec } from '../../../../electron/api/batch/v1/types.gen.ts'
import type { Draft } from '../../../../electron/api/meta/v1/object.ts'
import { eventually, type BehaviourContext, type Behaviours } from '../../lib/behaviour.ts'
import { getJson, send } from '../../lib/raw.ts'
import { environment, logOf, shell } from '../../lib/running.ts'

const FAIL_ODD = 'test $((JOB_COMPLETION_INDEX % 2)) -eq 0'

interface Wish extends Draft<JobSpec> {
  readonly script: string
  readonly restartPolicy?: 'Never' | 'OnFailure'
  readonly volumes?: { name: string; emptyDir: object }[]
  readonly volumeMounts?: { name: string; mountPath: string }[]
}

function createJob(
  context: BehaviourContext,
  { script, restartPolicy = 'Never', volumes = [], volumeMounts = [], ...spec }: Wish,
): Promise<Job> {
  const template = {
    spec: { restartPolicy, volumes, terminationGracePeriodSeconds: 1, containers: [shell(context, script, { volumeMounts })] },
  }
  return context.client.create(job, { metadata: { name: 'work', namespace: context.namespace }, spec: { ...spec, template } })
}

const conditionsOf = ({ status }: Job) => new Map(status.conditions?.filter((one) => one.status === 'True').map((one) => [one.type, one]))

async function untilEnded({ client, signal }: BehaviourContext, { metadata }: Job, type: 'Complete' | 'Failed'): Promise<Job> {
  let last: Job | undefined
  await eventually(
    AbortSignal.any([signal, AbortSignal.timeout(20_000)]),
    'a controller has taken up the job',
    async () => (await client.get(job, metadata)).status.startTime,
  )
  const found = eventually(signal, `the job is ${type}`, async () => {
    last = await client.get(job, metadata)
    const conditions = conditionsOf(last)
    assert.ok(!conditions.has(type === 'Complete' ? 'Failed' : 'Complete') || signal.aborted)
    return conditions.has(type) ? last : null
  })
  return found.catch((error: unknown) => {
    throw new Error(`${(error as Error).message}; its status was ${JSON.stringify(last?.status)}`, { cause: error })
  })
}

async function podsOf({ client, namespace }: BehaviourContext) {
  return (await client.list(pod, { namespace, labelSelector: 'batch.kubernetes.io/job-name=work' })).items
}

function assertSuccessPolicy(ended: Job): void {
  const conditions = conditionsOf(ended)
  assert.equal(conditions.get('SuccessCriteriaMet')?.reason, 'SuccessPolicy')
  assert.equal(conditions.get('Complete')?.reason, 'SuccessPolicy')
  const { active = 0, ready = 0, terminating = 0 } = ended.status
  assert.deepEqual({ active, ready, terminating }, { active: 0, ready: 0, terminating: 0 })
}

export const behaviours: Behaviours = {
  async 'job-indexed'(context) {
    const made = await createJob(context, { completionMode: 'Indexed', completions: 4, parallelism: 2, script: 'env; hostname' })
    const ended = await untilEnded(context, made, 'Complete')
    assert.equal(ended.status.completedIndexes, '0-3')
    const pods = await podsOf(context)
    assert.equal(pods.length, 4)
    const indexes = new Set<string>()
    for (const one of pods) {
      const index = one.metadata.annotations?.['batch.kubernetes.io/job-completion-index'] ?? ''
      indexes.add(index)
      const log = await logOf(context, one)
      assert.equal(environment(log).get('JOB_COMPLETION_INDEX'), index)
      assert.equal(one.spec.hostname, `work-${index}`)
      assert.equal(log.trimEnd().split('\n').at(-1), `work-${index}`)
    }
    assert.deepEqual([...indexes].sort(), ['0', '1', '2', '3'])
  },

  async 'job-local-restart'(context) {
    const made = await createJob(context, {
      ...{ parallelism: 2, completions: 4, restartPolicy: 'OnFailure', script: 'test -f /once/ran || { touch /once/ran; exit 1; }' },
      ...{ volumes: [{ name: 'once', emptyDir: {} }], volumeMounts: [{ name: 'once', mountPath: '/once' }] },
    })
    const ended = await untilEnded(context, made, 'Complete')
    assert.equal(ended.status.succeeded, 4)
    const pods = await podsOf(context)
    assert.deepEqual(
      pods.map(({ status }) => [status.phase, status.containerStatuses?.[0]?.restartCount]),
      Array.from({ length: 4 }, () => ['Succeeded', 1]),
    )
  },

  async 'job-backofflimitperindex'(context) {
    const made = await createJob(context, {
      ...{ completionMode: 'Indexed', completions: 4, parallelism: 2, backoffLimitPerIndex: 1, script: FAIL_ODD },
    })
    const { status } = await untilEnded(context, made, 'Failed')
    assert.deepEqual([status.failedIndexes, status.completedIndexes, status.failed, status.succeeded], ['1,3', '0,2', 4, 2])
  },

  async 'job-maxfailedindexes'(context) {
    const made = await createJob(context, {
      ...{ completionMode: 'Indexed', completions: 4, parallelism: 1, backoffLimitPerIndex: 0, maxFailedIndexes: 0, script: 'exit 1' },
    })
    const { status } = await untilEnded(context, made, 'Failed')
    assert.deepEqual([status.failedIndexes, status.completedIndexes ?? '', status.failed, status.succeeded ?? 0], ['0', '', 1, 0])
  },

  async 'job-pfp-failindex'(context) {
    const onExitCodes = { operator: 'In' as const, values: [1] }
    const made = await createJob(context, {
      ...{ completionMode: 'Indexed', completions: 2, parallelism: 2, backoffLimitPerIndex: 1, script: FAIL_ODD },
      podFailurePolicy: { rules: [{ action: 'FailIndex', onExitCodes }] },
    })
    const { status } = await untilEnded(context, made, 'Failed')
    assert.deepEqual([status.failedIndexes, status.completedIndexes, status.failed], ['1', '0', 1])
    const tries = (await podsOf(context)).filter(
      ({ metadata }) => metadata.annotations?.['batch.kubernetes.io/job-completion-index'] === '1',
    )
    assert.equal(tries.length, 1)
  },

  async 'job-pfp-failjob-exit-code'(context) {
    const made = await createJob(context, {
      ...{ completions: 4, parallelism: 2, backoffLimit: 6, script: 'exit 1' },
      podFailurePolicy: { rules: [{ action: 'FailJob', onExitCodes: { operator: 'In', values: [1] } }] },
    })
    const ended = await untilEnded(context, made, 'Failed')
    assert.equal(conditionsOf(ended).get('Failed')?.reason, 'PodFailurePolicy')
    assert.ok((ended.status.failed ?? 0) <= 2, String(ended.status.failed))
  },

  async 'job-pfp-ignore-disruption'(context) {
    const { client, namespace, signal } = context
    // The first run of an index waits to be evicted; which one it is, a file on the node tells.
    const folder = `/tmp/${context.unique('disrupted')}`
    const made = await client.create(job, {
      metadata: { name: 'work', namespace },
      spec: {
        ...{ completionMode: 'Indexed', completions: 3, parallelism: 3, backoffLimit: 0 },
        podFailurePolicy: { rules: [{ action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] }] },
        template: {
          spec: {
            ...{ restartPolicy: 'Never', terminationGracePeriodSeconds: 1 },
            volumes: [{ name: 'node', hostPath: { path: folder, type: 'DirectoryOrCreate' } }],
            containers: [
              shell(context, 'f=/node/$JOB_COMPLETION_INDEX; test -f $f && exit 0; touch $f; sleep 1000', {
                volumeMounts: [{ name: 'node', mountPath: '/node' }],
              }),
            ],
          },
        },
      },
    })
    const first = await eventually(AbortSignal.any([signal, AbortSignal.timeout(20_000)]), 'three pods run', async () => {
      const pods = await podsOf(context)
      return pods.length === 3 && pods.every(({ status }) => status.phase === 'Running') ? pods : null
    })
    for (const { metadata } of first) {
      const path = `/api/v1/namespaces/${namespace}/pods/${metadata.name}/eviction`
      const answer = await send(client, 'POST', path, {
        apiVersion: 'policy/v1',
        kind: 'Eviction',
        metadata: { name: metadata.name, namespace },
      })
      assert.equal(answer.status, 201, answer.text)
    }
    const ended = await untilEnded(context, made, 'Complete')
    assert.equal(ended.status.failed ?? 0, 0)
    assert.equal(ended.status.succeeded, 3)
  },

  async 'job-successpolicy-all-indexes'(context) {
    const made = await createJob(context, {
      ...{ completionMode: 'Indexed', completions: 2, parallelism: 2, script: 'true' },
      successPolicy: { rules: [{ succeededIndexes: '0-1' }] },
    })
    const ended = await untilEnded(context, made, 'Complete')
    assertSuccessPolicy(ended)
    assert.equal(ended.status.completedIndexes, '0,1')
  },

  async 'job-successpolicy-succeededcount'(context) {
    const made = await createJob(context, {
      ...{ completionMode: 'Indexed', completions: 5, parallelism: 2, backoffLimitPerIndex: 5, script: FAIL_ODD },
      successPolicy: { rules: [{ succeededCount: 1 }] },
    })
    const ended = await untilEnded(context, made, 'Complete')
    assertSuccessPolicy(ended)
    assert.notEqual(ended.status.completedIndexes, '0-4')
  },

  async 'job-successpolicy-succeededindexes'(context) {
    const { client, namespace, signal } = context
    const made = await createJob(context, {
      ...{ completionMode: 'Indexed', completions: 5, parallelism: 5, script: 'test $JOB_COMPLETION_INDEX -eq 0 || sleep 1000' },
      successPolicy: { rules: [{ succeededIndexes: '0' }] },
    })
    const ended = await untilEnded(context, made, 'Complete')
    assertSuccessPolicy(ended)
    assert.equal(ended.status.completedIndexes, '0')
    assert.equal(ended.status.succeeded, 1)
    await eventually(signal, 'no pod runs any more', async () => {
      const { items } = await getJson<{ items: { status: { phase: string } }[] }>(client, `/api/v1/namespaces/${namespace}/pods`)
      return items.every(({ status }) => status.phase !== 'Running')
    })
  },
}
