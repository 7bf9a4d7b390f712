import { describe, expect, it } from 'vitest'
import { endpointOf, portOf, serviceOf, sliceOf } from '../net/testing/net-objects.ts'
import type { EndpointNet, ServiceNet } from '../net/state/network-objects.ts'
import { proxyRules } from './proxy-rules.ts'
import { servicePorts } from './service-ports.ts'
import { serviceShare } from './service-rules.ts'

const OWN = ['10.96.0.1', '10.96.0.10']
const CONTEXT = { clusterCIDR: '10.244.0.0/16', serviceCIDR: '10.96.0.0/16', ownAddresses: OWN }
const NEAR = endpointOf('10.244.1.2')
const FAR = endpointOf('10.244.2.2', { node: 'node-2' })

function rulesOf(...services: (readonly [service: ServiceNet, endpoints: readonly EndpointNet[]])[]) {
  const shares = services.map(([service, endpoints]) => {
    const ports = service.ports.map(({ name, protocol }) => ({ name, protocol, port: 8080 }))
    const slices = [sliceOf(service.name, endpoints, { ports })]
    const found = servicePorts(service, slices, { node: 'node-1', zone: null })
    return serviceShare(service, found, { clusterCIDR: CONTEXT.clusterCIDR, reserved: new Set(OWN) })
  })
  const { rules, refused } = proxyRules(shares, CONTEXT)
  const elements = (set: string) => Object.fromEntries(rules.sets.get(set)?.elements ?? [])
  const chain = (name: string) => rules.chains.get(name)?.rules
  return { rules, refused, elements, chain }
}

describe('a Service', () => {
  it('leads by its address, protocol and port to its endpoints', () => {
    const { elements, chain } = rulesOf([serviceOf('web'), [NEAR, FAR]])
    expect(elements('service-ips')).toEqual({ '10.96.1.1 . tcp . 80': 'goto svc-default/web/tcp/80' })
    expect(chain('svc-default/web/tcp/80')).toEqual([
      'meta l4proto tcp dnat ip addr . port to numgen random mod 2 map { 0 : 10.244.1.2 . 8080, 1 : 10.244.2.2 . 8080 }',
    ])
    expect(elements('no-endpoints')).toEqual({})
  })

  it('refuses at every address while it has no endpoint', () => {
    const service = serviceOf('web', { ports: [portOf({ nodePort: 30_080 })], externalIPs: ['203.0.113.1'] })
    const { elements } = rulesOf([service, []])
    expect(elements('service-ips')).toEqual({})
    expect(elements('no-endpoints')).toEqual({
      '10.96.1.1 . tcp . 80': 'goto reject-service',
      '203.0.113.1 . tcp . 80': 'goto reject-service',
    })
    expect(elements('no-endpoint-nodeports')).toEqual({ 'tcp . 30080': 'goto reject-service' })
  })

  it('keeps a client with its endpoint for the time that it says', () => {
    const { rules, chain } = rulesOf([serviceOf('web', { affinitySeconds: 90 }), [NEAR, FAR]])
    const [near, far] = ['default/web/tcp/80/10.244.1.2/8080', 'default/web/tcp/80/10.244.2.2/8080']
    expect(chain('svc-default/web/tcp/80')).toEqual([
      `ip saddr @aff-${near} goto ep-${near}`,
      `ip saddr @aff-${far} goto ep-${far}`,
      `numgen random mod 2 vmap { 0 : goto ep-${near}, 1 : goto ep-${far} }`,
    ])
    expect(chain(`ep-${near}`)?.[0]).toBe(`update @aff-${near} { ip saddr timeout 90s }`)
    expect(rules.sets.get(`aff-${near}`)?.elements).toBeNull()
  })

  it('drops what must stay on the node where only other nodes have endpoints', () => {
    const { elements } = rulesOf([serviceOf('web', { internalLocal: true }), [FAR]])
    expect(elements('service-ips')).toEqual({})
    expect(elements('no-endpoints')).toEqual({ '10.96.1.1 . tcp . 80': 'drop' })
  })

  it('hides who asks from outside, unless traffic stays on the node', () => {
    const ports = [portOf({ nodePort: 30_080 })]
    const anywhere = rulesOf([serviceOf('web', { ports }), [NEAR, FAR]])
    expect(anywhere.elements('service-nodeports')).toEqual({ 'tcp . 30080': 'goto ext-default/web/tcp/80' })
    expect(anywhere.chain('ext-default/web/tcp/80')?.[0]).toBe('jump mark-for-masquerade')
    const local = rulesOf([serviceOf('web', { ports, externalLocal: true }), [NEAR, FAR]])
    expect(local.chain('ext-default/web/tcp/80')?.at(-1)).toBe('goto loc-default/web/tcp/80')
    expect(local.chain('ext-default/web/tcp/80')?.[0]).not.toMatch('masquerade')
  })

  it('lets only the named networks use a load balancer’s address', () => {
    const service = serviceOf('web', { loadBalancerIPs: ['198.51.100.1'], sourceRanges: ['192.0.2.0/24', '192.0.2.128/25'] })
    const { elements, chain } = rulesOf([service, [NEAR]])
    expect(elements('service-ips')['198.51.100.1 . tcp . 80']).toBe('goto fw-default/web/tcp/80')
    expect(chain('fw-default/web/tcp/80')).toEqual(['ip saddr != { 192.0.2.0/24, 198.51.100.1/32 } drop', 'goto ext-default/web/tcp/80'])
  })

  it('never takes over an address that the node serves itself', () => {
    const { elements } = rulesOf([serviceOf('thief', { externalIPs: ['10.96.0.1', '10.96.0.10'] }), [NEAR]])
    expect(Object.keys(elements('service-ips'))).toEqual(['10.96.1.1 . tcp . 80'])
  })

  it('cannot take the cluster address of another one by an external address, whatever their names', () => {
    const victim = serviceOf('victim', { clusterIP: '10.96.1.1' })
    const thief = serviceOf('aaa', { clusterIP: '10.96.1.2', externalIPs: ['10.96.1.1'] })
    const { elements, refused } = rulesOf([thief, [FAR]], [victim, [NEAR]])
    expect(elements('service-ips')['10.96.1.1 . tcp . 80']).toBe('goto svc-default/victim/tcp/80')
    expect(refused).toEqual([{ key: '10.96.1.1 . tcp . 80', owner: '1 default/aaa', holder: '0 default/victim' }])
  })

  it('lets its own endpoints on this node reach themselves', () => {
    const { elements } = rulesOf([serviceOf('web'), [NEAR, FAR]])
    expect(elements('hairpin')).toEqual({ '10.244.1.2 . 10.244.1.2': '' })
  })

  it('tells of UDP which endpoints still answer, so that flows to others are moved', () => {
    const ending = { ...FAR, ready: false, terminating: true }
    const { elements } = rulesOf([serviceOf('web', { ports: [portOf({ protocol: 'UDP' })] }), [NEAR, ending]])
    expect(Object.keys(elements('udp-live'))).toEqual(['10.96.1.1 . 80 . 10.244.1.2 . 8080', '10.96.1.1 . 80 . 10.244.2.2 . 8080'])
  })
})

describe('what is always there', () => {
  it('leaves the addresses that the node serves itself without translation', () => {
    const { chain } = rulesOf()
    expect(chain('services')?.find((rule) => rule.includes('masquerade'))).toMatch('ip daddr != { 10.96.0.1, 10.96.0.10 }')
  })
})
