/**
 * UDP has no connections that break, so a client that goes on sending from the same port would be led to an endpoint for ever, also
 * when that is gone. kube-proxy deletes the kernel's entry with conntrack(8), which machines often lack. Here the rules see by
 * themselves that a flow's endpoint is no longer among those of its Service: the packet is dropped and its flow remembered, and from
 * the next packet on the flow is tracked in another conntrack zone, as a new one, and led to an endpoint that answers. Only the
 * client's direction has the zone, so answers are found as before. The old entry ends by itself, as nothing uses it.
 */
import type { Chain, Claims, NamedSet } from '../net/nft/ruleset.ts'
import { SETS } from './names.ts'
import type { Entry } from './service-rules.ts'

/** A flow whose second endpoint goes as well changes to the other zone; by then its first entry has ended. */
const ZONES = [7701, 7702] as const
const FLOW = 'ip saddr . udp sport . ip daddr . udp dport'
/** Longer than the kernel keeps an entry that nothing uses (nf_conntrack_udp_timeout_stream, 2 to 3 minutes). */
const MOVED = 'type ipv4_addr . inet_service . ipv4_addr . inet_service; flags dynamic,timeout; timeout 5m;'

export function UDP_CHAINS(serviceCIDR: string): [string, Chain][] {
  const [one, two] = ZONES
  const hooked = (hook: string, rule: string): Chain => ({ hook: `${hook}; policy accept;`, rules: [rule] })
  const zone = 'meta l4proto udp jump udp-zone'
  const check = 'meta l4proto udp ct direction original ct status dnat jump udp-check'
  const move = (from: string, to: string) => `delete @${from} { ${FLOW} } add @${to} { ${FLOW} } drop`
  const inZone = (set: string, id: number) => `${FLOW} @${set} update @${set} { ${FLOW} } ct original zone set ${id} return`
  return [
    // Before conntrack looks the flow up.
    ['udp-raw-prerouting', hooked('type filter hook prerouting priority raw', zone)],
    ['udp-raw-output', hooked('type filter hook output priority raw', zone)],
    ['udp-zone', { rules: [inZone(SETS.udpMoved2, two), inZone(SETS.udpMoved1, one)] }],
    // After it, and before addresses are translated.
    ['udp-prerouting', hooked('type filter hook prerouting priority mangle', check)],
    ['udp-output', hooked('type filter hook output priority mangle', check)],
    [
      'udp-check',
      {
        rules: [
          `ip daddr . udp dport . ct reply ip saddr . ct reply proto-src @${SETS.udpLive} return`,
          `fib daddr type local udp dport . ct reply ip saddr . ct reply proto-src @${SETS.udpLiveNodePorts} return`,
          `ip daddr ${serviceCIDR} goto udp-move`,
          `ip daddr . udp dport @${SETS.udpExternal} goto udp-move`,
          `fib daddr type local udp dport @${SETS.udpNodePorts} goto udp-move`,
        ],
      },
    ],
    ['udp-move', { rules: [`ct original zone ${one} ${move(SETS.udpMoved1, SETS.udpMoved2)}`, move(SETS.udpMoved2, SETS.udpMoved1)] }],
  ]
}

export interface UdpElements {
  readonly live: ReadonlyMap<string, string>
  readonly liveNodePorts: ReadonlyMap<string, string>
  readonly external: ReadonlyMap<string, string>
  readonly nodePorts: ReadonlyMap<string, string>
}

export function udpElements(addresses: Claims<Entry>, nodePorts: Claims<Entry>): UdpElements {
  const live = new Map<string, string>()
  const external = new Map<string, string>()
  for (const [key, { udp }] of addresses) {
    if (!udp) continue
    const at = key.replace(' . udp . ', ' . ')
    external.set(at, '')
    for (const endpoint of udp) live.set(`${at} . ${endpoint}`, '')
  }
  const liveNodePorts = new Map<string, string>()
  const ports = new Map<string, string>()
  for (const [key, { udp }] of nodePorts) {
    if (!udp) continue
    const port = key.replace('udp . ', '')
    ports.set(port, '')
    for (const endpoint of udp) liveNodePorts.set(`${port} . ${endpoint}`, '')
  }
  return { live, liveNodePorts, external, nodePorts: ports }
}

export function udpSets({ live, liveNodePorts, external, nodePorts }: UdpElements): [string, NamedSet][] {
  const set = (spec: string, elements: NamedSet['elements']): NamedSet => ({ kind: 'set', spec, elements })
  return [
    [SETS.udpLive, set('type ipv4_addr . inet_service . ipv4_addr . inet_service;', live)],
    [SETS.udpLiveNodePorts, set('type inet_service . ipv4_addr . inet_service;', liveNodePorts)],
    [SETS.udpExternal, set('type ipv4_addr . inet_service;', external)],
    [SETS.udpNodePorts, set('type inet_service;', nodePorts)],
    [SETS.udpMoved1, set(MOVED, null)],
    [SETS.udpMoved2, set(MOVED, null)],
  ]
}
