/**
 * Lays endpoints into slices with few and small writes: what is somewhere stays there, what is new goes where something changes
 * anyway, and slices are neither merged nor balanced. Source: kubernetes `endpointslice/reconciler.go`, KEP-752.
 */
import type { Endpoint, EndpointPort, EndpointSlice } from '../../api/discovery/v1/types.gen.ts'
import { semanticEqual } from '../../api/values/equal.ts'
import { portsKey, type EndpointGroup } from './endpoints-of.ts'

export interface SliceContent {
  readonly addressType: EndpointSlice['addressType']
  readonly ports: readonly EndpointPort[]
  readonly endpoints: readonly Endpoint[]
}

export interface Packing {
  /** Those that stay, with what shall be in them; it may be what is. */
  readonly kept: readonly { readonly slice: EndpointSlice; readonly content: SliceContent }[]
  readonly create: readonly SliceContent[]
  readonly delete: readonly EndpointSlice[]
}

/** `limit`: endpoints in a slice at most. */
export function packSlices(groups: readonly EndpointGroup[], existing: readonly EndpointSlice[], limit: number): Packing {
  const slices = [...existing].sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))
  const unused = new Set(slices)
  const kept: Packing['kept'][number][] = []
  const create: SliceContent[] = []
  for (const group of groups) {
    const key = portsKey(group.ports)
    const mine = slices.filter(({ addressType, ports }) => addressType === group.addressType && portsKey(ports) === key)
    const { bins, more } = fill(group, mine, limit)
    for (const { slice, endpoints } of bins) {
      kept.push({ slice, content: { ...group, endpoints } })
      unused.delete(slice)
    }
    for (const endpoints of more) create.push({ ...group, endpoints })
  }
  const fresh = create.filter((content) => {
    const spare = unused.values().find(({ addressType }) => addressType === content.addressType)
    if (!spare) return true
    unused.delete(spare)
    kept.push({ slice: spare, content })
    return false
  })
  return { kept, create: fresh, delete: [...unused] }
}

interface Bin {
  readonly slice: EndpointSlice
  readonly endpoints: Endpoint[]
  readonly changed: boolean
}

/** Bins that end up empty are not among the result, unless the group is. */
function fill(group: EndpointGroup, mine: readonly EndpointSlice[], limit: number): { bins: readonly Bin[]; more: readonly Endpoint[][] } {
  const wanted = new Map(group.endpoints.map((endpoint) => [identity(endpoint), endpoint]))
  const bins = mine.map((slice) => stayingIn(slice, wanted, limit))
  const rest = [...wanted.values()]
  for (const bin of bins.filter(({ changed }) => changed).sort(fullestFirst))
    bin.endpoints.push(...rest.splice(0, limit - bin.endpoints.length))
  const more: Endpoint[][] = []
  while (rest.length > 0) {
    const untouched = bins.filter(({ changed, endpoints }) => !changed && endpoints.length + rest.length <= limit)
    const [fitting] = untouched.sort(fullestFirst)
    if (fitting) fitting.endpoints.push(...rest.splice(0))
    else more.push(rest.splice(0, limit))
  }
  const full = bins.filter(({ endpoints }) => endpoints.length > 0)
  if (full.length + more.length > 0) return { bins: full, more }
  return bins.length > 0 ? { bins: bins.slice(0, 1), more } : { bins, more: [[]] }
}

/** Takes out of `wanted` what it has. What is above the limit or a second time there goes. */
function stayingIn(slice: EndpointSlice, wanted: Map<string, Endpoint>, limit: number): Bin {
  const endpoints: Endpoint[] = []
  for (const endpoint of slice.endpoints ?? []) {
    const id = identity(endpoint)
    const now = wanted.get(id)
    if (!now || endpoints.length >= limit) continue
    wanted.delete(id)
    endpoints.push(now)
  }
  return { slice, endpoints, changed: !semanticEqual(endpoints, slice.endpoints) }
}

/** A pod that comes back with another address is still the same endpoint. */
function identity({ targetRef, addresses }: Endpoint): string {
  return targetRef?.uid ?? addresses.join()
}

function fullestFirst(a: Bin, b: Bin): number {
  return b.endpoints.length - a.endpoints.length
}
