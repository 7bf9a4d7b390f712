import { describe, expect, it } from 'vitest'
import { deployment } from '../../api/apps/v1/deployment.ts'
import { replicaSet } from '../../api/apps/v1/replica-set.ts'
import type { Deployment, ReplicaSet } from '../../api/apps/v1/types.gen.ts'
import { pod as podKind } from '../../api/core/v1/pod.ts'
import type { Draft } from '../../api/meta/v1/object.ts'
import { templateHash } from '../../machinery/hash.ts'
import { controllerOf } from '../../machinery/object.ts'
import { forbidden } from '../../machinery/status.ts'
import { NAMESPACE, startCluster, type ClusterOptions, type TestCluster } from '../testing/cluster.ts'
import { deploymentOf, template } from '../testing/objects.ts'
import { isPodActive } from '../workload/pod-state.ts'

const only = ['deployment-controller', 'replicaset-controller']
const web = { namespace: NAMESPACE, name: 'web' }
const start = (options: Partial<ClusterOptions> = {}) => startCluster({ only, hollow: { startDelay: 1000 }, ...options })

const get = ({ client }: TestCluster) => client.get(deployment, web)
const spec = async (cluster: TestCluster, body: Draft<Deployment['spec']>) => {
  await cluster.client.patch(deployment, web, { type: 'merge', body: { spec: body } })
  await cluster.quiet()
}
const image = (cluster: TestCluster, name: string) => spec(cluster, { template: template({ app: 'web' }, name) })
const setsOf = async ({ client }: TestCluster): Promise<ReplicaSet[]> =>
  [...(await client.list(replicaSet, { namespace: NAMESPACE })).items].sort((a, b) => revision(a) - revision(b))
const revision = ({ metadata }: ReplicaSet | Deployment) => Number(metadata.annotations?.['deployment.kubernetes.io/revision'])
const condition = async (cluster: TestCluster, type: string) => (await get(cluster)).status.conditions?.find((c) => c.type === type)

