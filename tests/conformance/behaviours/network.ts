/** Service, Endpoints, EndpointSlice, Ingress and IngressClass. */
import assert from 'node:assert/strict'
import { endpoints, endpointSlice, ingress, ingressClass, ipAddress, service, serviceCIDR } from '../../../electron/api/kinds.gen.ts'
import { readKubeconfig } from '../../../electron/client/kubeconfig.ts'
import { eventually, type BehaviourContext, type Behaviours } from '../lib/behaviour.ts'
import { startWatch } from '../lib/watching.ts'
import { assertHas, mark, uids, untilGone, updateObject, wholeApi } from '../lib/whole-api.ts'

const KUBERNETES = { name: 'kubernetes', namespace: 'default' }
const PORTS = [{ name: 'http', port: 80, protocol: 'TCP' as const }]

const slicesOf = async ({ client, namespace }: BehaviourContext, name: string) =>
  (await client.list(endpointSlice, { namespace, labelSelector: `kubernetes.io/service-name=${name}` })).items

function exampleAddress(): () => string {
  let last = 0
  return () => `192.0.2.${++last}`
}

function exampleRange(): () => { spec: { cidrs: string[] } } {
  let last = 0
  return () => ({ spec: { cidrs: [`198.51.100.${++last * 16}/28`] } })
}

