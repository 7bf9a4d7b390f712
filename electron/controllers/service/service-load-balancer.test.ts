import { describe, expect, it } from 'vitest'
import { node as nodeKind } from '../../api/core/v1/node.ts'
import { service as serviceKind } from '../../api/core/v1/service.ts'
import type { Service } from '../../api/core/v1/types.gen.ts'
import { endpointSlice } from '../../api/discovery/v1/endpoint-slice.ts'
import { machine as machineKind } from '../../api/infra/v1alpha1/machine.ts'
import type { Draft } from '../../api/meta/v1/object.ts'
import { NAMESPACE, startCluster, type TestCluster } from '../testing/cluster.ts'

const FINALIZER = 'service.kubernetes.io/load-balancer-cleanup'
const at = (name: string) => ({ namespace: NAMESPACE, name })
const start = () => startCluster({ only: ['service-lb-controller'], hollow: { nodes: 0 } })

async function addNode({ client }: TestCluster, name: string, address: string, labels: Record<string, string> = {}): Promise<void> {
  const conditions = [{ type: 'Ready', status: 'True' }]
  const made = await client.create(nodeKind, { metadata: { name, labels } })
  const addresses = [
    { type: 'Hostname' as const, address: name },
    { type: 'InternalIP' as const, address },
  ]
  await client.update(nodeKind, { ...made, status: { ...made.status, addresses, conditions } }, { subresource: 'status' })
}

async function setReady({ client }: TestCluster, name: string, status: string): Promise<void> {
  const body = { status: { conditions: [{ type: 'Ready', status }] } }
  await client.patch(nodeKind, { name }, { type: 'merge', body }, { subresource: 'status' })
}

const draft = (name: string, port: number, spec: Draft<Service['spec']> = {}): Draft<Service> => ({
  metadata: at(name),
  spec: { type: 'LoadBalancer', selector: { app: name }, ports: [{ port }], ...spec },
})
const addresses = async ({ client }: TestCluster, name: string) =>
  (await client.get(serviceKind, at(name))).status.loadBalancer.ingress?.map(({ ip }) => ip)

