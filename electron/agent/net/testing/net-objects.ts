/** Nodes, Services and endpoints for tests, and clusters at random. */
import { randomInt, type Random } from '../../../base/random.ts'
import type { EndpointNet, NodeNet, ServiceNet, ServicePortNet, SliceNet } from '../state/network-objects.ts'

export const nodeOf = (number: number, more: Partial<NodeNet> = {}): NodeNet => ({
  name: `node-${number}`,
  created: number,
  podCidr: `10.244.${number}.0/24`,
  address: `192.168.1.${number}`,
  zone: null,
  ...more,
})

export const portOf = (more: Partial<ServicePortNet> = {}): ServicePortNet => ({
  name: '',
  protocol: 'TCP',
  port: 80,
  nodePort: null,
  ...more,
})

export const serviceOf = (name: string, more: Partial<ServiceNet> = {}): ServiceNet => ({
  namespace: 'default',
  name,
  clusterIP: '10.96.1.1',
  externalName: null,
  ports: [portOf()],
  externalIPs: [],
  loadBalancerIPs: [],
  sourceRanges: [],
  affinitySeconds: null,
  internalLocal: false,
  externalLocal: false,
  healthCheckNodePort: null,
  publishNotReady: false,
  foreign: false,
  ...more,
})

export const endpointOf = (address: string, more: Partial<EndpointNet> = {}): EndpointNet => ({
  address,
  ready: true,
  serving: true,
  terminating: false,
  hostname: null,
  node: 'node-1',
  forZones: null,
  forNodes: null,
  ...more,
})

export const sliceOf = (service: string, endpoints: readonly EndpointNet[], more: Partial<SliceNet> = {}): SliceNet => ({
  namespace: 'default',
  name: `${service}-1`,
  service,
  ports: [{ name: '', protocol: 'TCP', port: 8080 }],
  endpoints,
  ...more,
})

export interface RandomService {
  readonly service: ServiceNet
  readonly slice: SliceNet
}

/** Up to `most` Services of all sorts, each of them likely to be as it was with the same name. */
export function randomServices(random: Random, most: number): RandomService[] {
  const yes = (chance: number) => random.float() < chance
  const found: RandomService[] = []
  for (let number = 1; number <= most; number++) {
    if (yes(0.25)) continue
    const name = `s${number}`
    const outside = yes(0.4)
    const protocols = yes(0.3) ? (['TCP', 'UDP'] as const) : (['TCP'] as const)
    const ports = protocols.map((protocol) => portOf({ name: protocol, protocol, nodePort: outside ? 30_000 + number : null }))
    const service = serviceOf(name, {
      clusterIP: `10.96.2.${number}`,
      ports,
      externalIPs: yes(0.15) ? [`203.0.113.${1 + randomInt(random, 3)}`] : [],
      loadBalancerIPs: outside && yes(0.3) ? [`198.51.100.${number}`] : [],
      sourceRanges: yes(0.3) ? ['192.0.2.0/24', '192.0.2.128/25'] : [],
      affinitySeconds: yes(0.25) ? 60 : null,
      internalLocal: yes(0.2),
      externalLocal: outside && yes(0.3),
    })
    const endpoints: EndpointNet[] = []
    for (let i = randomInt(random, 4); i > 0; i--) {
      const node = 1 + randomInt(random, 2)
      const ready = yes(0.8)
      endpoints.push(endpointOf(`10.244.${node}.${2 + randomInt(random, 20)}`, { node: `node-${node}`, ready, terminating: !ready }))
    }
    const slice = sliceOf(name, endpoints, { ports: protocols.map((protocol) => ({ name: protocol, protocol, port: 8080 })) })
    found.push({ service, slice })
  }
  return found
}
