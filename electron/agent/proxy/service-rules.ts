/** One Service's share of the nftables table. Source: kubernetes `pkg/proxy/nftables`, KEP-3866; written for verdict maps alone. */
import { cidrContains, formatCidr, parseCidr } from '../../api/values/ip.ts'
import type { Chain, NamedSet } from '../net/nft/ruleset.ts'
import type { ServiceNet } from '../net/state/network-objects.ts'
import { CHAINS } from './names.ts'
import type { Backend, ServicePort } from './service-ports.ts'

export interface ServiceShare {
  readonly chains: ReadonlyMap<string, Chain>
  readonly sets: ReadonlyMap<string, NamedSet>
  /** Addresses (`IP . PROTO . PORT`) and node ports (`PROTO . PORT`) at which it is reached. */
  readonly entries: readonly Entry[]
  /** Null for a Service without ports. */
  readonly clusterIp: string | null
  /** Addresses of its endpoints on this node. */
  readonly localAddresses: readonly string[]
}

export interface Entry {
  readonly kind: 'address' | 'nodePort'
  readonly key: string
  /** Of Services that claim the same key the first in this order has it. */
  readonly owner: string
  /** Where new connections go; null: nowhere. */
  readonly target: string | null
  /** What becomes of those that go nowhere: all without a target, and those that must stay on this node and find nothing there. */
  readonly refusal: string | null
  /** Of UDP: the endpoints that answer, as `IP . PORT`. */
  readonly udp: readonly string[] | null
}

export interface ShareContext {
  readonly clusterCIDR: string
  /** Addresses that no Service may take over. */
  readonly reserved: ReadonlySet<string>
}

const REJECT = `goto ${CHAINS.reject}`

export function serviceShare(service: ServiceNet, ports: readonly ServicePort[], context: ShareContext): ServiceShare {
  const chains = new Map<string, Chain>()
  const sets = new Map<string, NamedSet>()
  const entries = ports.flatMap((port) => portShare(port, context, chains, sets))
  const local = new Set(ports.flatMap(({ cluster, local }) => [...cluster, ...local].flatMap((b) => (b.local ? [b.address] : []))))
  return { chains, sets, entries, clusterIp: ports.length ? service.clusterIP : null, localAddresses: [...local] }
}

function portShare(port: ServicePort, context: ShareContext, chains: Map<string, Chain>, sets: Map<string, NamedSet>): Entry[] {
  const { service, cluster, local, nodePort } = port
  const { namespace, name, affinitySeconds } = service
  const protocol = port.protocol.toLowerCase()
  const key = `${namespace}/${name}/${protocol}/${port.port}`
  const isAnywhere = nodePort !== null || service.externalIPs.length > 0 || service.loadBalancerIPs.length > 0
  const some = cluster.length > 0 || local.length > 0

  const balance = (prefix: string, backends: readonly Backend[]): string | null => {
    if (!backends.length) return null
    const chain = `${prefix}-${key}`
    chains.set(chain, { rules: affinitySeconds === null ? [dnatToAny(protocol, backends)] : sticky(key, backends) })
    return `goto ${chain}`
  }
  if (affinitySeconds !== null) {
    for (const backend of new Map([...cluster, ...local].map((one) => [endpointOf(one), one])).values()) {
      const endpoint = `${key}/${backend.address}/${backend.port}`
      sets.set(`aff-${endpoint}`, { kind: 'set', spec: 'type ipv4_addr; flags dynamic,timeout;', elements: null })
      const remember = `update @aff-${endpoint} { ip saddr timeout ${affinitySeconds}s }`
      chains.set(`ep-${endpoint}`, { rules: [remember, dnatTo(protocol, backend)] })
    }
  }
  const toCluster = service.internalLocal && !isAnywhere ? null : balance('svc', cluster)
  const toLocal = service.internalLocal || (service.externalLocal && isAnywhere) ? balance('loc', local) : null

  const udp = port.protocol === 'UDP' ? port.serving.map(({ address, port: at }) => `${address} . ${at}`) : null
  const internal = service.internalLocal ? toLocal : toCluster
  const owner = `${namespace}/${name}`
  const address = (ip: string) => `${ip} . ${protocol} . ${port.port}`
  const entries: Entry[] = [
    {
      kind: 'address',
      key: address(service.clusterIP ?? ''),
      // Before all that claim an address from outside the cluster.
      owner: `0 ${owner}`,
      target: internal,
      refusal: internal ? null : some ? 'drop' : REJECT,
      udp,
    },
  ]
  if (!isAnywhere) return entries

  const external = `ext-${key}`
  if (some) chains.set(external, { rules: externalRules(service, toCluster, toLocal, context) })
  const target = some ? `goto ${external}` : null
  const refusal = !some ? REJECT : service.externalLocal && !toLocal ? 'drop' : null
  const outside = { owner: `1 ${owner}`, refusal, udp }
  for (const ip of service.externalIPs)
    if (!context.reserved.has(ip)) entries.push({ ...outside, kind: 'address', key: address(ip), target })
  const guarded = service.sourceRanges.length > 0 && target ? `fw-${key}` : null
  if (guarded) chains.set(guarded, { rules: [sourceFilter(service), target ?? ''] })
  for (const ip of service.loadBalancerIPs) {
    if (context.reserved.has(ip)) continue
    entries.push({ ...outside, kind: 'address', key: address(ip), target: guarded ? `goto ${guarded}` : target })
  }
  if (nodePort !== null) entries.push({ ...outside, kind: 'nodePort', key: `${protocol} . ${nodePort}`, target })
  return entries
}

