import { describe, expect, it } from 'vitest'
import { node as nodeKind } from '../../../api/core/v1/node.ts'
import { service as serviceKind } from '../../../api/core/v1/service.ts'
import type { Node, Service } from '../../../api/core/v1/types.gen.ts'
import type { EndpointSlice } from '../../../api/discovery/v1/types.gen.ts'
import type { Draft } from '../../../api/meta/v1/object.ts'
import { nodeNet, serviceNet, sliceNet } from './network-objects.ts'

const metadata = { namespace: 'default', name: 'web', creationTimestamp: '2026-01-01T00:00:00Z', uid: 'u', resourceVersion: '1' }

function service(spec: Draft<Service['spec']>, more: { labels?: Record<string, string>; status?: Draft<Service['status']> } = {}): Service {
  const status = { loadBalancer: {}, ...more.status }
  return { apiVersion: 'v1', kind: serviceKind.kind, metadata: { ...metadata, labels: more.labels }, spec, status } as unknown as Service
}

const slice = (more: object) =>
  ({
    metadata: { ...metadata, name: 'web-1', labels: { 'kubernetes.io/service-name': 'web' } },
    addressType: 'IPv4',
    endpoints: [],
    ports: [],
    ...more,
  }) as unknown as EndpointSlice

describe('a node', () => {
  it('has the IPv4 network of its pods, also where it stands after one of IPv6', () => {
    const node = {
      kind: nodeKind.kind,
      metadata: { ...metadata, labels: { 'topology.kubernetes.io/zone': 'east' } },
      spec: { podCIDR: 'fd00::/64', podCIDRs: ['fd00::/64', '10.244.1.0/24'] },
      status: {
        addresses: [
          { type: 'Hostname', address: 'web' },
          { type: 'InternalIP', address: 'fd01::1' },
          { type: 'InternalIP', address: '192.168.1.1' },
        ],
      },
    } as unknown as Node
    expect(nodeNet(node)).toEqual({
      ...{ name: 'web', created: Date.parse('2026-01-01T00:00:00Z') },
      ...{ podCidr: '10.244.1.0/24', address: '192.168.1.1', zone: 'east' },
    })
  })
})

describe('a Service', () => {
  it('without an address of its own is headless, and one of IPv6 has none that counts', () => {
    expect(serviceNet(service({ clusterIP: 'None', clusterIPs: ['None'] })).clusterIP).toBe('None')
    expect(serviceNet(service({ clusterIP: 'fd00::1', clusterIPs: ['fd00::1'] })).clusterIP).toBeNull()
    expect(serviceNet(service({ clusterIP: 'fd00::1', clusterIPs: ['fd00::1', '10.96.1.1'] })).clusterIP).toBe('10.96.1.1')
    expect(serviceNet(service({ type: 'ExternalName', externalName: 'example.org' }))).toMatchObject({
      clusterIP: null,
      externalName: 'example.org',
    })
  })

  it('stays with an endpoint for three hours unless it says otherwise', () => {
    expect(serviceNet(service({ sessionAffinity: 'None' })).affinitySeconds).toBeNull()
    expect(serviceNet(service({ sessionAffinity: 'ClientIP' })).affinitySeconds).toBe(10_800)
    const sessionAffinityConfig = { clientIP: { timeoutSeconds: 5 } }
    expect(serviceNet(service({ sessionAffinity: 'ClientIP', sessionAffinityConfig })).affinitySeconds).toBe(5)
  })

  it('is reached at the address of its load balancer unless that one is a proxy', () => {
    const ingress = [{ ip: '203.0.113.1' }, { ip: '203.0.113.2', ipMode: 'Proxy' }, { hostname: 'lb.example.org' }]
    expect(serviceNet(service({}, { status: { loadBalancer: { ingress } } })).loadBalancerIPs).toEqual(['203.0.113.1'])
  })

  it('is another proxy’s where its label says so', () => {
    expect(serviceNet(service({}, { labels: { 'service.kubernetes.io/service-proxy-name': 'mine' } })).foreign).toBe(true)
    expect(serviceNet(service({})).foreign).toBe(false)
  })
})

describe('a slice', () => {
  it('is passed over where it is no Service’s, or not of IPv4', () => {
    expect(sliceNet(slice({ metadata }))).toBeNull()
    expect(sliceNet(slice({ addressType: 'IPv6' }))).toBeNull()
  })

  it('counts what is not said of an endpoint as Kubernetes does', () => {
    const endpoints = [
      { addresses: ['10.244.1.2'], conditions: {} },
      { addresses: ['10.244.1.3'], conditions: { ready: false } },
      { addresses: ['10.244.1.4'], conditions: { ready: false, serving: true, terminating: true } },
      { addresses: ['nonsense'], conditions: {} },
    ]
    const found = sliceNet(slice({ endpoints }))?.endpoints.map(({ address, ready, serving, terminating }) => [
      address,
      ready,
      serving,
      terminating,
    ])
    expect(found).toEqual([
      ['10.244.1.2', true, true, false],
      ['10.244.1.3', false, false, false],
      ['10.244.1.4', false, true, true],
    ])
  })
})
