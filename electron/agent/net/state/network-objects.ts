/** What the network of a node needs to know of API objects: small, comparable as text, and kept on disk. */
import type { Node, Service } from '../../../api/core/v1/types.gen.ts'
import type { Endpoint, EndpointSlice } from '../../../api/discovery/v1/types.gen.ts'
import { parseCidr, parseIp } from '../../../api/values/ip.ts'

export interface NodeNet {
  readonly name: string
  /** Milliseconds since the epoch. */
  readonly created: number
  /** IPv4; null while it has none. */
  readonly podCidr: string | null
  /** Its InternalIP, IPv4. */
  readonly address: string | null
  readonly zone: string | null
}

export type Protocol = 'TCP' | 'UDP' | 'SCTP'

export interface ServiceNet {
  readonly namespace: string
  readonly name: string
  /** IPv4, "None" for a headless one, null where it has no address (ExternalName, IPv6). */
  readonly clusterIP: string | null
  /** ExternalName: a DNS name. */
  readonly externalName: string | null
  readonly ports: readonly ServicePortNet[]
  /** IPv4. */
  readonly externalIPs: readonly string[]
  /** IPv4, of its status, where packets arrive with that address. */
  readonly loadBalancerIPs: readonly string[]
  /** IPv4 blocks that may use the load balancer's addresses; empty: all. */
  readonly sourceRanges: readonly string[]
  /** Seconds for which a client stays with an endpoint; null: it does not. */
  readonly affinitySeconds: number | null
  readonly internalLocal: boolean
  readonly externalLocal: boolean
  readonly healthCheckNodePort: number | null
  readonly publishNotReady: boolean
  /** Another proxy serves it, or none should; names are answered all the same. */
  readonly foreign: boolean
}

export interface ServicePortNet {
  readonly name: string
  readonly protocol: Protocol
  readonly port: number
  readonly nodePort: number | null
}

export interface SliceNet {
  readonly namespace: string
  readonly name: string
  readonly service: string
  /** A port without a number stands for all. */
  readonly ports: readonly { readonly name: string; readonly protocol: Protocol; readonly port: number | null }[]
  readonly endpoints: readonly EndpointNet[]
}

export interface EndpointNet {
  /** IPv4. */
  readonly address: string
  readonly ready: boolean
  readonly serving: boolean
  readonly terminating: boolean
  readonly hostname: string | null
  readonly node: string | null
  /** Names of zones and nodes that should use it; null without a hint. */
  readonly forZones: readonly string[] | null
  readonly forNodes: readonly string[] | null
}

const ZONE = 'topology.kubernetes.io/zone'
const PROXY_NAME = 'service.kubernetes.io/service-proxy-name'
const HEADLESS = 'service.kubernetes.io/headless'
export const SERVICE_NAME = 'kubernetes.io/service-name'
/** Seconds; Kubernetes' default. */
const AFFINITY = 10_800

const isIpv4 = (text: string) => parseIp(text)?.family === 4
const isIpv4Cidr = (text: string) => parseCidr(text)?.address.family === 4

export function nodeNet({ metadata, spec, status }: Node): NodeNet {
  const cidrs = [...(spec.podCIDRs ?? []), ...(spec.podCIDR ? [spec.podCIDR] : [])]
  const internal = (status.addresses ?? []).find(({ type, address }) => type === 'InternalIP' && isIpv4(address))
  return {
    name: metadata.name,
    created: Date.parse(metadata.creationTimestamp) || 0,
    podCidr: cidrs.find(isIpv4Cidr) ?? null,
    address: internal?.address ?? null,
    zone: metadata.labels?.[ZONE] ?? null,
  }
}

export function serviceNet({ metadata, spec, status }: Service): ServiceNet {
  const external = spec.type === 'ExternalName'
  const addresses = [...(spec.clusterIPs ?? []), ...(spec.clusterIP ? [spec.clusterIP] : [])]
  const clusterIP = addresses.includes('None') ? 'None' : (addresses.find(isIpv4) ?? null)
  const ingress = status.loadBalancer.ingress ?? []
  return {
    namespace: metadata.namespace ?? '',
    name: metadata.name,
    clusterIP: external ? null : clusterIP,
    externalName: external ? (spec.externalName ?? null) : null,
    ports: (spec.ports ?? []).map(({ name = '', protocol, port, nodePort }) => ({ name, protocol, port, nodePort: nodePort || null })),
    externalIPs: (spec.externalIPs ?? []).filter(isIpv4),
    loadBalancerIPs: ingress.flatMap(({ ip, ipMode }) => (ip && isIpv4(ip) && ipMode !== 'Proxy' ? [ip] : [])),
    sourceRanges: (spec.loadBalancerSourceRanges ?? []).map((range) => range.trim()).filter(isIpv4Cidr),
    affinitySeconds: spec.sessionAffinity === 'ClientIP' ? (spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? AFFINITY) : null,
    internalLocal: spec.internalTrafficPolicy === 'Local',
    externalLocal: spec.externalTrafficPolicy === 'Local',
    healthCheckNodePort: spec.healthCheckNodePort || null,
    publishNotReady: spec.publishNotReadyAddresses ?? false,
    foreign: metadata.labels?.[PROXY_NAME] !== undefined || metadata.labels?.[HEADLESS] !== undefined,
  }
}

/** Null for a slice that is no Service's, or not of IPv4. */
export function sliceNet({ metadata, addressType, ports, endpoints }: EndpointSlice): SliceNet | null {
  const service = metadata.labels?.[SERVICE_NAME]
  if (!service || addressType !== 'IPv4') return null
  return {
    namespace: metadata.namespace ?? '',
    name: metadata.name,
    service,
    ports: (ports ?? []).map(({ name = '', protocol = 'TCP', port }) => ({ name, protocol, port: port ?? null })),
    endpoints: (endpoints ?? []).flatMap(endpointNet),
  }
}

/** All addresses of an endpoint are the same backend; the first stands for it, as EndpointSlice says. */
function endpointNet({ addresses, conditions, hostname, nodeName, hints }: Endpoint): EndpointNet[] {
  const [address] = addresses
  if (address === undefined || !isIpv4(address)) return []
  const { ready = true, serving = ready, terminating = false } = conditions
  return [
    {
      address,
      ready,
      serving,
      terminating,
      hostname: hostname || null,
      node: nodeName ?? null,
      forZones: hints?.forZones?.map(({ name }) => name) ?? null,
      forNodes: hints?.forNodes?.map(({ name }) => name) ?? null,
    },
  ]
}
