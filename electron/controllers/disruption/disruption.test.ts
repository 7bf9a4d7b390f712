import { describe, expect, it } from 'vitest'
import { deployment } from '../../api/apps/v1/deployment.ts'
import { job } from '../../api/batch/v1/job.ts'
import { pod as podKind } from '../../api/core/v1/pod.ts'
import type { Draft } from '../../api/meta/v1/object.ts'
import { eviction } from '../../api/policy/v1/eviction.ts'
import { podDisruptionBudget } from '../../api/policy/v1/pod-disruption-budget.ts'
import type { PodDisruptionBudget } from '../../api/policy/v1/types.gen.ts'
import { apiVersionOf } from '../../api/kind.ts'
import { findCondition } from '../../machinery/conditions.ts'
import { NAMESPACE, startCluster, type ClusterOptions, type TestCluster } from '../testing/cluster.ts'
import { deploymentOf, jobOf, template } from '../testing/objects.ts'

const only = [
  'disruption-controller',
  'stale-pod-disruption-controller',
  'deployment-controller',
  'replicaset-controller',
  'job-controller',
]
const start = (more: Partial<ClusterOptions> = {}) => startCluster({ only, hollow: { nodes: 2 }, ...more })
const at = { namespace: NAMESPACE, name: 'web' }

const budget = ({ client }: TestCluster, spec: Draft<PodDisruptionBudget['spec']>, app = 'web') =>
  client.create(podDisruptionBudget, { metadata: at, spec: { selector: { matchLabels: { app } }, ...spec } })
const status = async ({ client }: TestCluster) => (await client.get(podDisruptionBudget, at)).status
const pods = async ({ client }: TestCluster) => (await client.list(podKind, { namespace: NAMESPACE })).items
const evict = ({ client }: TestCluster, name: string) =>
  client.request({
    method: 'POST',
    path: `/api/v1/namespaces/${NAMESPACE}/pods/${name}/eviction`,
    body: JSON.stringify({ apiVersion: apiVersionOf(eviction), kind: 'Eviction', metadata: { name, namespace: NAMESPACE } }),
  })

