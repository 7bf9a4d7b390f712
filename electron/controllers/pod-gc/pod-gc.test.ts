import { describe, expect, it } from 'vitest'
import { node as nodeKind } from '../../api/core/v1/node.ts'
import { pod as podKind } from '../../api/core/v1/pod.ts'
import type { Pod } from '../../api/core/v1/types.gen.ts'
import { findCondition } from '../../machinery/conditions.ts'
import { OUT_OF_SERVICE } from '../node/taints.ts'
import { NAMESPACE, startCluster, type ClusterOptions, type TestCluster } from '../testing/cluster.ts'
import { template } from '../testing/objects.ts'

const only = ['pod-garbage-collector-controller']
const start = (more: Partial<ClusterOptions> = {}) => startCluster({ only, hollow: { nodes: 2 }, ...more })

const run = ({ client }: TestCluster, name: string, metadata: { finalizers?: string[] } = {}) =>
  client.create(podKind, { ...template({}), metadata: { name, namespace: NAMESPACE, ...metadata } })
const names = async ({ client }: TestCluster) =>
  (await client.list(podKind, { namespace: NAMESPACE })).items.map(({ metadata }) => metadata.name)
const get = ({ client }: TestCluster, name: string): Promise<Pod> => client.get(podKind, { namespace: NAMESPACE, name })

/** Nodes that are gone and register no more. */
async function lose(cluster: TestCluster, name: string): Promise<void> {
  cluster.nodes.names.delete(name)
  await cluster.client.delete(nodeKind, { name })
}

describe('the pod garbage collector', () => {
  it('takes pods of a node that is gone, once it has been gone for a while', async () => {
    await using cluster = await start()
    await run(cluster, 'a', { finalizers: ['example.com/look'] })
    await run(cluster, 'b')
    await cluster.quiet()
    const node = (await get(cluster, 'a')).spec.nodeName ?? ''
    await lose(cluster, node)
    await cluster.advance(39_000)
    expect((await get(cluster, 'a')).metadata.deletionTimestamp).toBeUndefined()
    await cluster.advance(41_000)
    const pod = await get(cluster, 'a')
    expect(pod.metadata.deletionTimestamp).toBeDefined()
    expect(pod.status.phase).toBe('Failed')
    expect(findCondition(pod.status.conditions, 'DisruptionTarget')).toMatchObject({
      reason: 'DeletionByPodGC',
      message: 'PodGC: node no longer exists',
    })
    expect(await names(cluster)).toEqual(['a', 'b'])
    expect(cluster.complaints).toEqual([])
  })

  it('leaves pods of a node that comes back in time', async () => {
    await using cluster = await start()
    await run(cluster, 'a')
    await cluster.quiet()
    const node = (await get(cluster, 'a')).spec.nodeName ?? ''
    await lose(cluster, node)
    await cluster.advance(30_000)
    cluster.nodes.names.add(node)
    cluster.nodes.refresh()
    await cluster.advance(30_000)
    await lose(cluster, node)
    await cluster.advance(30_000)
    expect((await get(cluster, 'a')).metadata.deletionTimestamp).toBeUndefined()
  })

  it('ends what was deleted before it had a node', async () => {
    await using cluster = await start()
    cluster.nodes.schedules = false
    await run(cluster, 'a', { finalizers: ['example.com/look'] })
    await cluster.client.delete(podKind, { namespace: NAMESPACE, name: 'a' })
    await cluster.advance(20_000)
    expect((await get(cluster, 'a')).status.phase).toBe('Failed')
  })

  it('ends the pods that were deleted on a node out of service, if it is not ready either', async () => {
    await using cluster = await start({ hollow: { nodes: 1, stopDelay: 3_600_000 } })
    const { client, nodes } = cluster
    await run(cluster, 'a')
    await run(cluster, 'b')
    await cluster.quiet()
    await client.delete(podKind, { namespace: NAMESPACE, name: 'a' })
    nodes.silent.add('node-0')
    const taint = { key: OUT_OF_SERVICE, value: 'nodeshutdown', effect: 'NoExecute' }
    await client.patch(nodeKind, { name: 'node-0' }, { type: 'merge', body: { spec: { taints: [taint] } } })
    await cluster.advance(60_000)
    expect(await names(cluster)).toEqual(['a', 'b'])
    const body = { status: { conditions: [{ type: 'Ready', status: 'Unknown' }] } }
    await client.patch(nodeKind, { name: 'node-0' }, { type: 'strategic', body }, { subresource: 'status' })
    await cluster.advance(20_000)
    expect(await names(cluster)).toEqual(['b'])
  })

  it('keeps so many ended pods, and lets go first those that were evicted, then the oldest', async () => {
    await using cluster = await start({ options: { terminatedPodThreshold: 2 } })
    const { client, nodes } = cluster
    nodes.behaviour = ({ metadata }) => (metadata.name === 'alive' ? 'ready' : 'succeed')
    for (const name of ['oldest', 'older', 'newest', 'alive']) {
      await run(cluster, name)
      await cluster.advance(1000)
    }
    nodes.behaviour = () => 'fail'
    await run(cluster, 'evicted')
    await cluster.quiet()
    const body = { status: { reason: 'Evicted' } }
    await client.patch(podKind, { namespace: NAMESPACE, name: 'evicted' }, { type: 'merge', body }, { subresource: 'status' })
    await cluster.advance(20_000)
    expect((await names(cluster)).sort()).toEqual(['alive', 'newest', 'older'])
  })

  it('keeps all ended pods where it shall', async () => {
    await using cluster = await start({ options: { terminatedPodThreshold: 0 } })
    cluster.nodes.behaviour = () => 'succeed'
    await run(cluster, 'a')
    await cluster.advance(60_000)
    expect(await names(cluster)).toEqual(['a'])
  })
})
