import { describe, expect, it } from 'vitest'
import { node as nodeKind } from '../../api/core/v1/node.ts'
import { pod as podKind } from '../../api/core/v1/pod.ts'
import { service as serviceKind } from '../../api/core/v1/service.ts'
import type { Pod, Service } from '../../api/core/v1/types.gen.ts'
import { endpointSlice } from '../../api/discovery/v1/endpoint-slice.ts'
import type { EndpointSlice } from '../../api/discovery/v1/types.gen.ts'
import type { Draft } from '../../api/meta/v1/object.ts'
import { deferred } from '../../base/async.ts'
import type { Client } from '../../client/client.ts'
import { forbidden } from '../../machinery/status.ts'
import { NAMESPACE, startCluster, type ClusterOptions, type TestCluster } from '../testing/cluster.ts'
import { overrideClient } from '../testing/override-client.ts'
import { MANAGER, MANAGER_LABEL, SERVICE_LABEL } from './endpoint-slice.ts'

const only = ['endpointslice-controller']
const ZONE = 'topology.kubernetes.io/zone'
const start = (options: Partial<ClusterOptions> = {}) =>
  startCluster({ only, hollow: { nodes: 2, stopDelay: 5000, labels: (i) => ({ [ZONE]: `zone-${i}` }) }, ...options })

const serviceOf = (spec: Draft<Service['spec']> = {}, labels: Record<string, string> = {}): Draft<Service> => ({
  metadata: { name: 'web', namespace: NAMESPACE, labels },
  spec: { selector: { app: 'web' }, ports: [{ name: 'http', port: 80, targetPort: 'http' }], ...spec },
})
const podOf = (name: string, spec: Draft<Pod['spec']> = {}, port = 8080): Draft<Pod> => ({
  metadata: { name, namespace: NAMESPACE, labels: { app: 'web' } },
  spec: { containers: [{ name: 'app', image: 'app:1', ports: [{ name: 'http', containerPort: port }] }], ...spec },
})
const slicesOf = async ({ client }: TestCluster): Promise<readonly EndpointSlice[]> =>
  (await client.list(endpointSlice, { namespace: NAMESPACE, labelSelector: `${SERVICE_LABEL}=web` })).items
const endpointsOf = async (cluster: TestCluster) => (await slicesOf(cluster)).flatMap(({ endpoints }) => endpoints ?? [])
const conditionsOf = async (cluster: TestCluster) =>
  Object.fromEntries((await endpointsOf(cluster)).map(({ targetRef, conditions }) => [targetRef?.name, conditions]))
const change = async (cluster: TestCluster, spec: unknown, metadata: unknown = {}) => {
  await cluster.client.patch(serviceKind, { namespace: NAMESPACE, name: 'web' }, { type: 'merge', body: { spec, metadata } })
  await cluster.quiet()
}

