import { describe, expect, it } from 'vitest'
import { endpoints as endpointsKind } from '../../api/core/v1/endpoints.ts'
import { pod as podKind } from '../../api/core/v1/pod.ts'
import { service as serviceKind } from '../../api/core/v1/service.ts'
import type { Pod, Service } from '../../api/core/v1/types.gen.ts'
import type { Draft } from '../../api/meta/v1/object.ts'
import { NAMESPACE, startCluster, type TestCluster } from '../testing/cluster.ts'

const at = (name = 'web') => ({ namespace: NAMESPACE, name })
const start = () => startCluster({ only: ['endpoints-controller'], hollow: { nodes: 1, stopDelay: 5000 } })
const serviceOf = (spec: Draft<Service['spec']> = {}, labels = {}): Draft<Service> => ({
  metadata: { ...at(), labels },
  spec: { selector: { app: 'web' }, ports: [{ name: 'http', port: 80, targetPort: 'http' }], ...spec },
})
const podOf = (name: string, port = 8080): Draft<Pod> => ({
  metadata: { ...at(name), labels: { app: 'web' } },
  spec: { containers: [{ name: 'app', image: 'app:1', ports: [{ name: 'http', containerPort: port }] }] },
})
const get = ({ client }: TestCluster) => client.get(endpointsKind, at())
const shown = async (cluster: TestCluster) =>
  ((await get(cluster)).subsets ?? []).map(({ addresses, notReadyAddresses, ports }) => ({
    ready: (addresses ?? []).map(({ targetRef }) => targetRef?.name),
    unready: (notReadyAddresses ?? []).map(({ targetRef }) => targetRef?.name),
    ports: (ports ?? []).map(({ port }) => port),
  }))

describe('the Endpoints controller', () => {
  it('tells ready and unready addresses by their ports, without those that end', async () => {
    await using cluster = await start()
    const { client, nodes } = cluster
    nodes.behaviour = ({ metadata }) => (metadata.name === 'lame' ? 'unready' : 'ready')
    await client.create(serviceKind, serviceOf({}, { team: 'blue' }))
    for (const name of ['a', 'lame', 'leaving']) await client.create(podKind, podOf(name))
    await client.create(podKind, podOf('other', 9090))
    await cluster.quiet()
    await client.delete(podKind, at('leaving'))
    await cluster.quiet()
    expect(await shown(cluster)).toEqual([
      { ready: ['a'], unready: ['lame'], ports: [8080] },
      { ready: ['other'], unready: [], ports: [9090] },
    ])
    expect((await get(cluster)).metadata.labels).toEqual({ team: 'blue', 'endpoints.kubernetes.io/managed-by': 'endpoint-controller' })
    expect(cluster.complaints).toEqual([])
  })

  it('publishes what is not ready or ends where that is wished', async () => {
    await using cluster = await start()
    const { client, nodes } = cluster
    nodes.behaviour = () => 'unready'
    await client.create(serviceKind, serviceOf({ publishNotReadyAddresses: true, clusterIP: 'None', ports: [] }))
    await client.create(podKind, podOf('a'))
    await cluster.quiet()
    await client.delete(podKind, at('a'))
    await cluster.quiet()
    expect(await shown(cluster)).toEqual([{ ready: ['a'], unready: [], ports: [] }])
    expect((await get(cluster)).metadata.labels).toHaveProperty('service.kubernetes.io/headless', '')
  })

  it('says that there are more addresses than it holds, and names ready ones first', async () => {
    await using cluster = await start()
    const { client, nodes } = cluster
    nodes.behaviour = ({ metadata }) => (metadata.name === 'p-0' ? 'unready' : 'ready')
    for (let i = 0; i <= 1000; i++) await client.create(podKind, podOf(`p-${i}`))
    await cluster.advance(1000)
    await client.create(serviceKind, serviceOf())
    await cluster.quiet()
    const { metadata, subsets } = await get(cluster)
    expect(metadata.annotations).toEqual({ 'endpoints.kubernetes.io/over-capacity': 'truncated' })
    expect(subsets?.map(({ addresses, notReadyAddresses }) => [addresses?.length, notReadyAddresses])).toEqual([[1000, undefined]])
    await client.delete(podKind, at('p-1'), { gracePeriodSeconds: 0 })
    // Of so many it is not written anew for each.
    await cluster.advance(1000)
    expect((await get(cluster)).metadata.annotations ?? {}).toEqual({})
  })

  it('writes nothing without need, nor for services without a selector', async () => {
    await using cluster = await start()
    const { client } = cluster
    await client.create(serviceKind, serviceOf())
    await client.create(serviceKind, { metadata: at('plain'), spec: { ports: [{ port: 80 }] } })
    await client.create(endpointsKind, { metadata: at('plain'), subsets: [] })
    await client.create(podKind, podOf('a'))
    await cluster.quiet()
    const { length } = cluster.writes
    await client.patch(podKind, at('a'), { type: 'merge', body: { metadata: { annotations: { note: 'x' } } } })
    await cluster.advance(60_000)
    expect(cluster.writes).toHaveLength(length)
    expect(cluster.writes.filter((write) => write.includes('plain'))).toEqual([])
  })

  it('removes what it wrote with the service, and only that', async () => {
    await using cluster = await start()
    const { client } = cluster
    await client.create(serviceKind, serviceOf())
    await client.create(endpointsKind, { metadata: at('manual'), subsets: [] })
    await cluster.quiet()
    await client.delete(serviceKind, at())
    await cluster.quiet()
    expect((await client.list(endpointsKind, { namespace: NAMESPACE })).items.map(({ metadata }) => metadata.name)).toEqual(['manual'])
  })
})
