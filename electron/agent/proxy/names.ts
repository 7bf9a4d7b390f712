/** Names in the nftables table that more than one file speaks of. */

/** Bit of the packet mark that asks for masquerading; the one that kube-proxy uses. */
export const MASQUERADE_BIT = 0x4000

export const CHAINS = {
  services: 'services',
  markForMasquerade: 'mark-for-masquerade',
  reject: 'reject-service',
} as const

/** Filled with what Services and their endpoints say. */
export const SETS = {
  /** Where packets for an address, protocol and port of a Service go. */
  ips: 'service-ips',
  nodePorts: 'service-nodeports',
  /** What becomes of packets for Services without an endpoint to go to. */
  noEndpoints: 'no-endpoints',
  noEndpointNodePorts: 'no-endpoint-nodeports',
  clusterIps: 'cluster-ips',
  /** A pod that reaches itself through a Service must not see its own address as the sender's. */
  hairpin: 'hairpin',
  /** Address and port of UDP Services with the endpoints that answer for them. */
  udpLive: 'udp-live',
  udpLiveNodePorts: 'udp-live-nodeports',
  udpExternal: 'udp-external',
  udpNodePorts: 'udp-nodeports',
  udpMoved1: 'udp-moved-1',
  udpMoved2: 'udp-moved-2',
} as const