describe('the EndpointSlice controller', () => {
  it('tells of each pod its address, ports, node and zone, in a slice that goes with the service', async () => {
    await using cluster = await start()
    const { client } = cluster
    const service = await client.create(serviceKind, serviceOf({}, { team: 'blue' }))
    await client.create(podKind, podOf('a'))
    await cluster.quiet()
    const [slice, ...others] = await slicesOf(cluster)
    const pod = await client.get(podKind, { namespace: NAMESPACE, name: 'a' })
    expect(others).toEqual([])
    expect(slice?.metadata.name).toMatch(/^web-[a-z0-9]{5}$/)
    expect(slice?.metadata.labels).toEqual({ team: 'blue', [SERVICE_LABEL]: 'web', [MANAGER_LABEL]: MANAGER })
    expect(slice?.metadata.ownerReferences).toEqual([
      { apiVersion: 'v1', kind: 'Service', name: 'web', uid: service.metadata.uid, controller: true, blockOwnerDeletion: true },
    ])
    expect(slice).toMatchObject({ addressType: 'IPv4', ports: [{ name: 'http', port: 8080, protocol: 'TCP' }] })
    expect(slice?.endpoints).toEqual([
      {
        addresses: [pod.status.podIP],
        conditions: { ready: true, serving: true, terminating: false },
        nodeName: pod.spec.nodeName,
        zone: `zone-${pod.spec.nodeName?.slice(-1)}`,
        targetRef: { kind: 'Pod', namespace: NAMESPACE, name: 'a', uid: pod.metadata.uid },
      },
    ])
    expect(cluster.complaints).toEqual([])
  })

  it('keeps a pod that ends serving but not ready, and drops it when it is gone', async () => {
    await using cluster = await start()
    const { client, nodes } = cluster
    nodes.behaviour = (pod) => (pod.metadata.name === 'lame' ? 'unready' : 'ready')
    await client.create(serviceKind, serviceOf())
    for (const name of ['fine', 'lame', 'leaving']) await client.create(podKind, podOf(name))
    await cluster.quiet()
    await client.delete(podKind, { namespace: NAMESPACE, name: 'leaving' })
    await cluster.quiet()
    expect(await conditionsOf(cluster)).toEqual({
      fine: { ready: true, serving: true, terminating: false },
      lame: { ready: false, serving: false, terminating: false },
      leaving: { ready: false, serving: true, terminating: true },
    })
    await cluster.advance(6000)
    expect(Object.keys(await conditionsOf(cluster))).toEqual(['fine', 'lame'])
  })

  it('calls all ready where addresses are published before pods are', async () => {
    await using cluster = await start()
    const { client, nodes } = cluster
    nodes.behaviour = () => 'unready'
    await client.create(serviceKind, serviceOf({ publishNotReadyAddresses: true }))
    await client.create(podKind, podOf('a'))
    await cluster.quiet()
    expect(await conditionsOf(cluster)).toEqual({ a: { ready: true, serving: false, terminating: false } })
    await change(cluster, { publishNotReadyAddresses: false })
    expect(await conditionsOf(cluster)).toEqual({ a: { ready: false, serving: false, terminating: false } })
  })

  it('leaves pods out that have ended', async () => {
    await using cluster = await start()
    const { client, nodes } = cluster
    nodes.behaviour = (pod) => (pod.metadata.name === 'done' ? 'succeed' : 'ready')
    await client.create(serviceKind, serviceOf())
    await client.create(podKind, podOf('done'))
    await client.create(podKind, podOf('a'))
    await cluster.quiet()
    expect(Object.keys(await conditionsOf(cluster))).toEqual(['a'])
  })

  it('marks slices of headless services and names their pods', async () => {
    await using cluster = await start()
    const { client } = cluster
    await client.create(serviceKind, serviceOf({ clusterIP: 'None', ports: [] }))
    await client.create(podKind, podOf('named', { hostname: 'db-0', subdomain: 'web' }))
    await client.create(podKind, podOf('other', { hostname: 'db-1', subdomain: 'elsewhere' }))
    await cluster.quiet()
    const [slice] = await slicesOf(cluster)
    expect(slice?.metadata.labels).toHaveProperty('service.kubernetes.io/headless', '')
    expect(slice?.ports).toEqual([])
    expect(slice?.endpoints?.map(({ hostname }) => hostname)).toEqual(['db-0', undefined])
  })

  it('splits by what a named port means on each pod, and follows a change of ports in the same slices', async () => {
    await using cluster = await start()
    const { client } = cluster
    await client.create(serviceKind, serviceOf())
    await client.create(podKind, podOf('old', {}, 8080))
    await client.create(podKind, podOf('new', {}, 9090))
    await client.create(podKind, podOf('none', { containers: [{ name: 'app', image: 'app:1' }] }))
    await cluster.quiet()
    const byPort = async () =>
      Object.fromEntries(
        (await slicesOf(cluster)).map(({ ports, endpoints }) => [ports?.[0]?.port ?? '-', endpoints?.map((e) => e.targetRef?.name)]),
      )
    expect(await byPort()).toEqual({ 8080: ['old'], 9090: ['new'], '-': ['none'] })
    const names = (await slicesOf(cluster)).map(({ metadata }) => metadata.name)
    await change(cluster, { ports: [{ name: 'http', port: 80, targetPort: 7000 }] })
    expect(await byPort()).toEqual({ 7000: ['new', 'none', 'old'] })
    expect(names).toContain((await slicesOf(cluster))[0]?.metadata.name)
  })

  it('keeps an empty slice where nothing answers', async () => {
    await using cluster = await start()
    await cluster.client.create(serviceKind, serviceOf())
    await cluster.quiet()
    expect(await slicesOf(cluster)).toMatchObject([{ addressType: 'IPv4', endpoints: [], ports: [] }])
    await cluster.client.create(podKind, podOf('a'))
    await cluster.quiet()
    expect(cluster.writes.filter((write) => write.startsWith('create endpointslices'))).toHaveLength(1)
    expect(await endpointsOf(cluster)).toHaveLength(1)
  })

  it('writes nothing for services without a selector or of an outside name, nor to slices of others', async () => {
    await using cluster = await start()
    const { client } = cluster
    await client.create(serviceKind, { ...serviceOf(), spec: { ports: [{ port: 80 }] } })
    await client.create(serviceKind, {
      metadata: { name: 'outside', namespace: NAMESPACE },
      spec: { type: 'ExternalName', externalName: 'example.com', selector: { app: 'web' } },
    })
    await client.create(endpointSlice, {
      metadata: { name: 'manual', namespace: NAMESPACE, labels: { [SERVICE_LABEL]: 'web' } },
      addressType: 'IPv4',
      endpoints: [{ addresses: ['192.0.2.7'] }],
    })
    await client.create(podKind, podOf('a'))
    await cluster.quiet()
    expect(cluster.writes).toEqual([])
    await change(cluster, { selector: { app: 'web' } })
    expect((await slicesOf(cluster)).map(({ metadata, endpoints }) => [metadata.name === 'manual', endpoints?.length])).toEqual([
      [true, 1],
      [false, 1],
    ])
  })

  it('holds a hundred endpoints in a slice, and fills gaps without a new slice', async () => {
    await using cluster = await start()
    const { client } = cluster
    await client.create(serviceKind, serviceOf())
    for (let i = 0; i < 130; i++) await client.create(podKind, podOf(`p-${i}`))
    await cluster.advance(1000)
    const sizes = async () => (await slicesOf(cluster)).map(({ endpoints }) => endpoints?.length ?? 0).sort((a, b) => b - a)
    const total = async () => (await sizes()).reduce((sum, size) => sum + size, 0)
    expect(await total()).toBe(130)
    expect(Math.max(...(await sizes()))).toBeLessThanOrEqual(100)
    const before = (await sizes()).length
    for (let i = 0; i < 20; i++) await client.delete(podKind, { namespace: NAMESPACE, name: `p-${i}` }, { gracePeriodSeconds: 0 })
    await cluster.advance(6000)
    for (let i = 0; i < 20; i++) await client.create(podKind, podOf(`q-${i}`))
    await cluster.advance(1000)
    expect(await total()).toBe(130)
    expect(await sizes()).toHaveLength(before)
  })

  it('writes only what changed, and mends what others spoilt', async () => {
    await using cluster = await start()
    const { client } = cluster
    await client.create(serviceKind, serviceOf())
    await client.create(podKind, podOf('a'))
    await cluster.quiet()
    const { length } = cluster.writes
    const at = { namespace: NAMESPACE, name: 'a' }
    await client.patch(podKind, at, { type: 'merge', body: { metadata: { annotations: { note: 'x' } } } })
    await change(cluster, {}, { annotations: { note: 'x' } })
    await client.patch(nodeKind, { name: 'node-0' }, { type: 'merge', body: { metadata: { labels: { rack: '7' } } } })
    await cluster.advance(60_000)
    expect(cluster.writes).toHaveLength(length)

    const [slice] = await slicesOf(cluster)
    await client.patch(endpointSlice, slice?.metadata ?? { name: '' }, { type: 'merge', body: { endpoints: [] } })
    await cluster.quiet()
    expect(await endpointsOf(cluster)).toHaveLength(1)
    await client.delete(endpointSlice, slice?.metadata ?? { name: '' })
    await cluster.quiet()
    expect(await endpointsOf(cluster)).toHaveLength(1)
  })

  it('follows the labels of services, pods and nodes', async () => {
    await using cluster = await start()
    const { client } = cluster
    await client.create(serviceKind, serviceOf({}, { team: 'blue' }))
    await client.create(podKind, podOf('a'))
    await cluster.quiet()
    await change(cluster, {}, { labels: { team: 'red' } })
    expect((await slicesOf(cluster))[0]?.metadata.labels).toHaveProperty('team', 'red')
    const node = (await endpointsOf(cluster))[0]?.nodeName ?? ''
    await client.patch(nodeKind, { name: node }, { type: 'merge', body: { metadata: { labels: { [ZONE]: 'moved' } } } })
    await cluster.quiet()
    expect((await endpointsOf(cluster))[0]?.zone).toBe('moved')
    await client.patch(podKind, { namespace: NAMESPACE, name: 'a' }, { type: 'merge', body: { metadata: { labels: { app: 'x' } } } })
    await cluster.quiet()
    expect(await endpointsOf(cluster)).toEqual([])
  })

  it('gives hints for the traffic that the service wishes', async () => {
    await using cluster = await start()
    const { client } = cluster
    await client.create(serviceKind, serviceOf({ trafficDistribution: 'PreferSameNode' }))
    await client.create(podKind, podOf('a'))
    await cluster.quiet()
    const [endpoint] = await endpointsOf(cluster)
    expect(endpoint?.hints).toEqual({ forZones: [{ name: endpoint?.zone }], forNodes: [{ name: endpoint?.nodeName }] })
    await change(cluster, { trafficDistribution: 'PreferClose' })
    expect((await endpointsOf(cluster))[0]?.hints).toEqual({ forZones: [{ name: endpoint?.zone }] })
  })

  it('makes no second slice while it has not seen its first', async () => {
    const gate = deferred<void>()
    const wrap = (client: Client) =>
      overrideClient(client, {
        async *watch(kind, options) {
          for await (const event of client.watch(kind, options)) {
            if (kind.resource === endpointSlice.resource) await gate.promise
            yield event
          }
        },
      })
    await using cluster = await start({ wrap })
    await using _open = { [Symbol.asyncDispose]: async () => gate.resolve() }
    await cluster.client.create(serviceKind, serviceOf())
    await cluster.quiet()
    await cluster.client.create(podKind, podOf('a'))
    await cluster.quiet()
    expect(await slicesOf(cluster)).toHaveLength(1)
    expect(await endpointsOf(cluster)).toEqual([])
    gate.resolve()
    await cluster.quiet()
    expect(await slicesOf(cluster)).toHaveLength(1)
    expect(await endpointsOf(cluster)).toHaveLength(1)
  })

  it('says when slices are refused, and tries again', async () => {
    let refuse = true
    await using cluster = await start({
      server: {
        checks: [
          async ({ operation, kind, namespace }) => {
            if (refuse && operation === 'CREATE' && kind === endpointSlice && namespace === NAMESPACE) throw forbidden(kind, '', 'no room')
          },
        ],
      },
    })
    await cluster.client.create(serviceKind, serviceOf())
    await cluster.quiet()
    expect((await cluster.events('web'))[0]).toMatch(
      /^FailedToUpdateEndpointSlices: Error updating Endpoint Slices for Service test\/web: .*no room/,
    )
    refuse = false
    await cluster.advance(60_000)
    expect(await slicesOf(cluster)).toHaveLength(1)
  })
})
