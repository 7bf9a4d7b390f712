import { describe, expect, it } from 'vitest'
import { job as jobKind } from '../../api/batch/v1/job.ts'
import type { Job } from '../../api/batch/v1/types.gen.ts'
import { pod as podKind } from '../../api/core/v1/pod.ts'
import type { Pod } from '../../api/core/v1/types.gen.ts'
import type { Draft } from '../../api/meta/v1/object.ts'
import { controllerOf, isControlledBy } from '../../machinery/object.ts'
import { NAMESPACE, startCluster, type ClusterOptions, type TestCluster } from '../testing/cluster.ts'
import { jobOf, runningOnce } from '../testing/objects.ts'
import { COMPLETION_INDEX, INDEX_FAILURES, indexOf, TRACKING } from './pod-facts.ts'

const only = ['job-controller']
const at = { namespace: NAMESPACE, name: 'work' }
const start = (options: Partial<ClusterOptions> = {}) => startCluster({ only, hollow: { nodes: 2 }, ...options })

const create = async (cluster: TestCluster, spec: Draft<Job['spec']> = {}): Promise<Job> => {
  const made = await cluster.client.create(jobKind, jobOf('work', spec))
  await cluster.quiet()
  return made
}
const change = async (cluster: TestCluster, spec: Draft<Job['spec']>) => {
  await cluster.client.patch(jobKind, at, { type: 'merge', body: { spec } })
  await cluster.quiet()
}
const podsOf = async ({ client }: TestCluster): Promise<readonly Pod[]> => (await client.list(podKind, { namespace: NAMESPACE })).items
const statusOf = async ({ client }: TestCluster) => (await client.get(jobKind, at)).status
const conditions = async (cluster: TestCluster) =>
  ((await statusOf(cluster)).conditions ?? []).map(({ type, status, reason }) => `${type}=${status}: ${reason}`)
const tracked = async (cluster: TestCluster) => (await podsOf(cluster)).filter(({ metadata }) => metadata.finalizers?.includes(TRACKING))
const end = async (cluster: TestCluster, pod: Pod | undefined, phase: 'Succeeded' | 'Failed', more: Partial<Pod['status']> = {}) => {
  if (!pod) throw new Error('there is no such pod')
  const status = { phase, ...more }
  await cluster.client.patch(podKind, pod.metadata, { type: 'merge', body: { status } }, { subresource: 'status' })
  await cluster.quiet()
}
const running = async (cluster: TestCluster) => (await podsOf(cluster)).filter(({ status }) => status.phase === 'Running')
const ascending = (a: number | null, b: number | null) => (a ?? -1) - (b ?? -1)
const ofIndex = async (cluster: TestCluster, index: number) => (await running(cluster)).find((pod) => indexOf(pod) === index)

