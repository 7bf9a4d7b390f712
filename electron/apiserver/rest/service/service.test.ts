import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { endpoints, endpointSlice, namespace, service } from '../../../api/kinds.gen.ts'
import type { Service } from '../../../api/core/v1/types.gen.ts'
import type { Draft } from '../../../api/meta/v1/object.ts'
import { seededRandom } from '../../../base/random.ts'
import { prefixRange } from '../../../store/store.ts'
import { startTestServer, type TestServer, type TestServerOverrides } from '../../testing/harness.ts'
import { AddressRange, freePort } from './ranges.ts'

let test: TestServer
beforeEach(async () => {
  test = await startTestServer()
})
afterEach(() => test.stop())

const draft = (name: string, spec: Draft<Service['spec']> = {}): Draft<Service> => ({
  metadata: { name, namespace: 'default' },
  spec: { ports: [{ port: 80 }], ...spec },
})
const make = (name: string, spec?: Draft<Service['spec']>) => test.client.create(service, draft(name, spec))
const keys = async (prefix: string) => (await test.store.range(prefixRange(prefix))).kvs.map(({ key }) => key.slice(prefix.length))
const addresses = () => keys('/registry/networking.k8s.io/ipaddresses/')
const ports = () => keys('/registry/ranges/servicenodeports/')

describe('the address of a Service', () => {
  it('is chosen from the range, and told in both fields', async () => {
    const { spec } = await make('s')
    expect(spec.clusterIP).toMatch(/^10\.96\.\d+\.\d+$/)
    expect(spec).toMatchObject({ clusterIPs: [spec.clusterIP], ipFamilies: ['IPv4'], ipFamilyPolicy: 'SingleStack' })
    expect(await addresses()).toEqual(expect.arrayContaining(['10.96.0.1', spec.clusterIP]))
  })

  it('may be asked for, once', async () => {
    expect((await make('dns', { clusterIP: '10.96.0.10' })).spec.clusterIPs).toEqual(['10.96.0.10'])
    await expect(make('other', { clusterIP: '10.96.0.10' })).rejects.toMatchObject({
      code: 422,
      message:
        'Service "other" is invalid: spec.clusterIPs: Invalid value: ["10.96.0.10"]: failed to allocate IP 10.96.0.10: provided IP is already allocated',
    })
    await expect(make('far', { clusterIP: '10.1.0.1' })).rejects.toThrow(
      'the provided IP (10.1.0.1) is not in the valid range. The range of valid IPs is 10.96.0.0/16',
    )
  })

  it('is not given to what needs none', async () => {
    expect((await make('headless', { clusterIP: 'None', selector: { a: 'b' } })).spec).toMatchObject({
      clusterIP: 'None',
      clusterIPs: ['None'],
      ipFamilyPolicy: 'SingleStack',
    })
    expect((await make('open', { clusterIP: 'None' })).spec).toMatchObject({
      ipFamilyPolicy: 'RequireDualStack',
      ipFamilies: ['IPv4', 'IPv6'],
    })
    const external = await make('external', { type: 'ExternalName', externalName: 'example.com', ports: [] })
    expect([external.spec.clusterIP, external.spec.ipFamilies]).toEqual([undefined, undefined])
    expect(await addresses()).toEqual(['10.96.0.1'])
  })

  it('is free again when the Service is gone or needs it no more', async () => {
    await make('a', { clusterIP: '10.96.0.20' })
    await test.client.delete(service, { name: 'a', namespace: 'default' })
    const b = await make('b', { clusterIP: '10.96.0.20' })
    const external = { ...b, spec: { type: 'ExternalName' as const, externalName: 'example.com' } }
    const changed = await test.client.update(service, external)
    expect(changed.spec.clusterIP).toBeUndefined()
    expect(await addresses()).toEqual(['10.96.0.1'])
    const back = await test.client.update(service, { ...changed, spec: { type: 'ClusterIP', ports: [{ port: 80, protocol: 'TCP' }] } })
    expect(back.spec.clusterIP).toMatch(/^10\.96\./)
    expect(await addresses()).toContain(back.spec.clusterIP)
  })

  it('is one for each of many that come at once, until there are none left', async () => {
    await using small = await startTestServer({ serviceCidr: '10.1.0.0/27' })
    const results = await Promise.allSettled(Array.from({ length: 40 }, (_, i) => small.client.create(service, draft(`s${i}`))))
    const made = results.flatMap((r) => (r.status === 'fulfilled' ? [r.value.spec.clusterIP] : []))
    expect(made).toHaveLength(29)
    expect(new Set([...made, '10.1.0.1']).size).toBe(30)
    const failed = results.find((r) => r.status === 'rejected')
    expect(failed?.reason).toMatchObject({ code: 500, message: 'Internal error occurred: failed to allocate a serviceIP: range is full' })
  })

  it('is no other process’ address either', async () => {
    await using other = await startTestServer({
      store: test.store,
      clock: test.clock,
      random: seededRandom(1),
    } satisfies TestServerOverrides)
    const all = await Promise.all([
      ...Array.from({ length: 50 }, (_, i) => make(`a${i}`)),
      ...Array.from({ length: 50 }, (_, i) => other.client.create(service, draft(`b${i}`))),
    ])
    expect(new Set(all.map((s) => s.spec.clusterIP)).size).toBe(100)
  })

  it('that another process gave back can be had, when there is no other', async () => {
    await using small = await startTestServer({ serviceCidr: '10.1.0.0/29' })
    for (let i = 0; i < 5; i++) await small.client.create(service, draft(`s${i}`))
    await using other = await startTestServer({ serviceCidr: '10.1.0.0/29', store: small.store, clock: small.clock })
    await other.client.delete(service, { name: 's3', namespace: 'default' })
    expect((await small.client.create(service, draft('again'))).spec.clusterIP).toMatch(/^10\.1\.0\.[2-6]$/)
  })

  it('is not taken by a dry run', async () => {
    const dry = await test.client.create(service, draft('s'), { dryRun: true })
    expect(dry.spec.clusterIP).toMatch(/^10\.96\./)
    expect(await addresses()).toEqual(['10.96.0.1'])
  })
})