export const behaviours: Behaviours = {
  'endpointslice-api': wholeApi({
    kind: endpointSlice,
    draft: () => ({ addressType: 'IPv4' as const, endpoints: [{ addresses: ['10.1.2.3'] }], ports: PORTS }),
  }),
  'ingressclass-api': wholeApi({ kind: ingressClass, draft: () => ({ spec: { controller: 'example.com/controller' } }) }),
  'ingress-api': wholeApi({
    kind: ingress,
    subresources: ['status'],
    draft: () => ({ spec: { defaultBackend: { service: { name: 'default', port: { number: 80 } } } } }),
    async also(context, { metadata }) {
      const { client } = context
      const status = { subresource: 'status' }
      const loadBalancer = (ip: string) => ({ ingress: [{ ip }] })
      await client.patch(ingress, metadata, { type: 'merge', body: { status: { loadBalancer: loadBalancer('169.1.1.1') } } }, status)
      assertHas((await client.get(ingress, metadata)).status, { loadBalancer: loadBalancer('169.1.1.1') })
      await updateObject(context, ingress, metadata, (object) => void (object.status.loadBalancer = loadBalancer('169.1.1.2')), 'status')
      assertHas((await client.get(ingress, metadata, status)).status, { loadBalancer: loadBalancer('169.1.1.2') })
    },
  }),

  // Addresses and ranges that RFC 5737 keeps for examples: no Service gets them.
  'ipaddress-api': wholeApi({
    kind: ipAddress,
    name: exampleAddress(),
    draft: ({ namespace }) => ({ spec: { parentRef: { resource: 'services', namespace, name: 'none' } } }),
  }),
  'servicecidr-api': wholeApi({
    kind: serviceCIDR,
    subresources: ['status'],
    draft: exampleRange(),
    async also(context, { metadata }) {
      const { client } = context
      const status = { subresource: 'status' }
      const condition = (type: string) => ({
        ...{ type, status: 'True' as const, reason: 'Conformance', message: 'set by a test' },
        lastTransitionTime: '2026-01-01T00:00:00Z',
      })
      const stored = async () => (await client.get(serviceCIDR, metadata, status)).status.conditions ?? []
      const all = [...(await stored()), condition('StatusPatched')]
      await client.patch(serviceCIDR, metadata, { type: 'merge', body: { status: { conditions: all } } }, status)
      assert.ok((await stored()).some(({ type }) => type === 'StatusPatched'))
      await updateObject(
        context,
        serviceCIDR,
        metadata,
        (object) => void (object.status.conditions = [...(object.status.conditions ?? []), condition('StatusUpdated')]),
        'status',
      )
      assert.ok((await stored()).some(({ type }) => type === 'StatusUpdated'))
    },
  }),

  async 'apiserver-endpoints'({ client, kubeconfig }) {
    const { server } = await readKubeconfig(kubeconfig)
    const { subsets = [] } = await client.get(endpoints, KUBERNETES)
    const inEndpoints = subsets.flatMap(({ addresses = [], ports = [] }) =>
      addresses.flatMap(({ ip }) => ports.map(({ port, name }) => `${name} ${ip}:${port}`)),
    )
    const slices = (await client.list(endpointSlice, { namespace: 'default', labelSelector: 'kubernetes.io/service-name=kubernetes' }))
      .items
    const inSlices = slices.flatMap(({ endpoints: all = [], ports = [] }) =>
      all.flatMap(({ addresses }) => addresses.flatMap((ip) => ports.map(({ port, name }) => `${name} ${ip}:${port}`))),
    )
    assert.ok(inEndpoints.length > 0, 'the Endpoints hold no address')
    assert.deepEqual(new Set(inSlices), new Set(inEndpoints))
    assert.ok(
      inEndpoints.some((one) => one.endsWith(`:${new URL(server).port}`)),
      `${inEndpoints.join(', ')} lacks the port of ${server}`,
    )
  },

  async 'endpointslice-empty-service'(context) {
    const { client, namespace, signal } = context
    await client.create(service, { metadata: { name: 'empty', namespace }, spec: { ports: PORTS, selector: { app: 'none' } } })
    const [slice] = await eventually(signal, 'an EndpointSlice', async () => {
      const slices = await slicesOf(context, 'empty')
      return slices.length ? slices : null
    })
    assert.ok(slice)
    assert.deepEqual(slice.endpoints ?? [], [])
    await client.delete(service, { name: 'empty', namespace })
    await eventually(signal, 'no EndpointSlice any more', async () => (await slicesOf(context, 'empty')).length === 0)
  },

  async 'endpointslice-mirroring'(context) {
    const { client, namespace, signal } = context
    const at = { name: 'mirrored', namespace }
    await client.create(service, { metadata: at, spec: { ports: PORTS } })
    const subset = (ip: string) => [{ addresses: [{ ip }], ports: PORTS }]
    const mirrored = (ip: string) =>
      eventually(signal, `${ip} in an EndpointSlice`, async () => {
        const slices = await slicesOf(context, at.name)
        const [slice] = slices
        if (slices.length !== 1 || !slice) return false
        assert.deepEqual(
          slice.endpoints?.flatMap(({ addresses }) => addresses),
          [ip],
        )
        assertHas(slice.ports?.[0] ?? {}, PORTS[0] ?? {})
        return true
      })
    await client.create(endpoints, { metadata: at, subsets: subset('10.1.2.3') })
    await mirrored('10.1.2.3')
    await updateObject(context, endpoints, at, (object) => void (object.subsets = subset('10.1.2.4')))
    await mirrored('10.1.2.4')
    await client.delete(endpoints, at)
    await eventually(signal, 'no EndpointSlice any more', async () => (await slicesOf(context, at.name)).length === 0)
  },

  async 'endpoints-empty-service'(context) {
    const { client, namespace, signal } = context
    const at = { name: 'empty', namespace }
    await client.create(service, { metadata: at, spec: { ports: PORTS, selector: { app: 'none' } } })
    const { subsets = [] } = await eventually(signal, 'Endpoints', () => client.get(endpoints, at))
    assert.deepEqual(
      subsets.flatMap(({ addresses = [], notReadyAddresses = [] }) => [...addresses, ...notReadyAddresses]),
      [],
    )
    await client.delete(service, at)
    await untilGone(context, endpoints, at)
  },

  async 'endpoints-lifecycle'(context) {
    const { client, namespace, signal } = context
    const { labels, selector } = mark(context)
    const at = { name: 'by-hand', namespace }
    await using watching = await startWatch(client, endpoints, { namespace, labelSelector: selector, signal })
    const subset = (ip: string, port: number) => [{ addresses: [{ ip }], ports: [{ name: 'http', port, protocol: 'TCP' as const }] }]
    await client.create(endpoints, { metadata: { ...at, labels }, subsets: subset('10.0.0.24', 80) })
    await watching.until('ADDED')
    await updateObject(context, endpoints, at, ({ metadata }) => {
      metadata.labels = { ...metadata.labels, updated: 'true' }
    })
    assert.equal((await client.get(endpoints, at)).metadata.labels?.['updated'], 'true')
    await watching.until('MODIFIED', ({ metadata }) => metadata.labels?.['updated'] === 'true')
    await client.patch(endpoints, at, { type: 'merge', body: { subsets: subset('10.0.0.25', 8080) } })
    assert.deepEqual((await client.get(endpoints, at)).subsets, subset('10.0.0.25', 8080))
    await watching.until('MODIFIED', ({ subsets }) => subsets?.[0]?.addresses?.[0]?.ip === '10.0.0.25')
    await client.deleteCollection(endpoints, { namespace, labelSelector: selector })
    await watching.until('DELETED')
    assert.deepEqual((await client.list(endpoints, { namespace, labelSelector: selector })).items, [])
  },

  async 'kubernetes-service-exists'({ client }) {
    const { spec } = await client.get(service, KUBERNETES)
    assertHas(spec.ports?.find(({ name }) => name === 'https') ?? {}, { name: 'https', port: 443, protocol: 'TCP' })
    assert.ok(spec.clusterIP && spec.clusterIP !== 'None')
  },

  async 'service-list-all-namespaces'({ client }) {
    const { items } = await client.list(service)
    assert.ok(items.some(({ metadata }) => metadata.name === 'kubernetes' && metadata.namespace === 'default'))
  },

  async 'service-deletecollection'(context) {
    const { client, namespace } = context
    const { labels, selector } = mark(context)
    for (const [name, of] of [
      ['one', labels],
      ['two', labels],
      ['three', { other: 'yes' }],
    ] as const) {
      await client.create(service, { metadata: { name, namespace, labels: of }, spec: { ports: PORTS } })
    }
    const names = async () => (await client.list(service, { namespace })).items.map(({ metadata }) => metadata.name)
    assert.deepEqual(await names(), ['one', 'three', 'two'])
    await client.deleteCollection(service, { namespace, labelSelector: selector })
    assert.deepEqual(await names(), ['three'])
  },

  async 'service-status'(context) {
    const { client, namespace, signal } = context
    const { labels, selector } = mark(context)
    const at = { name: 'balanced', namespace }
    const status = { subresource: 'status' }
    await using watching = await startWatch(client, service, { namespace, labelSelector: selector, signal })
    // Of a class that nobody serves, so that no controller has a say in its status.
    const spec = { type: 'LoadBalancer' as const, loadBalancerClass: 'example.com/internal-vip', ports: PORTS }
    const made = await client.create(service, { metadata: { ...at, labels }, spec })
    await watching.until('ADDED')
    assert.deepEqual(uids([await client.get(service, at, status)]), uids([made]))

    const ingress = [{ ip: '203.0.113.1' }]
    const body = { metadata: { annotations: { patchedstatus: 'true' } }, status: { loadBalancer: { ingress } } }
    await client.patch(service, at, { type: 'merge', body }, status)
    assertHas(await client.get(service, at), { metadata: body.metadata, status: { loadBalancer: { ingress: [{ ip: '203.0.113.1' }] } } })
    await watching.until('MODIFIED', (object) => object.status.loadBalancer?.ingress?.[0]?.ip === '203.0.113.1')

    const condition = { type: 'StatusUpdate', status: 'True' as const, reason: 'Conformance', message: 'set by a test' }
    await updateObject(
      context,
      service,
      at,
      (object) => void (object.status.conditions = [{ ...condition, lastTransitionTime: '2026-01-01T00:00:00Z' }]),
      'status',
    )
    assertHas((await client.get(service, at, status)).status.conditions?.[0] ?? {}, condition)
    await watching.until('MODIFIED', (object) => object.status.conditions?.[0]?.type === 'StatusUpdate')

    await client.patch(service, at, { type: 'strategic', body: { metadata: { labels: { patched: 'true' } } } })
    await watching.until('MODIFIED', ({ metadata }) => metadata.labels?.['patched'] === 'true')
    assertHas(await client.get(service, at), {
      metadata: { labels: { patched: 'true' } },
      status: { loadBalancer: { ingress: [{ ip: '203.0.113.1' }] } },
    })
  },
}