describe('the job controller', () => {
  it('runs as many pods at a time as it may until so many have succeeded, then says so and is still', async () => {
    await using cluster = await start()
    await create(cluster, { parallelism: 2, completions: 3 })
    expect(await statusOf(cluster)).toMatchObject({ active: 2, ready: 2, terminating: 0, startTime: expect.any(String) as string })
    const [first, second] = await podsOf(cluster)
    expect(first?.metadata.name).toMatch(/^work-[a-z0-9]{5}$/)
    expect(first?.metadata.finalizers).toEqual([TRACKING])
    expect(first && controllerOf(first)).toMatchObject({ kind: 'Job', name: 'work', blockOwnerDeletion: true })
    await end(cluster, first, 'Succeeded')
    expect(await statusOf(cluster)).toMatchObject({ active: 2, succeeded: 1 })
    await end(cluster, second, 'Succeeded')
    expect(await statusOf(cluster)).toMatchObject({ active: 1, succeeded: 2 })
    expect(await podsOf(cluster)).toHaveLength(3)
    await end(cluster, (await running(cluster))[0], 'Succeeded')
    expect(await statusOf(cluster)).toMatchObject({ succeeded: 3, ready: 0, completionTime: expect.any(String) as string })
    expect(await conditions(cluster)).toEqual(['SuccessCriteriaMet=True: CompletionsReached', 'Complete=True: CompletionsReached'])
    expect(await tracked(cluster)).toEqual([])
    const events = await cluster.events('work')
    expect(events.filter((text) => text.startsWith('SuccessfulCreate: Created pod: '))).toHaveLength(3)
    expect(events).toContain('Completed: Job completed')
    expect(cluster.complaints).toEqual([])
    const { length } = cluster.writes
    await cluster.advance(3_600_000)
    expect(cluster.writes).toHaveLength(length)
  })

  it('of a job without a number of completions starts no pod after the first success, and waits for those that run', async () => {
    await using cluster = await start()
    await create(cluster, { parallelism: 3 })
    const [a, b, c] = await podsOf(cluster)
    await end(cluster, a, 'Succeeded')
    await end(cluster, b, 'Failed')
    expect(await podsOf(cluster)).toHaveLength(3)
    expect(await conditions(cluster)).toEqual([])
    await end(cluster, c, 'Succeeded')
    expect(await statusOf(cluster)).toMatchObject({ succeeded: 2, failed: 1 })
    expect(await conditions(cluster)).toContain('Complete=True: CompletionsReached')
  })

  it('replaces failed pods after growing waits, and gives up beyond the limit', async () => {
    await using cluster = await start()
    cluster.nodes.behaviour = () => 'fail'
    await create(cluster, { backoffLimit: 2 })
    const failed = async () => (await statusOf(cluster)).failed ?? 0
    expect(await failed()).toBe(1)
    await cluster.advance(9000)
    expect(await failed()).toBe(1)
    await cluster.advance(1500)
    expect(await failed()).toBe(2)
    await cluster.advance(18_000)
    expect(await failed()).toBe(2)
    await cluster.advance(2500)
    expect(await failed()).toBe(3)
    expect(await conditions(cluster)).toEqual(['FailureTarget=True: BackoffLimitExceeded', 'Failed=True: BackoffLimitExceeded'])
    expect((await statusOf(cluster)).completionTime).toBeUndefined()
    expect(await cluster.events('work')).toContain('BackoffLimitExceeded: Job has reached the specified backoff limit')
  })

  it('counts restarts in place against the limit', async () => {
    await using cluster = await start()
    const template = { ...runningOnce(), spec: { ...runningOnce().spec, restartPolicy: 'OnFailure' as const } }
    await create(cluster, { backoffLimit: 2, template })
    const [pod] = await running(cluster)
    const restarted = pod?.status.containerStatuses?.map((each) => ({ ...each, restartCount: 2 })) ?? []
    const body = { status: { containerStatuses: restarted } }
    await cluster.client.patch(podKind, { ...at, name: pod?.metadata.name ?? '' }, { type: 'merge', body }, { subresource: 'status' })
    await cluster.quiet()
    expect(await conditions(cluster)).toContain('Failed=True: BackoffLimitExceeded')
    expect(await podsOf(cluster)).toEqual([])
  })

  it('runs each index once, with its number in name, labels, host name and environment', async () => {
    await using cluster = await start()
    await create(cluster, { parallelism: 3, completions: 4, completionMode: 'Indexed' })
    expect((await podsOf(cluster)).map(indexOf).sort(ascending)).toEqual([0, 1, 2])
    const one = await ofIndex(cluster, 1)
    expect(one?.metadata.name).toMatch(/^work-1-[a-z0-9]{5}$/)
    expect(one?.metadata.labels?.[COMPLETION_INDEX]).toBe('1')
    expect(one?.spec.hostname).toBe('work-1')
    expect(one?.spec.containers[0]?.env).toEqual([
      {
        name: 'JOB_COMPLETION_INDEX',
        valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: "metadata.labels['batch.kubernetes.io/job-completion-index']" } },
      },
    ])
    await end(cluster, one, 'Failed')
    await end(cluster, await ofIndex(cluster, 2), 'Succeeded')
    await cluster.advance(11_000)
    expect((await running(cluster)).map(indexOf).sort(ascending)).toEqual([0, 1, 3])
    for (const index of [0, 3, 1]) await end(cluster, await ofIndex(cluster, index), 'Succeeded')
    expect(await statusOf(cluster)).toMatchObject({ succeeded: 4, failed: 1, completedIndexes: '0-3' })
    expect(await conditions(cluster)).toContain('Complete=True: CompletionsReached')
  })

  it('lets an Indexed job grow and shrink', async () => {
    await using cluster = await start()
    await create(cluster, { parallelism: 3, completions: 3, completionMode: 'Indexed' })
    await end(cluster, await ofIndex(cluster, 2), 'Succeeded')
    await change(cluster, { parallelism: 4, completions: 4 })
    expect((await running(cluster)).map(indexOf).sort(ascending)).toEqual([0, 1, 3])
    await change(cluster, { parallelism: 1, completions: 1 })
    expect((await running(cluster)).map(indexOf)).toEqual([0])
    expect((await statusOf(cluster)).succeeded).toBeUndefined()
    expect((await statusOf(cluster)).completedIndexes).toBeUndefined()
    await end(cluster, await ofIndex(cluster, 0), 'Succeeded')
    expect(await statusOf(cluster)).toMatchObject({ succeeded: 1, completedIndexes: '0' })
    expect(await conditions(cluster)).toContain('Complete=True: CompletionsReached')
  })

  it('gives each index its own limit, and goes on with the others', async () => {
    await using cluster = await start()
    cluster.nodes.behaviour = (pod) => ((indexOf(pod) ?? 0) % 2 === 1 ? 'fail' : 'succeed')
    await create(cluster, { parallelism: 2, completions: 4, completionMode: 'Indexed', backoffLimitPerIndex: 1 })
    expect((await podsOf(cluster)).find((pod) => indexOf(pod) === 1)?.metadata.annotations?.[INDEX_FAILURES]).toBe('0')
    await cluster.advance(60_000)
    expect(await statusOf(cluster)).toMatchObject({ succeeded: 2, failed: 4, completedIndexes: '0,2', failedIndexes: '1,3' })
    const ones = (await podsOf(cluster)).filter((pod) => indexOf(pod) === 1)
    expect(ones.map(({ metadata }) => metadata.annotations?.[INDEX_FAILURES])).toEqual(expect.arrayContaining(['0', '1']))
    expect(await conditions(cluster)).toEqual(['FailureTarget=True: FailedIndexes', 'Failed=True: FailedIndexes'])
    expect(await tracked(cluster)).toEqual([])
  })

  it('fails at once when more indexes have failed than may', async () => {
    await using cluster = await start()
    cluster.nodes.behaviour = () => 'fail'
    const indexed = { parallelism: 1, completions: 4, completionMode: 'Indexed' as const }
    await create(cluster, { ...indexed, backoffLimitPerIndex: 0, maxFailedIndexes: 0 })
    expect(await statusOf(cluster)).toMatchObject({ failed: 1, failedIndexes: '0' })
    expect(await conditions(cluster)).toContain('Failed=True: MaxFailedIndexesExceeded')
    expect(await podsOf(cluster)).toHaveLength(1)
  })

  it('does as its policy says of failed pods', async () => {
    const onExitCodes = { operator: 'In' as const, values: [1] }
    {
      await using cluster = await start()
      cluster.nodes.behaviour = () => 'fail'
      await create(cluster, { podFailurePolicy: { rules: [{ action: 'FailJob', onExitCodes }] } })
      expect(await conditions(cluster)).toEqual(['FailureTarget=True: PodFailurePolicy', 'Failed=True: PodFailurePolicy'])
      const [pod] = await podsOf(cluster)
      const text = `Container app for pod test/${pod?.metadata.name} failed with exit code 1 matching FailJob rule at index 0`
      expect((await statusOf(cluster)).conditions?.at(-1)?.message).toBe(text)
    }
    {
      await using cluster = await start()
      cluster.nodes.behaviour = (pod) => (indexOf(pod) === 0 ? 'fail' : 'succeed')
      const indexed = { completionMode: 'Indexed' as const, completions: 2, parallelism: 2, backoffLimitPerIndex: 3 }
      await create(cluster, { ...indexed, podFailurePolicy: { rules: [{ action: 'FailIndex', onExitCodes }] } })
      await cluster.advance(60_000)
      expect(await statusOf(cluster)).toMatchObject({ failed: 1, failedIndexes: '0', completedIndexes: '1' })
    }
    {
      await using cluster = await start()
      const onPodConditions = [{ type: 'DisruptionTarget' }]
      await create(cluster, { backoffLimit: 0, podFailurePolicy: { rules: [{ action: 'Ignore', onPodConditions }] } })
      const [pod] = await running(cluster)
      await end(cluster, pod, 'Failed', { conditions: [{ type: 'DisruptionTarget', status: 'True' }] })
      await cluster.advance(11_000)
      expect((await statusOf(cluster)).failed).toBeUndefined()
      await end(cluster, (await running(cluster))[0], 'Succeeded')
      expect(await conditions(cluster)).toContain('Complete=True: CompletionsReached')
    }
  })

  it('is done once its success policy is met, and ends the other pods', async () => {
    await using cluster = await start({ hollow: { nodes: 2, stopDelay: 5000 } })
    const rules = [{ succeededIndexes: '0,4' }, { succeededIndexes: '1-3', succeededCount: 2 }]
    await create(cluster, { parallelism: 5, completions: 5, completionMode: 'Indexed', successPolicy: { rules } })
    await end(cluster, await ofIndex(cluster, 0), 'Succeeded')
    await end(cluster, await ofIndex(cluster, 1), 'Succeeded')
    expect(await conditions(cluster)).toEqual([])
    await end(cluster, await ofIndex(cluster, 3), 'Succeeded')
    expect(await conditions(cluster)).toEqual(['SuccessCriteriaMet=True: SuccessPolicy'])
    expect(await statusOf(cluster)).toMatchObject({ terminating: 2, succeeded: 3, completedIndexes: '0,1,3' })
    await cluster.advance(6000)
    expect(await conditions(cluster)).toEqual(['SuccessCriteriaMet=True: SuccessPolicy', 'Complete=True: SuccessPolicy'])
    expect((await statusOf(cluster)).conditions?.at(-1)?.message).toBe('Matched rules at index 1')
    expect(await statusOf(cluster)).toMatchObject({ terminating: 0, ready: 0 })
    expect((await statusOf(cluster)).failed).toBeUndefined()
  })

  it('fails when its time is over, but only once its pods have ended', async () => {
    await using cluster = await start({ hollow: { nodes: 1, stopDelay: 5000 } })
    await create(cluster, { activeDeadlineSeconds: 30, parallelism: 2, completions: 2 })
    await cluster.advance(29_000)
    expect(await statusOf(cluster)).toMatchObject({ active: 2 })
    await cluster.advance(1500)
    expect(await conditions(cluster)).toEqual(['FailureTarget=True: DeadlineExceeded'])
    expect(await statusOf(cluster)).toMatchObject({ terminating: 2, failed: 2 })
    await cluster.advance(6000)
    expect(await conditions(cluster)).toContain('Failed=True: DeadlineExceeded')
    expect((await statusOf(cluster)).active).toBeUndefined()
  })

  it('holds a suspended job without counting failures, and gives it all its time again', async () => {
    await using cluster = await start()
    await create(cluster, { suspend: true, activeDeadlineSeconds: 30, parallelism: 2, completions: 2, backoffLimit: 0 })
    expect(await podsOf(cluster)).toEqual([])
    expect(await conditions(cluster)).toEqual(['Suspended=True: JobSuspended'])
    expect((await statusOf(cluster)).startTime).toBeUndefined()
    await cluster.advance(100_000)
    await change(cluster, { suspend: false })
    expect(await conditions(cluster)).toEqual(['Suspended=False: JobResumed'])
    expect(await running(cluster)).toHaveLength(2)
    await cluster.advance(20_000)
    await change(cluster, { suspend: true })
    expect(await podsOf(cluster)).toEqual([])
    expect((await statusOf(cluster)).failed).toBeUndefined()
    await change(cluster, { suspend: false })
    await cluster.advance(20_000)
    expect(await statusOf(cluster)).toMatchObject({ active: 2 })
    for (const pod of await running(cluster)) await end(cluster, pod, 'Succeeded')
    expect(await conditions(cluster)).toContain('Complete=True: CompletionsReached')
    const events = await cluster.events('work')
    expect(events).toContain('Suspended: Job suspended')
    expect(events).toContain('Resumed: Job resumed')
  })

  it('replaces a pod that is being deleted at once, or where it says so only when it has ended', async () => {
    for (const [podReplacementPolicy, soon] of [['TerminatingOrFailed', 1] as const, ['Failed', 0] as const]) {
      await using cluster = await start({ hollow: { nodes: 1, stopDelay: 20_000 } })
      await create(cluster, { podReplacementPolicy })
      const [pod] = await running(cluster)
      await cluster.client.delete(podKind, { ...at, name: pod?.metadata.name ?? '' })
      await cluster.advance(12_000)
      expect((await statusOf(cluster)).active ?? 0).toBe(soon)
      expect((await statusOf(cluster)).terminating).toBe(1)
      await cluster.advance(25_000)
      expect(await statusOf(cluster)).toMatchObject({ active: 1, terminating: 0, failed: 1 })
    }
  })

  it('leaves a job alone that another controller manages', async () => {
    await using cluster = await start()
    await create(cluster, { managedBy: 'example.com/other' })
    await cluster.advance(10_000)
    expect(await podsOf(cluster)).toEqual([])
    expect(await statusOf(cluster)).toEqual({})
    expect(cluster.writes).toEqual([])
  })

  it('adopts a pod that it selects, and lets go of one that it no longer does', async () => {
    await using cluster = await start()
    const made = await create(cluster, { parallelism: 2, completions: 4 })
    const [pod] = await podsOf(cluster)
    const name = { ...at, name: pod?.metadata.name ?? '' }
    await cluster.client.patch(podKind, name, { type: 'merge', body: { metadata: { ownerReferences: null, finalizers: null } } })
    await cluster.quiet()
    const adopted = await cluster.client.get(podKind, name)
    expect(isControlledBy(adopted, made)).toBe(true)
    expect(adopted.metadata.finalizers).toEqual([TRACKING])
    const labels = Object.fromEntries(Object.keys(adopted.metadata.labels ?? {}).map((label) => [label, null]))
    await cluster.client.patch(podKind, name, { type: 'merge', body: { metadata: { labels } } })
    await cluster.quiet()
    const released = await cluster.client.get(podKind, name)
    expect(released.metadata.ownerReferences).toBeUndefined()
    expect(released.metadata.finalizers).toBeUndefined()
    expect(await podsOf(cluster)).toHaveLength(3)
  })

  it('lets go of the pods of a job that is gone', async () => {
    await using cluster = await start()
    await create(cluster, { parallelism: 2, completions: 2 })
    expect(await tracked(cluster)).toHaveLength(2)
    await cluster.client.delete(jobKind, at, { propagationPolicy: 'Background' })
    await cluster.quiet()
    expect(await podsOf(cluster)).toHaveLength(2)
    expect(await tracked(cluster)).toEqual([])
  })

  it('ends one of two pods of an index, and those of no index', async () => {
    await using cluster = await start()
    await create(cluster, { parallelism: 2, completions: 2, completionMode: 'Indexed' })
    const [pod] = await podsOf(cluster)
    if (!pod) throw new Error('there is no pod')
    const { labels = {}, ownerReferences = [] } = pod.metadata
    const copy = (index?: string) => ({
      metadata: {
        generateName: 'copy-',
        namespace: NAMESPACE,
        labels,
        ownerReferences,
        ...(index === undefined ? {} : { annotations: { [COMPLETION_INDEX]: index } }),
      },
      spec: { containers: [{ name: 'app', image: 'app:1' }], restartPolicy: 'Never' as const },
    })
    await cluster.client.create(podKind, copy('0'))
    await cluster.client.create(podKind, copy())
    await cluster.quiet()
    expect((await podsOf(cluster)).map(indexOf).sort(ascending)).toEqual([0, 1])
  })
})
