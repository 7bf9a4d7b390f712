import { describe, expect, it } from 'vitest'
import { node as nodeKind } from '../../api/core/v1/node.ts'
import { faultyClient } from '../../client/testing/faulty-client.ts'
import { seededRandom } from '../../base/random.ts'
import { startCluster, type TestCluster } from '../testing/cluster.ts'

const only = ['node-ipam-controller']
const options = { clusterCidr: '10.244.0.0/22' }

const add = ({ client }: TestCluster, name: string, podCIDR?: string) =>
  client.create(nodeKind, { metadata: { name }, ...(podCIDR ? { spec: { podCIDR } } : {}) })
const blocks = async ({ client }: TestCluster) =>
  Object.fromEntries((await client.list(nodeKind)).items.map(({ metadata, spec }) => [metadata.name, spec.podCIDRs ?? []]))

describe('node address management', () => {
  it('gives each node a block of its own, and keeps what a node brings', async () => {
    await using cluster = await startCluster({ only, options })
    await add(cluster, 'own', '10.244.1.0/24')
    await Promise.all([add(cluster, 'a'), add(cluster, 'b')])
    await cluster.quiet()
    const found = await blocks(cluster)
    expect(found['own']).toEqual(['10.244.1.0/24'])
    expect(new Set([found['a'], found['b']].flat())).toEqual(new Set(['10.244.0.0/24', '10.244.2.0/24']))
    expect((await cluster.client.get(nodeKind, { name: 'a' })).spec.podCIDR).toBe(found['a']?.[0])
    expect(cluster.complaints).toEqual([])
  })

  it('says that there is none left, and gives one that comes free to who waits', async () => {
    await using cluster = await startCluster({ only, options })
    for (const name of ['a', 'b', 'c', 'd', 'e']) await add(cluster, name)
    await cluster.quiet()
    expect((await blocks(cluster))['e']).toEqual([])
    expect(await cluster.events('e')).toEqual(['CIDRNotAvailable: Node e status is now: CIDRNotAvailable'])
    const free = (await blocks(cluster))['b']
    await cluster.client.delete(nodeKind, { name: 'b' })
    await cluster.quiet()
    expect((await blocks(cluster))['e']).toEqual(free)
  })

  it('never gives one block to two nodes, whatever answers are lost', async () => {
    await using cluster = await startCluster({
      only,
      options: { clusterCidr: '10.244.0.0/16' },
      wrap: (client) => faultyClient(client, { unavailable: 0.2, lostAnswers: 0.3, brokenWatches: 0.1 }, seededRandom(3)),
    })
    for (let i = 0; i < 40; i++) await add(cluster, `node-${i}`)
    for (let i = 0; i < 30; i++) await cluster.advance(10_000)
    const found = Object.values(await blocks(cluster)).flat()
    expect(new Set(found).size).toBe(40)
    expect(found).toHaveLength(40)
  })
})
