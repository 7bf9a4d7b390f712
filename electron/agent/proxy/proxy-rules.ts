/** The nftables rules of all Services: what is always there, and each Service's share. */
import { Claims, type Chain, type NamedSet, type Refusal, type Ruleset } from '../net/nft/ruleset.ts'
import { CHAINS, MASQUERADE_BIT, SETS } from './names.ts'
import type { Entry, ServiceShare } from './service-rules.ts'
import { UDP_CHAINS, udpElements, udpSets } from './udp-flows.ts'

export interface ProxyContext {
  readonly clusterCIDR: string
  readonly serviceCIDR: string
  /** Addresses on `lo` that this node's agent serves itself. */
  readonly ownAddresses: readonly string[]
}

/** `refused` tells of Services that want an address and port which another one has. */
export function proxyRules(shares: Iterable<ServiceShare>, context: ProxyContext): { rules: Ruleset; refused: readonly Refusal[] } {
  const chains = new Map<string, Chain>(fixedChains(context))
  const sets = new Map<string, NamedSet>()
  const addresses = new Claims<Entry>()
  const nodePorts = new Claims<Entry>()
  const clusterIps = new Map<string, string>()
  const hairpin = new Map<string, string>()
  for (const share of shares) {
    for (const [name, chain] of share.chains) chains.set(name, chain)
    for (const [name, set] of share.sets) sets.set(name, set)
    for (const entry of share.entries) (entry.kind === 'address' ? addresses : nodePorts).claim(entry.key, entry.owner, entry)
    if (share.clusterIp) clusterIps.set(share.clusterIp, '')
    for (const address of share.localAddresses) hairpin.set(`${address} . ${address}`, '')
  }
  const put = (name: string, kind: NamedSet['kind'], spec: string, elements: ReadonlyMap<string, string>) =>
    sets.set(name, { kind, spec, elements })
  const address = 'type ipv4_addr . inet_proto . inet_service : verdict;'
  const port = 'type inet_proto . inet_service : verdict;'
  put(
    SETS.ips,
    'map',
    address,
    verdicts(addresses, ({ target }) => target),
  )
  put(
    SETS.noEndpoints,
    'map',
    address,
    verdicts(addresses, ({ refusal }) => refusal),
  )
  put(
    SETS.nodePorts,
    'map',
    port,
    verdicts(nodePorts, ({ target }) => target),
  )
  put(
    SETS.noEndpointNodePorts,
    'map',
    port,
    verdicts(nodePorts, ({ refusal }) => refusal),
  )
  put(SETS.clusterIps, 'set', 'type ipv4_addr;', clusterIps)
  put(SETS.hairpin, 'set', 'type ipv4_addr . ipv4_addr;', hairpin)
  for (const [name, set] of udpSets(udpElements(addresses, nodePorts))) sets.set(name, set)
  return { rules: { chains, sets }, refused: [...addresses.refused, ...nodePorts.refused] }
}

function verdicts(entries: Claims<Entry>, verdictOf: (entry: Entry) => string | null): Map<string, string> {
  const elements = new Map<string, string>()
  for (const [key, entry] of entries) {
    const verdict = verdictOf(entry)
    if (verdict) elements.set(key, verdict)
  }
  return elements
}

function fixedChains({ clusterCIDR, serviceCIDR, ownAddresses }: ProxyContext): [string, Chain][] {
  const own = ownAddresses.join(', ')
  const bit = `0x${MASQUERADE_BIT.toString(16)}`
  const others = `0x${(~MASQUERADE_BIT >>> 0).toString(16)}`
  const isNodePort = `fib daddr type local ip daddr != { 127.0.0.0/8, ${own} } meta l4proto . th dport`
  const hooked = (hook: string, ...rules: string[]): Chain => ({ hook: `${hook}; policy accept;`, rules })
  const check = 'ct state new jump service-check'
  return [
    ['service-prerouting', hooked('type nat hook prerouting priority dstnat', `jump ${CHAINS.services}`)],
    ['service-nat-output', hooked('type nat hook output priority -100', `jump ${CHAINS.services}`)],
    [
      CHAINS.services,
      {
        rules: [
          // Whoever routes Services' addresses to this node from outside must get its answer from here.
          `ip daddr ${serviceCIDR} ip daddr != { ${own} } ip saddr != ${clusterCIDR} jump ${CHAINS.markForMasquerade}`,
          `ip daddr . meta l4proto . th dport vmap @${SETS.ips}`,
          `${isNodePort} vmap @${SETS.nodePorts}`,
        ],
      },
    ],
    [CHAINS.markForMasquerade, { rules: [`meta mark set meta mark | ${bit}`] }],
    [
      'service-postrouting',
      hooked(
        'type nat hook postrouting priority srcnat',
        `meta mark & ${bit} != 0 meta mark set meta mark & ${others} masquerade fully-random`,
        `ct status dnat ip saddr . ip daddr @${SETS.hairpin} masquerade fully-random`,
      ),
    ],
    ['service-input', hooked('type filter hook input priority filter', check)],
    ['service-forward', hooked('type filter hook forward priority filter', check)],
    ['service-output', hooked('type filter hook output priority filter', check)],
    [
      'service-check',
      {
        rules: [
          'ct status dnat return',
          `ip daddr . meta l4proto . th dport vmap @${SETS.noEndpoints}`,
          `${isNodePort} vmap @${SETS.noEndpointNodePorts}`,
          // A port that the Service does not have.
          `ip daddr @${SETS.clusterIps} goto ${CHAINS.reject}`,
          // A Service that this node may hear of in a moment: its client tries again.
          `ip daddr ${serviceCIDR} fib daddr type != local drop`,
        ],
      },
    ],
    [CHAINS.reject, { rules: ['meta l4proto tcp reject with tcp reset', 'reject'] }],
    ...UDP_CHAINS(serviceCIDR),
  ]
}
