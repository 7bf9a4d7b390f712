/** The rules of the nftables table that pods' traffic needs, Services apart. */
import { BRIDGE, VXLAN } from './links/observed.ts'
import { VXLAN_ID, VXLAN_PORT } from './links/changes.ts'
import type { LinkPlan } from './links/plan.ts'
import type { Ruleset } from './nft/ruleset.ts'

export interface PodRulesInput {
  readonly clusterCIDR: string
  readonly apiVip: string
  readonly dnsVip: string
  /** Null while this node has no network for pods. */
  readonly plan: LinkPlan | null
  /** Whether netfilter sees what the bridge forwards. */
  readonly bridgeFilter: boolean
}

/** After those of Services (`srcnat`): the first that translates decides. */
const AFTER_SERVICES = 'srcnat + 1'

export function podRules({ clusterCIDR, apiVip, dnsVip, plan, bridgeFilter }: PodRulesInput): Ruleset {
  const peers = [...(plan?.peers.values() ?? [])].map(({ endpoint }): [string, string] => [endpoint, ''])
  const postrouting: string[] = []
  if (plan) {
    const { podCidr } = plan
    // Without br_netfilter an answer between two pods of this node takes the short way over the bridge and misses the translation of
    // its address; so the question must seem to come from the node.
    if (!bridgeFilter) postrouting.push(`ct status dnat ip saddr ${podCidr} ip daddr ${podCidr} masquerade`)
    postrouting.push(
      `ip saddr ${podCidr} ip daddr != { ${clusterCIDR}, 224.0.0.0/4 } masquerade fully-random`,
      // Peers know no way back through the tunnel but to pods' networks.
      `oifname "${VXLAN}" ip saddr != ${clusterCIDR} masquerade fully-random`,
    )
  }
  return {
    chains: new Map([
      ['pod-postrouting', { hook: `type nat hook postrouting priority ${AFTER_SERVICES}; policy accept;`, rules: postrouting }],
      [
        'pod-input',
        {
          hook: 'type filter hook input priority filter; policy accept;',
          rules: [
            // A tunnel's packets carry no proof of their sender.
            `udp dport ${VXLAN_PORT} @th,96,24 ${VXLAN_ID} ip saddr != @peers drop`,
            `ip daddr { ${apiVip}, ${dnsVip} } iifname != { "lo", "${BRIDGE}" } drop`,
            // portmap opens the way to 127.0.0.1 for the node's own connections to host ports; pods may only answer on it.
            `iifname "${BRIDGE}" ip daddr 127.0.0.0/8 ct direction original drop`,
          ],
        },
      ],
      [
        'pod-output',
        {
          hook: 'type filter hook output priority filter; policy accept;',
          // A pod must not be told of a shorter way to a Service's address: it is translated here only.
          rules: [`oifname "${BRIDGE}" icmp type redirect drop`],
        },
      ],
    ]),
    sets: new Map([['peers', { kind: 'set', spec: 'type ipv4_addr;', elements: new Map(peers) }]]),
  }
}