describe('a Service of type LoadBalancer', () => {
  it('is reached at the addresses of the nodes that are ready and not left out', async () => {
    await using cluster = await start()
    await addNode(cluster, 'a', '192.0.2.1')
    await addNode(cluster, 'b', '192.0.2.2')
    await addNode(cluster, 'c', '192.0.2.3', { 'node.kubernetes.io/exclude-from-external-load-balancers': '' })
    await cluster.client.create(serviceKind, draft('web', 80))
    await cluster.quiet()
    expect(await addresses(cluster, 'web')).toEqual(['192.0.2.1', '192.0.2.2'])
    expect((await cluster.client.get(serviceKind, at('web'))).metadata.finalizers).toEqual([FINALIZER])
    await setReady(cluster, 'b', 'Unknown')
    await cluster.quiet()
    expect(await addresses(cluster, 'web')).toEqual(['192.0.2.1'])
    await setReady(cluster, 'a', 'False')
    await cluster.quiet()
    expect(await addresses(cluster, 'web')).toBeUndefined()
    expect(await cluster.events('web')).toEqual([
      'EnsuringLoadBalancer: Ensuring load balancer',
      'EnsuredLoadBalancer: Ensured load balancer',
      'UpdatedLoadBalancer: Updated load balancer with new hosts',
      'UnAvailableLoadBalancer: There are no available nodes for LoadBalancer',
    ])
  })

  it('whose traffic stays on its node is reached where it has endpoints', async () => {
    await using cluster = await start()
    await addNode(cluster, 'a', '192.0.2.1')
    await addNode(cluster, 'b', '192.0.2.2')
    await cluster.client.create(serviceKind, draft('web', 80, { externalTrafficPolicy: 'Local' }))
    await cluster.quiet()
    expect(await addresses(cluster, 'web')).toBeUndefined()
    const endpoints = [{ addresses: ['10.244.0.1'], nodeName: 'b', conditions: { ready: true } }]
    await cluster.client.create(endpointSlice, {
      metadata: { ...at('web-1'), labels: { 'kubernetes.io/service-name': 'web' } },
      addressType: 'IPv4',
      endpoints,
    })
    await cluster.quiet()
    expect(await addresses(cluster, 'web')).toEqual(['192.0.2.2'])
  })

  it('does not get a port that another has, until that is given up', async () => {
    await using cluster = await start()
    await addNode(cluster, 'a', '192.0.2.1')
    for (const name of ['first', 'second']) {
      await cluster.client.create(serviceKind, draft(name, 80))
      await cluster.quiet()
    }
    expect([await addresses(cluster, 'first'), await addresses(cluster, 'second')]).toEqual([['192.0.2.1'], undefined])
    expect(await cluster.events('second')).toContain(
      'SyncLoadBalancerFailed: Error syncing load balancer: failed to ensure load balancer: ' +
        'port 80/TCP of the nodes is taken by the Service test/first; choose another port',
    )
    await cluster.client.delete(serviceKind, at('first'))
    await cluster.quiet()
    expect(await addresses(cluster, 'second')).toEqual(['192.0.2.1'])
  })

  it('never gets a port by which machines are reached', async () => {
    await using cluster = await start()
    await addNode(cluster, 'a', '192.0.2.1')
    const ssh = { host: '192.0.2.1', port: 2222, user: 'root', hostKey: 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIG', auth: 'agent' as const }
    await cluster.client.create(machineKind, { metadata: { name: 'a' }, spec: { provider: 'ssh', ssh } })
    for (const [name, port, protocol] of [
      ['shell', 22, 'TCP'],
      ['other-shell', 2222, 'TCP'],
      ['vxlan', 8472, 'UDP'],
      ['fine', 8472, 'TCP'],
    ] as const) {
      await cluster.client.create(serviceKind, draft(name, port, { ports: [{ port, protocol }] }))
    }
    await cluster.quiet()
    const got = await Promise.all(['shell', 'other-shell', 'vxlan', 'fine'].map((name) => addresses(cluster, name)))
    expect(got).toEqual([undefined, undefined, undefined, ['192.0.2.1']])
    expect((await cluster.events('shell')).at(-1)).toContain('port 22/TCP of the nodes is needed for SSH; choose another port')
  })

  it('of a class that is not ours is left alone', async () => {
    await using cluster = await start()
    await addNode(cluster, 'a', '192.0.2.1')
    await cluster.client.create(serviceKind, draft('theirs', 80, { loadBalancerClass: 'example.com/vip' }))
    await cluster.client.create(serviceKind, draft('ours', 80, { loadBalancerClass: 'flotilla.dev/node-addresses' }))
    await cluster.quiet()
    expect([await addresses(cluster, 'theirs'), await addresses(cluster, 'ours')]).toEqual([undefined, ['192.0.2.1']])
    expect((await cluster.client.get(serviceKind, at('theirs'))).metadata.finalizers).toBeUndefined()
  })

  it('that becomes another type, or goes, leaves nothing behind', async () => {
    await using cluster = await start()
    await addNode(cluster, 'a', '192.0.2.1')
    for (const [i, name] of ['changes', 'goes'].entries()) await cluster.client.create(serviceKind, draft(name, 80 + i))
    await cluster.quiet()
    await cluster.client.patch(serviceKind, at('changes'), { type: 'merge', body: { spec: { type: 'ClusterIP' } } })
    await cluster.client.delete(serviceKind, at('goes'))
    await cluster.quiet()
    const { items } = await cluster.client.list(serviceKind, { namespace: NAMESPACE })
    expect(items.map(({ metadata, status }) => [metadata.name, metadata.finalizers, status.loadBalancer.ingress])).toEqual([
      ['changes', undefined, undefined],
    ])
    const { length } = cluster.writes
    await cluster.advance(60_000)
    expect(cluster.writes).toHaveLength(length)
  })
})