describe('the Deployment controller', () => {
  it('makes a ReplicaSet with the hash of the template, and reports the rollout until it is complete', async () => {
    await using cluster = await start()
    await cluster.client.create(deployment, deploymentOf('web', { replicas: 3 }))
    await cluster.quiet()
    const [set] = await setsOf(cluster)
    const hash = templateHash((await get(cluster)).spec.template)
    expect(set?.metadata).toMatchObject({
      name: `web-${hash}`,
      labels: { app: 'web', 'pod-template-hash': hash },
      annotations: {
        'deployment.kubernetes.io/revision': '1',
        'deployment.kubernetes.io/desired-replicas': '3',
        'deployment.kubernetes.io/max-replicas': '4',
      },
    })
    expect(set?.spec.selector.matchLabels).toEqual({ app: 'web', 'pod-template-hash': hash })
    expect(set && controllerOf(set)).toMatchObject({ kind: 'Deployment', name: 'web' })
    expect(revision(await get(cluster))).toBe(1)
    expect(await condition(cluster, 'Available')).toMatchObject({ status: 'False', reason: 'MinimumReplicasUnavailable' })
    expect(await condition(cluster, 'Progressing')).toMatchObject({ status: 'True', reason: 'ReplicaSetUpdated' })

    await cluster.advance(1000)
    const { status, metadata } = await get(cluster)
    expect(status).toMatchObject({ replicas: 3, updatedReplicas: 3, readyReplicas: 3, availableReplicas: 3, observedGeneration: 1 })
    expect(status).not.toHaveProperty('unavailableReplicas')
    expect(metadata.generation).toBe(1)
    expect(await condition(cluster, 'Available')).toMatchObject({
      status: 'True',
      reason: 'MinimumReplicasAvailable',
      message: 'Deployment has minimum availability.',
    })
    expect(await condition(cluster, 'Progressing')).toMatchObject({
      status: 'True',
      reason: 'NewReplicaSetAvailable',
      message: `ReplicaSet "web-${hash}" has successfully progressed.`,
    })
    expect(await cluster.events('web')).toEqual([`ScalingReplicaSet: Scaled up replica set web-${hash} from 0 to 3`])
    expect(cluster.complaints).toEqual([])
  })

  it('rolls over to a new template within surge and unavailability, and back to an old revision', async () => {
    await using cluster = await start()
    await cluster.client.create(deployment, deploymentOf('web', { replicas: 4 }))
    await cluster.advance(1000)
    await image(cluster, 'app:2')
    expect((await setsOf(cluster)).map((set) => set.spec.replicas)).toEqual([3, 2])
    await cluster.advance(10_000)
    expect((await setsOf(cluster)).map((set) => [revision(set), set.spec.replicas])).toEqual([
      [1, 0],
      [2, 4],
    ])
    expect((await get(cluster)).status).toMatchObject({ replicas: 4, updatedReplicas: 4, availableReplicas: 4 })
    await image(cluster, 'app:1')
    await cluster.advance(10_000)
    const [, rolledBack] = await setsOf(cluster)
    expect((await setsOf(cluster)).map((set) => [revision(set), set.spec.replicas])).toEqual([
      [2, 0],
      [3, 4],
    ])
    expect(rolledBack?.metadata.annotations?.['deployment.kubernetes.io/revision-history']).toBe('1')
    expect(revision(await get(cluster))).toBe(3)
  })

  it('keeps as many old revisions as it shall', async () => {
    await using cluster = await start()
    await cluster.client.create(deployment, deploymentOf('web', { replicas: 1, revisionHistoryLimit: 2 }))
    for (let i = 1; i <= 5; i++) {
      await image(cluster, `app:${i}`)
      await cluster.advance(5000)
    }
    expect((await setsOf(cluster)).map(revision)).toEqual([3, 4, 5])
  })

  it('waits with recreation until the old pods have ended', async () => {
    await using cluster = await start({ hollow: { startDelay: 1000, stopDelay: 8000 } })
    const { client } = cluster
    await client.create(deployment, deploymentOf('web', { replicas: 2, strategy: { type: 'Recreate' } }))
    await cluster.advance(1000)
    await image(cluster, 'app:2')
    await cluster.advance(7000)
    const before = (await client.list(podKind, { namespace: NAMESPACE })).items
    expect(before.every((pod) => pod.spec.containers[0]?.image === 'app:1' && !isPodActive(pod))).toBe(true)
    await cluster.advance(3000)
    const after = (await client.list(podKind, { namespace: NAMESPACE })).items
    expect(after.map((pod) => pod.spec.containers[0]?.image)).toEqual(['app:2', 'app:2'])
    expect((await get(cluster)).status).toMatchObject({ availableReplicas: 2, updatedReplicas: 2 })
  })

  it('scales without a rollout, in proportion while one is under way', async () => {
    await using cluster = await start()
    const { nodes } = cluster
    const strategy = { rollingUpdate: { maxSurge: 3, maxUnavailable: 2 } }
    await cluster.client.create(deployment, deploymentOf('web', { replicas: 10, strategy }))
    await cluster.advance(1000)
    nodes.behaviour = (pod) => (pod.spec.containers[0]?.image === 'app:2' ? 'unready' : 'ready')
    await image(cluster, 'app:2')
    await cluster.advance(5000)
    expect((await setsOf(cluster)).map((set) => set.spec.replicas)).toEqual([8, 5])
    await spec(cluster, { replicas: 15 })
    expect((await setsOf(cluster)).map((set) => set.spec.replicas)).toEqual([11, 7])
    expect((await setsOf(cluster)).map(({ metadata }) => metadata.annotations?.['deployment.kubernetes.io/max-replicas'])).toEqual([
      '18',
      '18',
    ])
  })

  it('does nothing with a new template while paused, but scales', async () => {
    await using cluster = await start()
    await cluster.client.create(deployment, deploymentOf('web', { replicas: 2 }))
    await cluster.advance(1000)
    await spec(cluster, { paused: true })
    expect(await condition(cluster, 'Progressing')).toMatchObject({
      status: 'Unknown',
      reason: 'DeploymentPaused',
      message: 'Deployment is paused',
    })
    await image(cluster, 'app:2')
    await spec(cluster, { replicas: 3 })
    await cluster.advance(5000)
    expect((await setsOf(cluster)).map((set) => set.spec.replicas)).toEqual([3])
    await spec(cluster, { paused: false })
    await cluster.advance(10_000)
    expect((await setsOf(cluster)).map((set) => set.spec.replicas)).toEqual([0, 3])
    expect(await condition(cluster, 'Progressing')).toMatchObject({ status: 'True', reason: 'NewReplicaSetAvailable' })
  })

  it('says when a rollout makes no progress within its deadline, and when it does again', async () => {
    await using cluster = await start()
    const { nodes } = cluster
    nodes.behaviour = () => 'unready'
    await cluster.client.create(deployment, deploymentOf('web', { replicas: 2, progressDeadlineSeconds: 60 }))
    await cluster.advance(59_000)
    expect(await condition(cluster, 'Progressing')).toMatchObject({ status: 'True' })
    await cluster.advance(5000)
    const name = (await setsOf(cluster))[0]?.metadata.name
    expect(await condition(cluster, 'Progressing')).toMatchObject({
      status: 'False',
      reason: 'ProgressDeadlineExceeded',
      message: `ReplicaSet "${name}" has timed out progressing.`,
    })
    const { writes } = cluster
    const before = writes.length
    await cluster.advance(600_000)
    expect(writes.length).toBe(before)
    nodes.behaviour = () => 'ready'
    nodes.refresh()
    await cluster.quiet()
    expect(await condition(cluster, 'Progressing')).toMatchObject({ status: 'True', reason: 'NewReplicaSetAvailable' })
  })

  it('counts pods as available after minReadySeconds only', async () => {
    await using cluster = await start()
    await cluster.client.create(deployment, deploymentOf('web', { replicas: 1, minReadySeconds: 20 }))
    await cluster.advance(15_000)
    expect((await get(cluster)).status).toMatchObject({ readyReplicas: 1, unavailableReplicas: 1 })
    await cluster.advance(7000)
    expect((await get(cluster)).status.availableReplicas).toBe(1)
  })

  it('tells why its ReplicaSet has no pods', async () => {
    await using cluster = await start({
      server: {
        checks: [
          async ({ operation, kind }) => {
            if (operation === 'CREATE' && kind.kind === 'Pod') throw forbidden(kind, '', 'not today')
          },
        ],
      },
    })
    await cluster.client.create(deployment, deploymentOf('web', { replicas: 2 }))
    await cluster.advance(2000)
    const failure = await condition(cluster, 'ReplicaFailure')
    expect(failure).toMatchObject({ status: 'True', reason: 'FailedCreate' })
    expect(failure?.message).toContain('not today')
  })

  it('tells why it cannot make a ReplicaSet', async () => {
    await using cluster = await start({
      server: {
        checks: [
          async ({ operation, kind }) => {
            if (operation === 'CREATE' && kind.kind === 'ReplicaSet') throw forbidden(kind, '', 'not today')
          },
        ],
      },
    })
    await cluster.client.create(deployment, deploymentOf('web'))
    await cluster.advance(1000)
    expect(await condition(cluster, 'Progressing')).toMatchObject({ status: 'False', reason: 'ReplicaSetCreateError' })
    expect((await cluster.events('web'))[0]).toMatch(/^ReplicaSetCreateError: Failed to create new replica set "web-.*not today/)
  })

  it('takes another name when the hash is taken by another template', async () => {
    await using cluster = await start()
    const { client } = cluster
    const labels = { app: 'web' }
    await client.create(deployment, deploymentOf('probe', { template: template(labels), selector: { matchLabels: labels }, paused: true }))
    const hash = templateHash((await client.get(deployment, { namespace: NAMESPACE, name: 'probe' })).spec.template)
    const other = { app: 'someone-else' }
    await client.create(replicaSet, {
      metadata: { name: `web-${hash}`, namespace: NAMESPACE },
      spec: { replicas: 0, selector: { matchLabels: other }, template: template(other) },
    })
    await client.create(deployment, deploymentOf('web'))
    await cluster.advance(5000)
    const { status } = await get(cluster)
    expect(status).toMatchObject({ collisionCount: 1, availableReplicas: 1 })
  })

  it('adopts a ReplicaSet with its template, and marks it with a revision', async () => {
    await using cluster = await start()
    const { client } = cluster
    const labels = { app: 'web', 'pod-template-hash': 'abc' }
    await client.create(replicaSet, {
      metadata: { name: 'made-before', namespace: NAMESPACE, labels },
      spec: { replicas: 1, selector: { matchLabels: labels }, template: template(labels) },
    })
    await client.create(deployment, deploymentOf('web', { replicas: 2 }))
    await cluster.advance(3000)
    expect((await setsOf(cluster)).map(({ metadata, spec: { replicas } }) => [metadata.name, replicas])).toEqual([['made-before', 2]])
    expect(revision(await get(cluster))).toBe(1)
  })

  it('copies annotations such as the cause of a change to the ReplicaSet, and leaves kubectl apply its own', async () => {
    await using cluster = await start()
    const annotations = { 'kubernetes.io/change-cause': 'first', 'kubectl.kubernetes.io/last-applied-configuration': '{}' }
    const draft = deploymentOf('web')
    await cluster.client.create(deployment, { ...draft, metadata: { ...draft.metadata, annotations } })
    await cluster.advance(1000)
    const copied = (await setsOf(cluster))[0]?.metadata.annotations
    expect(copied).toMatchObject({ 'kubernetes.io/change-cause': 'first' })
    expect(copied).not.toHaveProperty('kubectl.kubernetes.io/last-applied-configuration')
  })

  it('stops writing once all is as declared', async () => {
    await using cluster = await start()
    await cluster.client.create(deployment, deploymentOf('web', { replicas: 3 }))
    await cluster.advance(5000)
    const before = cluster.writes.length
    await cluster.advance(3_600_000)
    expect(cluster.writes.length).toBe(before)
    expect(before).toBeLessThan(25)
  })
})
