import { describe, expect, it } from 'vitest'
import { replicaSet } from '../../api/apps/v1/replica-set.ts'
import { pod as podKind } from '../../api/core/v1/pod.ts'
import { replicationController } from '../../api/core/v1/replication-controller.ts'
import { findCondition } from '../../machinery/conditions.ts'
import { controllerOf } from '../../machinery/object.ts'
import { forbidden } from '../../machinery/status.ts'
import { NAMESPACE, startCluster } from '../testing/cluster.ts'
import { replicaSetOf, template } from '../testing/objects.ts'

const only = ['replicaset-controller']
const web = { namespace: NAMESPACE, name: 'web' }

describe('the ReplicaSet controller', () => {
  it('creates its pods, says so, and counts them once they are ready', async () => {
    await using cluster = await startCluster({ only, hollow: { nodes: 2, startDelay: 5000 } })
    const { client } = cluster
    await client.create(replicaSet, replicaSetOf('web', { replicas: 3 }))
    await cluster.quiet()
    const { items } = await client.list(podKind, { namespace: NAMESPACE })
    expect(items).toHaveLength(3)
    for (const pod of items) {
      expect(pod.metadata.name).toMatch(/^web-[a-z0-9]{5}$/)
      expect(controllerOf(pod)).toMatchObject({ kind: 'ReplicaSet', name: 'web', blockOwnerDeletion: true })
    }
    expect((await client.get(replicaSet, web)).status).toEqual({
      replicas: 3,
      fullyLabeledReplicas: 3,
      observedGeneration: 1,
      terminatingReplicas: 0,
    })
    await cluster.advance(5000)
    expect((await client.get(replicaSet, web)).status).toMatchObject({ readyReplicas: 3, availableReplicas: 3 })
    expect((await cluster.events('web')).sort()).toEqual(
      items.map(({ metadata }) => `SuccessfulCreate: Created pod: ${metadata.name}`).sort(),
    )
    expect(cluster.complaints).toEqual([])
  })

  it('counts a pod as available when it has been ready for minReadySeconds, without being told again', async () => {
    await using cluster = await startCluster({ only, hollow: {} })
    const { client } = cluster
    await client.create(replicaSet, replicaSetOf('web', { replicas: 1, minReadySeconds: 30 }))
    await cluster.advance(29_000)
    expect((await client.get(replicaSet, web)).status).toMatchObject({ readyReplicas: 1 })
    expect((await client.get(replicaSet, web)).status.availableReplicas).toBeUndefined()
    await cluster.advance(1500)
    expect((await client.get(replicaSet, web)).status.availableReplicas).toBe(1)
  })

  it('removes first what is worth least', async () => {
    await using cluster = await startCluster({ only, hollow: {} })
    const { client, nodes } = cluster
    nodes.behaviour = (pod) => (pod.metadata.labels?.['lame'] ? 'unready' : 'ready')
    await client.create(replicaSet, replicaSetOf('web', { replicas: 4 }))
    await cluster.quiet()
    const names = (await client.list(podKind, { namespace: NAMESPACE })).items.map(({ metadata }) => metadata.name)
    const [costly = '', cheap = '', lame = '', plain = ''] = names
    const annotate = (name: string, body: unknown) => client.patch(podKind, { namespace: NAMESPACE, name }, { type: 'merge', body })
    await annotate(costly, { metadata: { annotations: { 'controller.kubernetes.io/pod-deletion-cost': '100' } } })
    await annotate(cheap, { metadata: { annotations: { 'controller.kubernetes.io/pod-deletion-cost': '-5' } } })
    await annotate(lame, { metadata: { labels: { lame: 'yes' } } })
    nodes.refresh()
    await cluster.quiet()
    const left = async (replicas: number) => {
      await client.patch(replicaSet, web, { type: 'merge', body: { spec: { replicas } } })
      await cluster.quiet()
      return (await client.list(podKind, { namespace: NAMESPACE })).items.map(({ metadata }) => metadata.name).sort()
    }
    expect(await left(3)).toEqual([costly, cheap, plain].sort())
    expect(await left(2)).toEqual([costly, plain].sort())
    expect(await left(1)).toEqual([costly])
    expect((await cluster.events('web')).filter((text) => text.startsWith('SuccessfulDelete'))).toHaveLength(3)
  })

  it('adopts what it selects, and lets go what it no longer selects', async () => {
    await using cluster = await startCluster({ only, hollow: {} })
    const { client } = cluster
    const at = { namespace: NAMESPACE, name: 'lonely' }
    await client.create(podKind, { ...template({ app: 'web' }), metadata: { ...at, labels: { app: 'web' } } })
    await client.create(replicaSet, replicaSetOf('web', { replicas: 1 }))
    await cluster.quiet()
    expect((await client.list(podKind, { namespace: NAMESPACE })).items.map(({ metadata }) => metadata.name)).toEqual(['lonely'])
    expect(controllerOf(await client.get(podKind, at))).toMatchObject({ name: 'web', controller: true })

    await client.patch(podKind, at, { type: 'merge', body: { metadata: { labels: { app: 'other' } } } })
    await cluster.quiet()
    expect(controllerOf(await client.get(podKind, at))).toBeUndefined()
    expect((await client.list(podKind, { namespace: NAMESPACE, labelSelector: 'app=web' })).items).toHaveLength(1)
  })

  it('replaces pods that failed or are being deleted', async () => {
    await using cluster = await startCluster({ only, hollow: { stopDelay: 20_000 } })
    const { client, nodes } = cluster
    await client.create(replicaSet, replicaSetOf('web', { replicas: 2 }))
    await cluster.quiet()
    const [failing, leaving] = (await client.list(podKind, { namespace: NAMESPACE })).items
    nodes.behaviour = (pod) => (pod.metadata.name === failing?.metadata.name ? 'fail' : 'ready')
    nodes.refresh()
    await client.delete(podKind, leaving?.metadata ?? { name: '' })
    await cluster.quiet()
    const { items } = await client.list(podKind, { namespace: NAMESPACE })
    expect(items).toHaveLength(4)
    expect((await client.get(replicaSet, web)).status).toMatchObject({ replicas: 2, readyReplicas: 2, terminatingReplicas: 1 })
  })

  it('says why it cannot create pods, tries few at a time, and clears the condition afterwards', async () => {
    let refuse = true
    let attempts = 0
    await using cluster = await startCluster({
      only,
      hollow: {},
      server: {
        checks: [
          async ({ operation, kind }) => {
            if (refuse && operation === 'CREATE' && kind.kind === 'Pod') throw forbidden(kind, `web-${++attempts}`, 'exceeded quota: tiny')
          },
        ],
      },
    })
    const { client } = cluster
    await client.create(replicaSet, replicaSetOf('web', { replicas: 10 }))
    await cluster.quiet()
    const condition = findCondition((await client.get(replicaSet, web)).status.conditions, 'ReplicaFailure')
    expect(condition).toMatchObject({
      status: 'True',
      reason: 'FailedCreate',
      message: expect.stringContaining('exceeded quota: tiny') as string,
    })
    expect(cluster.writes.filter((write) => write.startsWith('create pods')).length).toBeLessThan(5)
    expect((await cluster.events('web'))[0]).toMatch(/^FailedCreate: Error creating: pods .*exceeded quota: tiny/)
    refuse = false
    await cluster.advance(60_000)
    expect((await client.get(replicaSet, web)).status).toMatchObject({ replicas: 10 })
    expect((await client.get(replicaSet, web)).status.conditions).toBeUndefined()
  })

  it('leaves another set of the same name and its pods alone', async () => {
    await using cluster = await startCluster({ only, hollow: {} })
    const { client } = cluster
    await client.create(replicaSet, replicaSetOf('web', { replicas: 1 }))
    await cluster.quiet()
    await client.delete(replicaSet, web, { propagationPolicy: 'Background' })
    await client.create(replicaSet, replicaSetOf('web', { replicas: 1 }))
    await cluster.quiet()
    const owners = (await client.list(podKind, { namespace: NAMESPACE })).items.map((pod) => controllerOf(pod)?.uid)
    expect(new Set(owners).size).toBe(2)
  })
})

describe('the ReplicationController controller', () => {
  it('keeps as many pods as there should be', async () => {
    await using cluster = await startCluster({ only: ['replicationcontroller-controller'], hollow: {} })
    const { client } = cluster
    const spec = { replicas: 2, selector: { app: 'old' }, template: template({ app: 'old' }) }
    await client.create(replicationController, { metadata: { name: 'old', namespace: NAMESPACE }, spec })
    await cluster.quiet()
    const { status } = await client.get(replicationController, { namespace: NAMESPACE, name: 'old' })
    expect(status).toMatchObject({ replicas: 2, readyReplicas: 2, availableReplicas: 2, fullyLabeledReplicas: 2 })
    expect(status).not.toHaveProperty('terminatingReplicas')
  })
})
