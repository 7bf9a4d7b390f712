/** What the links, addresses and routes of a node should be, from its own Node and its peers'. */
import { cidrContains, formatCidr, formatIp, networkOf, parseCidr, type Cidr } from '../../../api/values/ip.ts'
import type { NodeNet } from '../state/network-objects.ts'
import { BRIDGE, linkOfAddress, VXLAN, type Observed } from './observed.ts'

export interface LinkPlan {
  /** Its pods' network: "10.244.1.0/24". */
  readonly podCidr: string
  readonly mtu: number
  readonly bridge: { readonly mac: string; readonly address: string; readonly prefix: number }
  readonly vxlan: { readonly mac: string; readonly address: string; readonly local: string | null }
  /** By the network of their pods. */
  readonly peers: ReadonlyMap<string, Peer>
  readonly serviceCidr: string
}

export interface Peer {
  readonly name: string
  readonly podCidr: string
  /** Of its `flotilla.vx`. */
  readonly address: string
  readonly mac: string
  /** Where its tunnel ends. */
  readonly endpoint: string
}

export interface PlanInput {
  readonly nodeName: string
  readonly nodeIP: string
  readonly serviceCIDR: string
  readonly nodes: Iterable<NodeNet>
  readonly observed: Observed
}

/** Of the outer Ethernet, IPv4, UDP and VXLAN headers. */
const OVERHEAD = 50
const USUAL_MTU = 1500

/** Why a peer cannot be reached, or this node have pods. */
export type PlanFault = { readonly kind: 'same-network'; readonly node: string; readonly other: string; readonly podCidr: string }

/** `plan` is null while this node has no network for pods. */
export function planLinks(input: PlanInput): { plan: LinkPlan | null; faults: readonly PlanFault[] } {
  const { nodeName, nodeIP, observed } = input
  const nodes = [...input.nodes].toSorted((a, b) => a.created - b.created || (a.name < b.name ? -1 : 1))
  const own = nodes.find(({ name }) => name === nodeName)
  const ownCidr = own?.podCidr ? parseCidr(own.podCidr) : null
  if (!ownCidr) return { plan: null, faults: [] }
  const faults: PlanFault[] = []
  const taken: { node: string; cidr: Cidr }[] = [{ node: nodeName, cidr: ownCidr }]
  const peers = new Map<string, Peer>()
  for (const { name, podCidr, address } of nodes) {
    const cidr = podCidr === null ? null : parseCidr(podCidr)
    if (name === nodeName || !cidr || address === null) continue
    const holder = taken.find((one) => overlap(one.cidr, cidr))
    if (holder) {
      faults.push({ kind: 'same-network', node: name, other: holder.node, podCidr: formatCidr(cidr) })
      continue
    }
    taken.push({ node: name, cidr })
    const key = formatCidr(cidr)
    peers.set(key, { name, podCidr: key, address: formatIp(networkOf(cidr)), mac: vtepMac(cidr), endpoint: address })
  }
  const uplink = linkOfAddress(observed, nodeIP)
  const plan: LinkPlan = {
    podCidr: formatCidr(ownCidr),
    mtu: uplinkMtu(observed, uplink) - OVERHEAD,
    bridge: { mac: bridgeMac(ownCidr), address: gatewayOf(ownCidr), prefix: ownCidr.prefix },
    // An address that this machine does not hold itself is a router's in front of it; the kernel then chooses.
    vxlan: { mac: vtepMac(ownCidr), address: formatIp(networkOf(ownCidr)), local: uplink === null ? null : nodeIP },
    peers,
    serviceCidr: formatCidr(parseCidr(input.serviceCIDR) as Cidr),
  }
  return { plan, faults }
}

export function overlap(a: Cidr, b: Cidr): boolean {
  return a.prefix <= b.prefix ? cidrContains(a, b.address) : cidrContains(b, a.address)
}

/** The first address of a pods' network, which is its bridge's. */
export function gatewayOf(cidr: Cidr): string {
  const { family, value } = networkOf(cidr)
  return formatIp({ family, value: value + 1n })
}

/** Locally administered and derived, so that peers know it without being told. */
export const vtepMac = (cidr: Cidr) => macOf('02:77', cidr)
const bridgeMac = (cidr: Cidr) => macOf('02:78', cidr)

function macOf(prefix: string, cidr: Cidr): string {
  const hex = networkOf(cidr).value.toString(16).padStart(8, '0')
  return [prefix, ...(hex.match(/../g) ?? [])].join(':')
}

function uplinkMtu({ links, routes }: Observed, uplink: string | null): number {
  const name = uplink ?? routes.find(({ to, table }) => to === null && table === 'main')?.link ?? ''
  const link = links.get(name)
  return link && link.name !== 'lo' ? link.mtu : USUAL_MTU
}

/** Our own links, whose routes and addresses are nobody else's. */
export const OWN_LINKS: ReadonlySet<string> = new Set([BRIDGE, VXLAN])