describe('the node ports of a Service', () => {
  it('are chosen, shared by protocols of one port, and given back', async () => {
    const made = await make('s', {
      type: 'NodePort',
      ports: [
        { name: 'a', port: 53, protocol: 'TCP' },
        { name: 'b', port: 53, protocol: 'UDP' },
        { name: 'c', port: 80 },
      ],
    })
    const [a, b, c] = (made.spec.ports ?? []).map((p) => p.nodePort)
    expect(a).toBe(b)
    expect(new Set([a, c]).size).toBe(2)
    for (const port of [a, c]) expect(port).toSatisfy((n: number) => n >= 30_000 && n <= 32_767)
    expect(new Set((await ports()).map(Number))).toEqual(new Set([a, c]))
    const plain = await test.client.update(service, { ...made, spec: { ...made.spec, type: 'ClusterIP' } })
    expect((plain.spec.ports ?? []).map((p) => p.nodePort)).toEqual([undefined, undefined, undefined])
    expect(await ports()).toEqual([])
  })

  it('may be asked for, once and within the range', async () => {
    await make('a', { type: 'NodePort', ports: [{ port: 80, nodePort: 30_080 }] })
    await expect(make('b', { type: 'NodePort', ports: [{ port: 80, nodePort: 30_080 }] })).rejects.toMatchObject({
      code: 422,
      message: 'Service "b" is invalid: spec.ports[0].nodePort: Invalid value: 30080: provided port is already allocated',
    })
    await expect(make('b', { type: 'NodePort', ports: [{ port: 80, nodePort: 80 }] })).rejects.toThrow(
      'provided port is not in the valid range. The range of valid ports is 30000-32767',
    )
    expect(await addresses()).toHaveLength(2)
  })

  it('are not given to a load balancer that wants none, and one more to one that is local', async () => {
    expect((await make('a', { type: 'LoadBalancer', allocateLoadBalancerNodePorts: false })).spec.ports?.[0]?.nodePort).toBeUndefined()
    const local = await make('b', { type: 'LoadBalancer', externalTrafficPolicy: 'Local' })
    expect(local.spec.healthCheckNodePort).toBeGreaterThanOrEqual(30_000)
    expect((await ports()).map(Number)).toContain(local.spec.healthCheckNodePort)
  })
})

