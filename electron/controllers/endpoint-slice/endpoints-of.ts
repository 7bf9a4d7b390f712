/** The endpoints that a service shall have. Source: kubernetes `endpointslice/reconciler.go`, `endpointslice/utils.go`. */
import type { Node, Pod, Service } from '../../api/core/v1/types.gen.ts'
import type { Endpoint, EndpointPort } from '../../api/discovery/v1/types.gen.ts'
import { parseIp } from '../../api/values/ip.ts'
import { isPodReady } from '../workload/pod-state.ts'
import { addressesOf, hostnameIn, targetPort, zoneOf } from '../workload/service-pods.ts'

export type AddressType = 'IPv4' | 'IPv6'

/** Endpoints that answer at the same ports. */
export interface EndpointGroup {
  readonly addressType: AddressType
  readonly ports: readonly EndpointPort[]
  readonly endpoints: readonly Endpoint[]
}

export type NodeByName = (name: string) => Node | undefined

/** One group at least for each family of the service: where nothing answers, one without ports and endpoints. */
export function endpointGroups(service: Service, pods: readonly Pod[], nodeOf: NodeByName): readonly EndpointGroup[] {
  return addressTypes(service).flatMap((addressType) => groupsOf(addressType, service, pods, nodeOf))
}

function groupsOf(addressType: AddressType, service: Service, pods: readonly Pod[], nodeOf: NodeByName): readonly EndpointGroup[] {
  const groups = new Map<string, { addressType: AddressType; ports: readonly EndpointPort[]; endpoints: Endpoint[] }>()
  for (const pod of pods) {
    const addresses = addressesOf(pod).filter((address) => typeOf(address) === addressType)
    const node = pod.spec.nodeName ? nodeOf(pod.spec.nodeName) : undefined
    // A node that is not known, or not yet, cannot be reached.
    if (addresses.length === 0 || (pod.spec.nodeName && !node)) continue
    const ports = portsOn(pod, service)
    const key = portsKey(ports)
    const group = groups.get(key) ?? { addressType, ports, endpoints: [] }
    group.endpoints.push(endpointOf(pod, addresses, service, node))
    groups.set(key, group)
  }
  return groups.size > 0 ? [...groups.values()] : [{ addressType, ports: [], endpoints: [] }]
}

function addressTypes({ spec }: Service): readonly AddressType[] {
  const families = (spec.ipFamilies ?? []).filter((family) => family !== '')
  if (families.length > 0) return families
  return [spec.clusterIP ? (typeOf(spec.clusterIP) ?? 'IPv4') : 'IPv4']
}

function typeOf(address: string): AddressType | null {
  const ip = parseIp(address)
  return ip && (ip.family === 4 ? 'IPv4' : 'IPv6')
}

/** A port whose name this pod does not have is left out. */
function portsOn(pod: Pod, { spec }: Service): readonly EndpointPort[] {
  return (spec.ports ?? []).flatMap((servicePort) => {
    const port = targetPort(pod, servicePort)
    if (port === null) return []
    const { name = '', protocol, appProtocol } = servicePort
    return [{ name, port, protocol, ...(appProtocol ? { appProtocol } : {}) }]
  })
}

/** The same for the same ports in whatever order. */
export function portsKey(ports: readonly EndpointPort[] | undefined): string {
  const spelt = (ports ?? []).map(({ name = '', port, protocol = 'TCP', appProtocol = '' }) =>
    JSON.stringify([name, port ?? null, protocol, appProtocol]),
  )
  return spelt.sort().join()
}

function endpointOf(pod: Pod, addresses: readonly string[], service: Service, node: Node | undefined): Endpoint {
  const { name, namespace, uid, deletionTimestamp } = pod.metadata
  const serving = isPodReady(pod)
  const terminating = deletionTimestamp !== undefined
  const ready = service.spec.publishNotReadyAddresses === true || (serving && !terminating)
  const hostname = hostnameIn(service, pod)
  const zone = node && zoneOf(node)
  const hints = ready && node ? hintsFor(service.spec.trafficDistribution, node.metadata.name, zone) : undefined
  return {
    addresses: [...addresses],
    conditions: { ready, serving, terminating },
    ...(hints ? { hints } : {}),
    ...(hostname ? { hostname } : {}),
    ...(node ? { nodeName: node.metadata.name } : {}),
    targetRef: { kind: 'Pod', name, ...(namespace ? { namespace } : {}), uid },
    ...(zone ? { zone } : {}),
  }
}

/** Who shall use the endpoint before others, as the service wishes (KEP-4444, KEP-3015). */
function hintsFor(distribution: string | undefined, node: string, zone: string | undefined): Endpoint['hints'] {
  const forZones = zone ? [{ name: zone }] : []
  if (distribution === 'PreferSameNode') return { ...(zone ? { forZones } : {}), forNodes: [{ name: node }] }
  return zone && (distribution === 'PreferClose' || distribution === 'PreferSameZone') ? { forZones } : undefined
}
