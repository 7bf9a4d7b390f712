import type { EndpointAddress, EndpointPort as CorePort, EndpointSubset } from '../../api/core/v1/types.gen.ts'
import type { Endpoint, EndpointPort } from '../../api/discovery/v1/types.gen.ts'
import { parseIp } from '../../api/values/ip.ts'
import { portsKey, type EndpointGroup } from '../endpoint-slice/endpoints-of.ts'

type Group = EndpointGroup & { readonly endpoints: Endpoint[] }

/** The addresses of all subsets by family and ports; of one subset no more than `limit`. */
export function groupsOf(subsets: readonly EndpointSubset[], limit: number): readonly EndpointGroup[] {
  const groups = new Map<string, Group>()
  for (const { addresses = [], notReadyAddresses = [], ports = [] } of subsets) {
    const all = [
      ...addresses.map((address) => ({ address, ready: true })),
      ...notReadyAddresses.map((address) => ({ address, ready: false })),
    ]
    for (const { address, ready } of all.slice(0, limit)) {
      const ip = parseIp(address.ip)
      if (!ip) continue
      const addressType = ip.family === 4 ? 'IPv4' : 'IPv6'
      const wanted = ports.map(portOf)
      const key = `${addressType} ${portsKey(wanted)}`
      const group = groups.get(key) ?? { addressType, ports: wanted, endpoints: [] }
      groups.set(key, group)
      group.endpoints.push(endpointOf(address, ready))
    }
  }
  return [...groups.values()]
}

function portOf({ name = '', port, protocol = 'TCP', appProtocol }: CorePort): EndpointPort {
  return { name, port, protocol, ...(appProtocol === undefined ? {} : { appProtocol }) }
}

function endpointOf({ ip, hostname, nodeName, targetRef }: EndpointAddress, ready: boolean): Endpoint {
  return {
    addresses: [ip],
    conditions: { ready },
    ...(hostname ? { hostname } : {}),
    ...(nodeName === undefined ? {} : { nodeName }),
    ...(targetRef ? { targetRef } : {}),
  }
}
