import { describe, expect, it } from 'vitest'
import type { Loose } from '../../testing/objects.ts'
import { decoded, stored, updated } from '../../testing/rules.ts'
import { keepAllocatedValues } from './service-changes.ts'
import { service } from './service.ts'

const of = (spec: Loose) => stored(service, { spec: { ports: [{ port: 80 }], ...spec } })
const ONE = { clusterIP: '10.0.0.1', clusterIPs: ['10.0.0.1'] }

describe('who sends a service without what was allotted', () => {
  it.each<[what: string, sent: Loose, old: Loose, expected: Loose]>([
    ['keeps its addresses', {}, ONE, ONE],
    [
      'keeps both addresses',
      { clusterIP: '10.0.0.1' },
      { ...ONE, clusterIPs: ['10.0.0.1', 'fd00::1'] },
      { clusterIPs: ['10.0.0.1', 'fd00::1'] },
    ],
    [
      'keeps the ports of the nodes, by the names of the ports',
      {
        type: 'NodePort',
        ports: [
          { name: 'b', port: 81 },
          { name: 'a', port: 80 },
          { name: 'c', port: 82 },
        ],
      },
      {
        ...ONE,
        type: 'NodePort',
        ports: [
          { name: 'a', port: 80, nodePort: 30001 },
          { name: 'b', port: 81, nodePort: 30002 },
        ],
      },
      { ports: [{ nodePort: 30002 }, { nodePort: 30001 }, {}] },
    ],
    [
      'does not keep a port that another one has by now',
      {
        type: 'NodePort',
        ports: [
          { name: 'a', port: 80 },
          { name: 'b', port: 81, nodePort: 30001 },
        ],
      },
      { ...ONE, type: 'NodePort', ports: [{ name: 'a', port: 80, nodePort: 30001 }] },
      { ports: [{}, { nodePort: 30001 }] },
    ],
    [
      'keeps the port that tells who is local',
      { type: 'LoadBalancer', externalTrafficPolicy: 'Local' },
      { ...ONE, type: 'LoadBalancer', externalTrafficPolicy: 'Local', healthCheckNodePort: 30009 },
      { healthCheckNodePort: 30009 },
    ],
    ['keeps the address of what had none before', { ...ONE }, { type: 'ExternalName', externalName: 'a.b' }, ONE],
  ])('%s', (_, sent, old, expected) => {
    const object = decoded(service, { spec: { ports: [{ port: 80 }], ...sent } })
    keepAllocatedValues(object, of(old))
    expect(object.spec).toMatchObject(expected)
  })

  it('means the whole list by one address', () => {
    const old = of({ ...ONE, clusterIPs: ['10.0.0.1', 'fd00::1'] })
    const { object } = updated(service, old, ({ spec }) => {
      spec.clusterIP = '10.0.0.2'
    })
    expect(object.spec.clusterIPs).toEqual(['10.0.0.2'])
  })
})

describe('another type', () => {
  const FAMILY = { ...ONE, ipFamilies: ['IPv4'], ipFamilyPolicy: 'SingleStack' }

  it('of a mere name has no addresses', () => {
    const { object } = updated(service, of(FAMILY), ({ spec }) => {
      Object.assign(spec, { type: 'ExternalName', externalName: 'a.b' })
    })
    for (const name of ['clusterIP', 'clusterIPs', 'ipFamilies', 'ipFamilyPolicy']) expect(object.spec).not.toHaveProperty(name)
  })

  it('of the cluster has no ports of nodes', () => {
    const old = of({ ...FAMILY, type: 'NodePort', ports: [{ port: 80, nodePort: 30001 }] })
    const { object } = updated(service, old, ({ spec }) => {
      spec.type = 'ClusterIP'
    })
    expect(object.spec.ports?.[0]).not.toHaveProperty('nodePort')
    expect(object.spec).not.toHaveProperty('externalTrafficPolicy')
  })

  it('keeps what the same change sets, so that it is refused', () => {
    const old = of({ ...FAMILY, type: 'NodePort', ports: [{ port: 80, nodePort: 30001 }] })
    const { errors } = updated(service, old, ({ spec }) => {
      Object.assign(spec, { type: 'ClusterIP', ports: [{ port: 80, protocol: 'TCP', targetPort: 80, nodePort: 30002 }] })
    })
    expect(errors).toEqual(["spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'"])
  })

  it('without a balancer has nothing of one', () => {
    const balanced = {
      ...FAMILY,
      type: 'LoadBalancer',
      loadBalancerClass: 'a.b/c',
      externalTrafficPolicy: 'Local',
      healthCheckNodePort: 30009,
    }
    const old = of(balanced)
    old.status.loadBalancer = { ingress: [{ ip: '192.0.2.1' }] }
    const { object } = updated(service, old, ({ spec }) => {
      spec.type = 'ClusterIP'
    })
    for (const name of ['loadBalancerClass', 'allocateLoadBalancerNodePorts', 'healthCheckNodePort', 'externalTrafficPolicy']) {
      expect(object.spec).not.toHaveProperty(name)
    }
    expect(object.status).toEqual({ loadBalancer: {} })
  })
})
