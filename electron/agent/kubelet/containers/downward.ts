/** A pod's own facts as text, for environment variables and files. Source: kubernetes `fieldpath`, `api/v1/resource`. */
import type { Container, ObjectFieldSelector, Pod, ResourceFieldSelector } from '../../../api/core/v1/types.gen.ts'
import { splitSubscript } from '../../../api/core/v1/pod-spec/downward.ts'
import { goQuote } from '../../../api/values/field-error.ts'
import { parseQuantity, scaledValue } from '../../../api/values/quantity.ts'

export interface PodAddresses {
  readonly podIPs: readonly string[]
  readonly hostIPs: readonly string[]
}

export type Allocatable = Readonly<Record<string, string>>

/** The value of a `fieldRef`; throws Error for a field that there is none of. */
export function fieldValue(pod: Pod, { fieldPath }: ObjectFieldSelector, addresses: PodAddresses): string {
  const subscripted = splitSubscript(fieldPath)
  if (subscripted) {
    const [path, key] = subscripted
    if (path === 'metadata.labels') return pod.metadata.labels?.[key] ?? ''
    if (path === 'metadata.annotations') return pod.metadata.annotations?.[key] ?? ''
  }
  switch (fieldPath) {
    case 'metadata.name':
      return pod.metadata.name
    case 'metadata.namespace':
      return pod.metadata.namespace ?? ''
    case 'metadata.uid':
      return pod.metadata.uid
    case 'metadata.labels':
      return formatMap(pod.metadata.labels)
    case 'metadata.annotations':
      return formatMap(pod.metadata.annotations)
    case 'spec.nodeName':
      return pod.spec.nodeName ?? ''
    case 'spec.serviceAccountName':
      return pod.spec.serviceAccountName ?? ''
    case 'status.hostIP':
      return addresses.hostIPs[0] ?? ''
    case 'status.hostIPs':
      return addresses.hostIPs.join(',')
    case 'status.podIP':
      return addresses.podIPs[0] ?? ''
    case 'status.podIPs':
      return addresses.podIPs.join(',')
    default:
      throw new Error(`unsupported fieldPath: ${fieldPath}`)
  }
}

/** `key="value"` lines, sorted, with Go's escapes. */
function formatMap(map: Readonly<Record<string, string>> | undefined): string {
  return Object.entries(map ?? {})
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${key}=${goQuote(value)}`)
    .join('\n')
}

/**
 * The value of a `resourceFieldRef` in units of its divisor, rounded up. A limit that is not set is what the node can give at most;
 * a request that is not set is 0.
 */
export function resourceValue(container: Container, selector: ResourceFieldSelector, allocatable: Allocatable): string {
  const dot = selector.resource.indexOf('.')
  const [which, name] = [selector.resource.slice(0, dot), selector.resource.slice(dot + 1)]
  if (which !== 'limits' && which !== 'requests') throw new Error(`unsupported container resource : ${selector.resource}`)
  const quantity = container.resources[which]?.[name] ?? (which === 'limits' ? allocatable[name] : undefined) ?? '0'
  const divisor = parseQuantity(selector.divisor ?? '0').unscaled === 0n ? '1' : (selector.divisor ?? '1')
  // Upstream counts cores in thousandths, everything else in whole units.
  const scale = name === 'cpu' ? -3 : 0
  const [dividend, by] = [scaledValue(quantity, scale), scaledValue(divisor, scale)]
  return String((dividend + by - 1n) / by)
}

/** The container that a selector of a volume speaks of, or null. */
export function namedContainer(pod: Pod, name: string | undefined): Container | null {
  const all = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])]
  return all.find((container) => container.name === name) ?? null
}
