/** Endpoints as they were before slices. Source: kubernetes `pkg/controller/endpoint`, `api/v1/endpoints.RepackSubsets`. */
import type { EndpointAddress, EndpointPort, EndpointSubset, Pod, Service } from '../../api/core/v1/types.gen.ts'
import { parseIp } from '../../api/values/ip.ts'
import { isBeingDeleted } from '../../machinery/object.ts'
import { isPodReady } from '../workload/pod-state.ts'
import { addressesOf, hostnameIn, isHeadless, targetPort } from '../workload/service-pods.ts'

/** So many addresses one object tells of; the rest is only in slices. */
const MAX_ADDRESSES = 1000

export interface Subsets {
  readonly subsets: readonly EndpointSubset[]
  /** Whether there were more addresses. */
  readonly truncated: boolean
}

interface Backend {
  readonly address: EndpointAddress
  readonly ports: readonly EndpointPort[]
  readonly ready: boolean
}

/** Addresses with the same ports stand together. Ready ones come first where there are too many. */
export function subsetsOf(service: Service, pods: readonly Pod[]): Subsets {
  const backends = pods.flatMap((pod) => backendOf(service, pod) ?? [])
  const ranked = [...backends.filter(({ ready }) => ready), ...backends.filter(({ ready }) => !ready)]
  const groups = new Map<string, Backend[]>()
  for (const backend of ranked.slice(0, MAX_ADDRESSES)) {
    const key = JSON.stringify(backend.ports)
    groups.set(key, [...(groups.get(key) ?? []), backend])
  }
  const subsets = [...groups].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, group]) => subsetOf(group))
  return { subsets, truncated: ranked.length > MAX_ADDRESSES }
}

function subsetOf(group: readonly Backend[]): EndpointSubset {
  const ports = group[0]?.ports ?? []
  const inOrder = (ready: boolean) =>
    group
      .filter((backend) => backend.ready === ready)
      .map(({ address }) => address)
      .sort((a, b) => (a.ip < b.ip ? -1 : 1))
  const [addresses, notReadyAddresses] = [inOrder(true), inOrder(false)]
  return {
    ...(addresses.length > 0 ? { addresses } : {}),
    ...(notReadyAddresses.length > 0 ? { notReadyAddresses } : {}),
    ...(ports.length > 0 ? { ports: [...ports] } : {}),
  }
}

/** Null for pods that end, that have no address of the service's first family, or none of its ports. */
function backendOf(service: Service, pod: Pod): Backend | null {
  const { publishNotReadyAddresses: anyway = false, ipFamilies, clusterIP = '' } = service.spec
  const family = (ipFamilies?.[0] || (parseIp(clusterIP)?.family === 6 ? 'IPv6' : 'IPv4')) === 'IPv6' ? 6 : 4
  const ip = addressesOf(pod).find((address) => parseIp(address)?.family === family)
  if (ip === undefined || (isBeingDeleted(pod) && !anyway)) return null
  const ports = portsOn(pod, service)
  if (ports.length === 0 && !(isHeadless(service) && !service.spec.ports?.length)) return null
  const { name, namespace, uid } = pod.metadata
  const hostname = hostnameIn(service, pod)
  const { nodeName } = pod.spec
  const address: EndpointAddress = {
    ip,
    ...(hostname ? { hostname } : {}),
    ...(nodeName ? { nodeName } : {}),
    targetRef: { kind: 'Pod', name, ...(namespace ? { namespace } : {}), uid },
  }
  return { address, ports, ready: anyway || isPodReady(pod) }
}

/** In the order of their names, so that pods with the same ports are seen to have the same. */
function portsOn(pod: Pod, { spec }: Service): readonly EndpointPort[] {
  const ports = (spec.ports ?? []).flatMap((servicePort): EndpointPort[] => {
    const port = targetPort(pod, servicePort)
    if (port === null) return []
    const { name, protocol, appProtocol } = servicePort
    return [{ ...(name ? { name } : {}), port, protocol, ...(appProtocol ? { appProtocol } : {}) }]
  })
  return ports.sort((a, b) => ((a.name ?? '') < (b.name ?? '') ? -1 : 1))
}
