import { describe, expect, it } from 'vitest'
import { node as nodeKind } from '../../api/core/v1/node.ts'
import type { Route, RouteProvider } from '../runtime/options.ts'
import { startCluster, type TestCluster } from '../testing/cluster.ts'

const only = ['node-route-controller']

/** A network that remembers what it was told. */
class FakeNetwork implements RouteProvider {
  routes: Route[]
  broken = false

  constructor(...routes: Route[]) {
    this.routes = routes
  }
  async list(): Promise<readonly Route[]> {
    return [...this.routes]
  }
  async create(route: Route): Promise<void> {
    if (this.broken) throw new Error('quota exceeded')
    this.routes.push(route)
  }
  async delete({ node, cidr }: Route): Promise<void> {
    this.routes = this.routes.filter((route) => route.node !== node || route.cidr !== cidr)
  }
}

const start = (network: FakeNetwork) => startCluster({ only, options: { routes: network, clusterCidr: '10.244.0.0/16' } })
const addNode = ({ client }: TestCluster, name: string, podCIDR: string) =>
  client.create(nodeKind, { metadata: { name }, spec: { podCIDR, podCIDRs: [podCIDR] } })
const network = async ({ client }: TestCluster, name: string) =>
  (await client.get(nodeKind, { name })).status.conditions?.find(({ type }) => type === 'NetworkUnavailable')

describe('the route controller', () => {
  it('makes a way to each node, and says so on the node', async () => {
    const fake = new FakeNetwork()
    await using cluster = await start(fake)
    await addNode(cluster, 'a', '10.244.1.0/24')
    await addNode(cluster, 'b', '10.244.2.0/24')
    await cluster.quiet()
    expect(fake.routes).toEqual([
      { node: 'a', cidr: '10.244.1.0/24' },
      { node: 'b', cidr: '10.244.2.0/24' },
    ])
    expect(await network(cluster, 'a')).toMatchObject({ status: 'False', reason: 'RouteCreated' })
    const writes = cluster.writes.length
    await cluster.advance(60_000)
    expect(cluster.writes.length).toBe(writes)
  })

  it('takes ways to nodes that are gone back, and leaves those that are not of pods', async () => {
    const elsewhere = { node: 'office', cidr: '192.168.0.0/24' }
    const fake = new FakeNetwork({ node: 'gone', cidr: '10.244.9.0/24' }, elsewhere)
    await using cluster = await start(fake)
    await addNode(cluster, 'a', '10.244.1.0/24')
    await cluster.quiet()
    expect(fake.routes).toEqual([elsewhere, { node: 'a', cidr: '10.244.1.0/24' }])
    await cluster.client.delete(nodeKind, { name: 'a' })
    await cluster.quiet()
    expect(fake.routes).toEqual([elsewhere])
  })

  it('says where there is no way, and makes it when it can', async () => {
    const fake = new FakeNetwork()
    fake.broken = true
    await using cluster = await start(fake)
    await addNode(cluster, 'a', '10.244.1.0/24')
    await cluster.quiet()
    expect(await network(cluster, 'a')).toMatchObject({ status: 'True', reason: 'NoRouteCreated' })
    expect(await cluster.events('a')).toContain('FailedToCreateRoute: Could not create route to a for 10.244.1.0/24: quota exceeded')
    fake.broken = false
    await cluster.advance(10_000)
    expect(await network(cluster, 'a')).toMatchObject({ status: 'False' })
    fake.routes = []
    await cluster.advance(10_000)
    expect(fake.routes).toHaveLength(1)
  })

  it('does not run where nobody knows of ways', async () => {
    await using cluster = await startCluster({ only })
    await addNode(cluster, 'a', '10.244.1.0/24')
    await cluster.quiet()
    expect(await network(cluster, 'a')).toBeUndefined()
  })
})