describe('the disruption controller', () => {
  it.each<[what: string, spec: Draft<PodDisruptionBudget['spec']>, allowed: number, desired: number]>([
    ['at least two', { minAvailable: 2 }, 2, 2],
    ['at least half, rounded up', { minAvailable: '60%' }, 1, 3],
    ['all but one', { maxUnavailable: 1 }, 1, 3],
    ['all but a share, rounded up', { maxUnavailable: '30%' }, 2, 2],
  ])('keeps %s', async (_, spec, disruptionsAllowed, desiredHealthy) => {
    await using cluster = await start()
    await cluster.client.create(deployment, deploymentOf('web', { replicas: 4 }))
    await budget(cluster, spec)
    await cluster.quiet()
    expect(await status(cluster)).toMatchObject({
      ...{ currentHealthy: 4, desiredHealthy, disruptionsAllowed, expectedPods: 4, observedGeneration: 1 },
      conditions: [{ type: 'DisruptionAllowed', status: 'True', reason: 'SufficientPods', observedGeneration: 1 }],
    })
    expect(cluster.complaints).toEqual([])
  })

  it('lets nothing go while there is nothing, and counts what is ready', async () => {
    await using cluster = await start()
    await budget(cluster, { minAvailable: 0 })
    await cluster.quiet()
    expect(await status(cluster)).toMatchObject({ disruptionsAllowed: 0, expectedPods: 0, conditions: [{ reason: 'InsufficientPods' }] })
    expect(await cluster.events('web')).toContain('NoPods: No matching pods found')
    cluster.nodes.behaviour = () => 'unready'
    await cluster.client.create(deployment, deploymentOf('web', { replicas: 2 }))
    await cluster.quiet()
    expect(await status(cluster)).toMatchObject({ currentHealthy: 0, desiredHealthy: 0, expectedPods: 2, disruptionsAllowed: 0 })
    cluster.nodes.behaviour = () => 'ready'
    cluster.nodes.refresh()
    await cluster.quiet()
    expect(await status(cluster)).toMatchObject({ currentHealthy: 2, disruptionsAllowed: 2 })
  })

  it('asks the Deployment and not its old ReplicaSets how many there should be', async () => {
    await using cluster = await start()
    const { client } = cluster
    await client.create(deployment, deploymentOf('web', { replicas: 3 }))
    await budget(cluster, { maxUnavailable: 1 })
    await cluster.quiet()
    await client.patch(deployment, at, { type: 'strategic', body: { spec: { template: template({ app: 'web' }, 'app:2') } } })
    await cluster.quiet()
    expect(await status(cluster)).toMatchObject({ expectedPods: 3, desiredHealthy: 2 })
  })

  it('says of what it cannot count', async () => {
    await using cluster = await start()
    await cluster.client.create(job, jobOf('work', { parallelism: 1 }))
    await budget(cluster, { maxUnavailable: 1 }, 'work')
    await cluster.quiet()
    expect((await status(cluster)).conditions).toMatchObject([
      { status: 'False', reason: 'SyncFailed', message: 'jobs.batch does not implement the scale subresource' },
    ])
    await cluster.client.create(podKind, { ...template({ app: 'work' }), metadata: { ...at, labels: { app: 'work' } } })
    await cluster.client.delete(job, { ...at, name: 'work' }, { propagationPolicy: 'Background' })
    for (const { metadata } of await pods(cluster)) if (metadata.name !== 'web') await cluster.client.delete(podKind, metadata)
    await cluster.advance(60_000)
    expect((await cluster.events('web')).some((text) => text.startsWith('UnmanagedPods: Pods selected by this'))).toBe(true)
  })

  it('holds one eviction after the other against the budget', async () => {
    await using cluster = await start({ hollow: { nodes: 2, startDelay: 5000, stopDelay: 20_000 } })
    await cluster.client.create(deployment, deploymentOf('web', { replicas: 3 }))
    await budget(cluster, { maxUnavailable: 1 })
    await cluster.advance(5000)
    const [first, second] = (await pods(cluster)).map(({ metadata }) => metadata.name)
    expect((await evict(cluster, first ?? '')).status).toBe(201)
    expect((await evict(cluster, second ?? '')).status).toBe(429)
    await cluster.quiet()
    expect(await status(cluster)).toMatchObject({ currentHealthy: 2, desiredHealthy: 2, disruptionsAllowed: 0 })
    expect((await status(cluster)).disruptedPods).toBeUndefined()
    expect((await evict(cluster, second ?? '')).status).toBe(429)
    await cluster.advance(25_000)
    expect(await status(cluster)).toMatchObject({ currentHealthy: 3, disruptionsAllowed: 1 })
    expect((await evict(cluster, second ?? '')).status).toBe(201)
  })

  it('waits so long for a pod that was to go, and not longer', async () => {
    await using cluster = await start()
    await cluster.client.create(deployment, deploymentOf('web', { replicas: 2 }))
    await budget(cluster, { minAvailable: 1 })
    await cluster.quiet()
    const [first] = (await pods(cluster)).map(({ metadata }) => metadata.name)
    const body = { status: { disruptionsAllowed: 0, disruptedPods: { [first ?? '']: '2026-01-01T00:00:00Z' } } }
    await cluster.client.patch(podDisruptionBudget, at, { type: 'merge', body }, { subresource: 'status' })
    await cluster.quiet()
    expect(await status(cluster)).toMatchObject({ currentHealthy: 1, disruptionsAllowed: 0 })
    await cluster.advance(121_000)
    expect(await status(cluster)).toMatchObject({ currentHealthy: 2, disruptionsAllowed: 1 })
    expect((await status(cluster)).disruptedPods).toBeUndefined()
    expect(await cluster.events(first ?? '')).toContain(`NotDeleted: Pod was expected by PDB ${NAMESPACE}/web to be deleted but it wasn't`)
  })

  it('takes back that a pod is to go, when it stays', async () => {
    await using cluster = await start()
    await cluster.client.create(podKind, { ...template({ app: 'web' }), metadata: { ...at, labels: { app: 'web' } } })
    await cluster.quiet()
    const condition = { type: 'DisruptionTarget', status: 'True', lastTransitionTime: '2026-01-01T00:00:00Z' }
    await cluster.client.patch(podKind, at, { type: 'strategic', body: { status: { conditions: [condition] } } }, { subresource: 'status' })
    await cluster.advance(60_000)
    const found = async () => findCondition((await cluster.client.get(podKind, at)).status.conditions, 'DisruptionTarget')?.status
    expect(await found()).toBe('True')
    await cluster.advance(61_000)
    expect(await found()).toBe('False')
  })
})