describe('at its start the server', () => {
  it('makes the records say what the Services say', async () => {
    const made = await make('a', { type: 'NodePort' })
    const port = String(made.spec.ports?.[0]?.nodePort)
    await test.store.txn({
      success: [
        { type: 'delete', key: `/registry/ranges/servicenodeports/${port}` },
        { type: 'put', key: '/registry/networking.k8s.io/ipaddresses/10.96.7.7', value: Buffer.from('{}') },
      ],
    })
    await using again = await startTestServer({ store: test.store, clock: test.clock })
    expect(await ports()).toEqual([port])
    expect(await addresses()).not.toContain('10.96.7.7')
    expect((await again.client.create(service, draft('b', { clusterIP: '10.96.7.7' }))).spec.clusterIP).toBe('10.96.7.7')
  })

  it('has what every cluster has, and makes it again when it is gone', async () => {
    expect((await test.client.list(namespace)).items.map((o) => o.metadata.name)).toEqual([
      'default',
      'kube-node-lease',
      'kube-public',
      'kube-system',
    ])
    const at = { name: 'kubernetes', namespace: 'default' }
    expect((await test.client.get(service, at)).spec).toMatchObject({ clusterIP: '10.96.0.1', ports: [{ name: 'https', port: 443 }] })
    expect((await test.client.get(endpoints, at)).subsets).toEqual([
      { addresses: [{ ip: '10.96.0.1' }], ports: [{ name: 'https', port: 443, protocol: 'TCP' }] },
    ])
    expect((await test.client.get(endpointSlice, at)).endpoints).toEqual([{ addresses: ['10.96.0.1'], conditions: { ready: true } }])
    await test.client.delete(service, at)
    await test.clock.advance(60_000)
    expect((await test.client.get(service, at)).spec.clusterIP).toBe('10.96.0.1')
  })

  it('says where it is reached now', async () => {
    await using moved = await startTestServer({ store: test.store, clock: test.clock, endpoint: { address: '192.0.2.7', port: 6443 } })
    const { subsets } = await moved.client.get(endpoints, { name: 'kubernetes', namespace: 'default' })
    expect(subsets).toEqual([{ addresses: [{ ip: '192.0.2.7' }], ports: [{ name: 'https', port: 6443, protocol: 'TCP' }] }])
  })
})

describe('ranges', () => {
  it('leave their lower part to those who ask, while there is more', () => {
    const range = new AddressRange('10.96.0.0/16')
    expect(range.first).toBe('10.96.0.1')
    const random = seededRandom(3)
    for (let i = 0; i < 200; i++) {
      const [, , third = '', fourth = ''] = (range.free(new Set(), random) ?? '').split('.')
      expect(Number(third) * 256 + Number(fourth)).toBeGreaterThan(256)
      expect(freePort({ from: 30_000, to: 32_767 }, new Set(), random)).toBeGreaterThanOrEqual(30_086)
    }
  })

  it('give everything before they give up', () => {
    const random = seededRandom(4)
    const taken = new Set<string>()
    for (let i = 0; i < 14; i++) taken.add(new AddressRange('10.0.0.0/28').free(taken, random) ?? 'none')
    expect(taken.size).toBe(14)
    expect(new AddressRange('10.0.0.0/28').free(taken, random)).toBeNull()
    expect(taken.has('10.0.0.0') || taken.has('10.0.0.15')).toBe(false)
  })

  it('are IPv4', () => {
    expect(() => new AddressRange('fd00::/108')).toThrow('no IPv4 range')
  })
})
