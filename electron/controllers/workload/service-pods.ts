/** Which pods stand behind a service, and at which ports. Sources: kubernetes `endpointslice/util`, `api/v1/pod.FindPort`. */
import type { Container, Node, Pod, Service, ServicePort } from '../../api/core/v1/types.gen.ts'
import { semanticEqual } from '../../api/values/equal.ts'
import type { Informer, Lister } from '../../client/informer.ts'
import { keyOf } from '../../machinery/object.ts'
import type { Change } from '../runtime/controller.ts'
import { states } from '../runtime/watches.ts'
import { havingLabels, indexByLabels, labelKey, labelKeysOf } from './label-index.ts'
import { isPodReady, isPodTerminal } from './pod-state.ts'

/** Marks what belongs to a service without an address of its own. */
export const HEADLESS_LABEL = 'service.kubernetes.io/headless'

export function isHeadless({ spec }: Service): boolean {
  return spec.clusterIP === 'None'
}

/** Whether its endpoints are found by a selector; others' are written by whoever made the service. */
export function selectsPods({ spec }: Service): boolean {
  return spec.type !== 'ExternalName' && Object.keys(spec.selector ?? {}).length > 0
}

const BY_SELECTOR = 'by-selector'

/** Each controller that uses `podsBehind` and `servicesOf` asks for it of the informers that they share. */
export function indexForServices(services: Informer<Service>, pods: Informer<Pod>): void {
  indexByLabels(pods)
  services.addIndex(BY_SELECTOR, firstSelected)
}

/** One of the labels that its pods must have. */
function firstSelected(service: Service): string[] {
  const [first] = Object.entries(service.spec.selector ?? {})
  return first && selectsPods(service) ? [labelKey(service.metadata.namespace, ...first)] : []
}

/** Those of its pods that have an address and have not ended, by name. */
export function podsBehind(service: Service, pods: Lister<Pod>): readonly Pod[] {
  const { selector = {} } = service.spec
  if (Object.keys(selector).length === 0) return []
  return havingLabels(pods, service.metadata.namespace, selector)
    .filter((pod) => selects(service, pod) && !isPodTerminal(pod) && addressesOf(pod).length > 0)
    .sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))
}

export function addressesOf({ status }: Pod): readonly string[] {
  const all = (status.podIPs ?? []).map(({ ip }) => ip)
  return all.length > 0 ? all : status.podIP ? [status.podIP] : []
}

/** The number behind a service's port on this pod; null if the pod has no port of the name. */
export function targetPort({ spec }: Pod, { targetPort: target, port, protocol }: ServicePort): number | null {
  if (target === undefined || target === 0 || target === '') return port
  if (typeof target === 'number') return target
  for (const container of [...spec.containers, ...(spec.initContainers ?? []).filter(isSidecar)]) {
    const found = container.ports?.find((each) => each.name === target && each.protocol === protocol)
    if (found) return found.containerPort
  }
  return null
}

function isSidecar({ restartPolicy }: Container): boolean {
  return restartPolicy === 'Always'
}

/** Its name in the service's domain, if it has one there. */
export function hostnameIn(service: Service, { metadata, spec }: Pod): string | undefined {
  const { name, namespace } = service.metadata
  return spec.hostname && spec.subdomain === name && metadata.namespace === namespace ? spec.hostname : undefined
}

/** Keys of the services that a pod's change concerns, of now and before. */
export function servicesOf(services: Lister<Service>): (change: Change<Pod>) => Iterable<string> {
  return (change) => {
    const { object, old } = change
    if (old && semanticEqual(serving(object), serving(old))) return []
    return new Set(states(change).flatMap((pod) => servicesFor(pod, services).map(keyOf)))
  }
}

/** The services that select the pod. */
export function servicesFor(pod: Pod, services: Lister<Service>): Service[] {
  return labelKeysOf(pod).flatMap((label) => services.byIndex(BY_SELECTOR, label).filter((service) => selects(service, pod)))
}

function selects({ spec }: Service, { metadata: { labels = {} } }: Pod): boolean {
  const { selector = {} } = spec
  for (const key in selector) if (labels[key] !== selector[key]) return false
  return true
}

/** What endpoints say of a pod, and what finds it. */
function serving(pod: Pod) {
  const { metadata, spec } = pod
  const { name, uid, labels, deletionTimestamp } = metadata
  const { nodeName, hostname, subdomain } = spec
  return [name, uid, labels, deletionTimestamp, nodeName, hostname, subdomain, isPodReady(pod), isPodTerminal(pod), addressesOf(pod)]
}

export const ZONE_LABEL = 'topology.kubernetes.io/zone'

export function zoneOf(node: Node): string | undefined {
  return node.metadata.labels?.[ZONE_LABEL] || undefined
}
