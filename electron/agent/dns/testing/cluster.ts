/** A state of the cluster, as the agent knows it. */
import { Emitter } from '../../../base/events.ts'
import type { StateChange } from '../../net/state/cluster-state.ts'
import type { EndpointNet, ServiceNet, SliceNet } from '../../net/state/network-objects.ts'

export interface FakeState {
  known: boolean
  readonly services: Map<string, ServiceNet>
  readonly slices: Map<string, SliceNet[]>
  slicesOf(service: string): readonly SliceNet[]
  readonly changed: Emitter<StateChange>
  /** Adds or replaces a Service, and tells. */
  put(service: ServiceNet, slices?: SliceNet[]): void
  drop(key: string): void
}

export function fakeState(): FakeState {
  const services = new Map<string, ServiceNet>()
  const slices = new Map<string, SliceNet[]>()
  const changed = new Emitter<StateChange>()
  return {
    ...{ known: true, services, slices, changed },
    slicesOf: (key) => slices.get(key) ?? [],
    put(service, of = []) {
      const key = `${service.namespace}/${service.name}`
      services.set(key, service)
      slices.set(key, of)
      changed.emit({ nodes: false, services: new Set([key]) })
    },
    drop(key) {
      services.delete(key)
      slices.delete(key)
      changed.emit({ nodes: false, services: new Set([key]) })
    },
  }
}

export function service(name: string, over: Partial<ServiceNet> = {}): ServiceNet {
  return {
    ...{ namespace: 'shop', name, clusterIP: '10.96.0.7', externalName: null, ports: [], externalIPs: [], loadBalancerIPs: [] },
    ...{ sourceRanges: [], affinitySeconds: null, internalLocal: false, externalLocal: false, healthCheckNodePort: null },
    ...{ publishNotReady: false, foreign: false },
    ...over,
  }
}

export const headless = (name: string, over: Partial<ServiceNet> = {}) => service(name, { clusterIP: 'None', ...over })

export function endpoint(address: string, hostname: string | null = null, ready = true): EndpointNet {
  return { address, hostname, ready, serving: ready, terminating: false, node: null, forZones: null, forNodes: null }
}

export function slice(of: string, endpoints: readonly EndpointNet[], ports: SliceNet['ports'] = []): SliceNet {
  return { namespace: 'shop', name: `${of}-abc12`, service: of, ports, endpoints }
}