/** Traffic from outside the cluster. Where it must stay on the node its sender's address is kept. */
function externalRules({ externalLocal }: ServiceNet, toCluster: string | null, toLocal: string | null, context: ShareContext): string[] {
  const masquerade = `jump ${CHAINS.markForMasquerade}`
  if (!externalLocal) return toCluster ? [masquerade, toCluster] : []
  return [
    // Pods and this node itself are inside: which endpoint they get does not matter to who is outside.
    ...(toCluster
      ? [`ip saddr ${context.clusterCIDR} ${toCluster}`, `fib saddr type local ${masquerade}`, `fib saddr type local ${toCluster}`]
      : []),
    ...(toLocal ? [toLocal] : []),
  ]
}

/** A load balancer's own address is let in, as packets from this node may bear it. */
function sourceFilter({ sourceRanges, loadBalancerIPs }: ServiceNet): string {
  const allowed = [...sourceRanges, ...loadBalancerIPs.map((ip) => `${ip}/32`)].flatMap((text) => parseCidr(text) ?? [])
  // nft refuses blocks that overlap.
  const outermost = allowed
    .toSorted((a, b) => a.prefix - b.prefix)
    .filter((one, at, all) => !all.slice(0, at).some((wider) => cidrContains(wider, one.address)))
  return `ip saddr != { ${outermost.map(formatCidr).join(', ')} } drop`
}

function dnatToAny(protocol: string, backends: readonly Backend[]): string {
  const [first] = backends
  if (first && backends.length === 1) return dnatTo(protocol, first)
  const choices = backends.map(({ address, port }, i) => `${i} : ${address} . ${port}`).join(', ')
  return `meta l4proto ${protocol} dnat ip addr . port to numgen random mod ${backends.length} map { ${choices} }`
}

function dnatTo(protocol: string, { address, port }: Backend): string {
  return `meta l4proto ${protocol} dnat to ${address}:${port}`
}

/** Clients that are remembered go where they went before. */
function sticky(key: string, backends: readonly Backend[]): string[] {
  const names = backends.map(({ address, port }) => `${key}/${address}/${port}`)
  return [
    ...names.map((name) => `ip saddr @aff-${name} goto ep-${name}`),
    `numgen random mod ${names.length} vmap { ${names.map((name, i) => `${i} : goto ep-${name}`).join(', ')} }`,
  ]
}

const endpointOf = ({ address, port }: Backend) => `${address}:${port}`
