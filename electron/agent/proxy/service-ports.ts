/** Which endpoints a port of a Service leads to on this node. Source: kubernetes `pkg/proxy/topology.go`, KEP-1672, KEP-2086, KEP-2433, KEP-3015. */
import type { EndpointNet, Protocol, ServiceNet, ServicePortNet, SliceNet } from '../net/state/network-objects.ts'

export interface ServicePort {
  readonly service: ServiceNet
  readonly protocol: Protocol
  readonly port: number
  readonly nodePort: number | null
  /** For traffic that may go to any node. */
  readonly cluster: readonly Backend[]
  /** For traffic that must stay on this node. */
  readonly local: readonly Backend[]
  /** All that still answer: a connection to one of them need not be moved. */
  readonly serving: readonly Backend[]
}

export interface Backend {
  /** IPv4. */
  readonly address: string
  readonly port: number
  /** Whether it is on this node. */
  readonly local: boolean
}

/** Where this node is. */
export interface Place {
  readonly node: string
  readonly zone: string | null
}

interface Candidate extends Backend {
  readonly endpoint: EndpointNet
}

/** One for each port of a Service with an address of its own; none for those that others serve. */
export function servicePorts(service: ServiceNet, slices: readonly SliceNet[], place: Place): ServicePort[] {
  if (service.foreign || service.clusterIP === null || service.clusterIP === 'None') return []
  return service.ports.map((port) => {
    const candidates = candidatesOf(port, slices, place)
    const { protocol, nodePort } = port
    const local = preferReady(candidates.filter((candidate) => candidate.local))
    const cluster = preferReady(nearest(candidates, place))
    const serving = candidates.filter(({ endpoint }) => endpoint.serving || endpoint.ready)
    return { service, protocol, port: port.port, nodePort, cluster: plain(cluster), local: plain(local), serving: plain(serving) }
  })
}

/** The endpoints of a port, each once, in an order that does not depend on how they are spread over slices. */
function candidatesOf(port: ServicePortNet, slices: readonly SliceNet[], { node }: Place): Candidate[] {
  const found = new Map<string, Candidate>()
  for (const slice of slices) {
    const target = slice.ports.find(({ name, protocol }) => name === port.name && protocol === port.protocol)
    if (!target) continue
    for (const endpoint of slice.endpoints) {
      const { address } = endpoint
      const candidate = { address, port: target.port ?? port.port, local: endpoint.node === node, endpoint }
      const key = `${address}:${candidate.port}`
      const known = found.get(key)
      // While a pod moves between slices it may be in both.
      if (!known || (endpoint.ready && !known.endpoint.ready)) found.set(key, candidate)
    }
  }
  return [...found].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, candidate]) => candidate)
}

/** Those that are ready; where there are none, those that end but still answer. */
function preferReady(candidates: readonly Candidate[]): readonly Candidate[] {
  const ready = candidates.filter(({ endpoint }) => endpoint.ready)
  return ready.length ? ready : candidates.filter(({ endpoint }) => endpoint.serving && endpoint.terminating)
}

/** Of ready endpoints those whose hints name this node, else this zone; hints count only if all have them. */
function nearest(candidates: readonly Candidate[], { node, zone }: Place): readonly Candidate[] {
  const ready = candidates.filter(({ endpoint }) => endpoint.ready)
  const hinted = (hints: (endpoint: EndpointNet) => readonly string[] | null, here: string | null) => {
    if (here === null || !ready.length || !ready.every(({ endpoint }) => hints(endpoint)?.length)) return null
    const near = ready.filter(({ endpoint }) => hints(endpoint)?.includes(here))
    return near.length ? near : null
  }
  return hinted(({ forNodes }) => forNodes, node) ?? hinted(({ forZones }) => forZones, zone) ?? candidates
}

function plain(candidates: readonly Candidate[]): Backend[] {
  return candidates.map(({ address, port, local }) => ({ address, port, local }))
}
