import { describe, expect, it } from 'vitest'
import { endpointOf, portOf, serviceOf, sliceOf } from '../net/testing/net-objects.ts'
import { servicePorts, type Backend, type Place } from './service-ports.ts'

const HERE: Place = { node: 'node-1', zone: 'east' }
const addresses = (backends: readonly Backend[] | undefined) => backends?.map(({ address }) => address)

function firstPort(slices: Parameters<typeof servicePorts>[1], service = serviceOf('web'), place = HERE) {
  return servicePorts(service, slices, place)[0]
}

describe('the endpoints of a Service’s port', () => {
  it('are those that are ready', () => {
    const endpoints = [endpointOf('10.244.1.2'), endpointOf('10.244.1.3', { ready: false, serving: false })]
    expect(addresses(firstPort([sliceOf('web', endpoints)])?.cluster)).toEqual(['10.244.1.2'])
  })

  it('are those that end but still answer where none is ready', () => {
    const ending = { ready: false, serving: true, terminating: true }
    const dead = { ready: false, serving: false, terminating: true }
    const port = firstPort([sliceOf('web', [endpointOf('10.244.1.2', ending), endpointOf('10.244.1.3', dead)])])
    expect(addresses(port?.cluster)).toEqual(['10.244.1.2'])
    expect(addresses(port?.serving)).toEqual(['10.244.1.2'])
  })

  it('come once from several slices, ready if any says so, in an order that is always the same', () => {
    const unready = endpointOf('10.244.1.3', { ready: false })
    const slices = [sliceOf('web', [unready, endpointOf('10.244.1.2')]), sliceOf('web', [endpointOf('10.244.1.3')], { name: 'web-2' })]
    for (const order of [slices, slices.toReversed()]) expect(addresses(firstPort(order)?.cluster)).toEqual(['10.244.1.2', '10.244.1.3'])
  })

  it('are found by name and protocol, and have the number of their slice', () => {
    const service = serviceOf('web', {
      ports: [portOf({ name: 'a' }), portOf({ name: 'b', port: 81 }), portOf({ name: 'a', protocol: 'UDP' })],
    })
    const ports = [
      { name: 'b', protocol: 'TCP', port: 9001 },
      { name: 'a', protocol: 'TCP', port: 9000 },
    ] as const
    const found = servicePorts(service, [sliceOf('web', [endpointOf('10.244.1.2')], { ports })], HERE)
    expect(found.map(({ cluster }) => cluster.map(({ port }) => port))).toEqual([[9000], [9001], []])
  })

  it('that stay on the node are those of the node', () => {
    const endpoints = [endpointOf('10.244.1.2'), endpointOf('10.244.2.2', { node: 'node-2' })]
    const port = firstPort([sliceOf('web', endpoints)])
    expect(addresses(port?.local)).toEqual(['10.244.1.2'])
    expect(addresses(port?.cluster)).toEqual(['10.244.1.2', '10.244.2.2'])
  })

  it('are none where another proxy serves the Service, or it has no address', () => {
    const slices = [sliceOf('web', [endpointOf('10.244.1.2')])]
    for (const more of [{ foreign: true }, { clusterIP: 'None' }, { clusterIP: null }])
      expect(servicePorts(serviceOf('web', more), slices, HERE)).toEqual([])
  })
})

describe('hints', () => {
  const near = endpointOf('10.244.1.2', { forZones: ['east'] })
  const far = endpointOf('10.244.2.2', { forZones: ['west'], node: 'node-2' })

  it('keep traffic in the zone', () => {
    expect(addresses(firstPort([sliceOf('web', [near, far])])?.cluster)).toEqual(['10.244.1.2'])
  })

  it('count only if every ready endpoint has one', () => {
    const without = endpointOf('10.244.2.3', { node: 'node-2' })
    expect(addresses(firstPort([sliceOf('web', [near, far, without])])?.cluster)).toHaveLength(3)
    const unready = { ...without, ready: false, serving: false }
    expect(addresses(firstPort([sliceOf('web', [near, far, unready])])?.cluster)).toEqual(['10.244.1.2'])
  })

  it('do not count where none is for this zone, or the zone is not known', () => {
    expect(addresses(firstPort([sliceOf('web', [far])])?.cluster)).toEqual(['10.244.2.2'])
    expect(addresses(firstPort([sliceOf('web', [near, far])], serviceOf('web'), { ...HERE, zone: null })?.cluster)).toHaveLength(2)
  })

  it('for nodes go before those for zones', () => {
    const own = { ...far, forNodes: ['node-1'] }
    expect(addresses(firstPort([sliceOf('web', [{ ...near, forNodes: ['node-2'] }, own])])?.cluster)).toEqual(['10.244.2.2'])
  })
})
