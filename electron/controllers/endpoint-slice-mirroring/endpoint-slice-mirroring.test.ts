import { describe, expect, it } from 'vitest'
import { endpoints, endpointSlice, service } from '../../api/kinds.gen.ts'
import type { EndpointSubset } from '../../api/core/v1/types.gen.ts'
import { NAMESPACE, startCluster, type TestCluster } from '../testing/cluster.ts'

const only = ['endpointslice-mirroring-controller']
const at = { name: 'web', namespace: NAMESPACE }
const http = [{ name: 'http', port: 80, protocol: 'TCP' as const }]

const slicesOf = async ({ client }: TestCluster) =>
  (await client.list(endpointSlice, { namespace: NAMESPACE, labelSelector: 'kubernetes.io/service-name=web' })).items
const shown = async (cluster: TestCluster) =>
  (await slicesOf(cluster))
    .map(({ addressType, ports, endpoints: all }) => ({
      addressType,
      ports: ports?.map(({ port }) => port),
      addresses: all?.map(({ addresses, conditions }) => `${addresses.join()}${conditions?.ready ? '' : '!'}`),
    }))
    .sort((a, b) => (`${a.addressType} ${a.ports?.join()}` < `${b.addressType} ${b.ports?.join()}` ? -1 : 1))

async function start(subsets: EndpointSubset[], more: { selector?: Record<string, string>; labels?: Record<string, string> } = {}) {
  const cluster = await startCluster({ only })
  const selector = more.selector ? { selector: more.selector } : {}
  await cluster.client.create(service, { metadata: at, spec: { ports: [{ port: 80 }], ...selector } })
  await cluster.client.create(endpoints, { metadata: { ...at, labels: { of: 'mine', ...more.labels } }, subsets })
  await cluster.quiet()
  return cluster
}

describe('the mirror', () => {
  it('shows addresses by family and ports, ready or not', async () => {
    await using cluster = await start([
      { addresses: [{ ip: '10.1.0.1' }, { ip: 'fd00::1' }], notReadyAddresses: [{ ip: '10.1.0.2' }], ports: http },
      { addresses: [{ ip: '10.1.0.3' }], ports: [{ name: 'http', port: 81, protocol: 'TCP' }] },
    ])
    expect(await shown(cluster)).toEqual([
      { addressType: 'IPv4', ports: [80], addresses: ['10.1.0.1', '10.1.0.2!'] },
      { addressType: 'IPv4', ports: [81], addresses: ['10.1.0.3'] },
      { addressType: 'IPv6', ports: [80], addresses: ['fd00::1'] },
    ])
    const [slice] = await slicesOf(cluster)
    expect(slice?.metadata.labels).toMatchObject({
      of: 'mine',
      'endpointslice.kubernetes.io/managed-by': 'endpointslicemirroring-controller.k8s.io',
    })
    expect(slice?.metadata.ownerReferences).toMatchObject([{ kind: 'Endpoints', name: 'web', controller: true }])
  })

  it('follows changes in the slice that is there, and goes with what it shows', async () => {
    await using cluster = await start([{ addresses: [{ ip: '10.1.0.1' }], ports: http }])
    const [before] = await slicesOf(cluster)
    const subsets = [{ addresses: [{ ip: '10.1.0.9' }], ports: http }]
    await cluster.client.patch(endpoints, at, { type: 'merge', body: { subsets } })
    await cluster.quiet()
    expect(await shown(cluster)).toEqual([{ addressType: 'IPv4', ports: [80], addresses: ['10.1.0.9'] }])
    expect((await slicesOf(cluster))[0]?.metadata.uid).toBe(before?.metadata.uid)
    const writes = cluster.writes.length
    await cluster.advance(60_000)
    expect(cluster.writes).toHaveLength(writes)
    await cluster.client.delete(endpoints, at)
    await cluster.quiet()
    expect(await shown(cluster)).toEqual([])
    expect(cluster.complaints).toEqual([])
  })

  it.each([
    ['of a service that selects pods', { selector: { app: 'web' } }],
    ['that ask not to be', { labels: { 'endpointslice.kubernetes.io/skip-mirror': 'true' } }],
  ])('leaves out endpoints %s', async (_, more) => {
    await using cluster = await start([{ addresses: [{ ip: '10.1.0.1' }], ports: http }], more)
    expect(await shown(cluster)).toEqual([])
  })

  it('waits for the service, and ends with it', async () => {
    await using cluster = await startCluster({ only })
    await cluster.client.create(endpoints, { metadata: at, subsets: [{ addresses: [{ ip: '10.1.0.1' }], ports: http }] })
    await cluster.quiet()
    expect(await shown(cluster)).toEqual([])
    await cluster.client.create(service, { metadata: at, spec: { ports: [{ port: 80 }] } })
    await cluster.quiet()
    expect(await shown(cluster)).toHaveLength(1)
    await cluster.client.delete(service, at)
    await cluster.quiet()
    expect(await shown(cluster)).toEqual([])
  })
})
