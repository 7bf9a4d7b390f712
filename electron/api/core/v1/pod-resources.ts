/** What a pod asks for and may use in all, and its quality of service. Source: component-helpers `resource`, kubernetes `helper/qos`. */
import { addQuantity, compareQuantity, formatQuantity, tryQuantity } from '../../values/quantity.ts'
import { isSidecar } from './pod-spec/visit.ts'
import { isPodLevelResource } from './resource-names.ts'
import type { Container, Pod, PodSpec, ResourceRequirements } from './types.gen.ts'

export type ResourceList = Record<string, string>
type Which = 'requests' | 'limits'
export type QosClass = 'Guaranteed' | 'Burstable' | 'BestEffort'

export function addResources(to: ResourceList, more: Readonly<ResourceList> | undefined): void {
  for (const [name, quantity] of Object.entries(more ?? {})) to[name] = formatQuantity(addQuantity(to[name] ?? '0', quantity))
}

function raiseResources(to: ResourceList, others: Readonly<ResourceList>): void {
  for (const [name, quantity] of Object.entries(others))
    if (compareQuantity(quantity, to[name] ?? '0') > 0 || !(name in to)) to[name] = quantity
}

/**
 * The sum over the containers, sidecars included, or what init containers need at their time if that is more. Pod-level resources
 * and overhead are left aside.
 */
export function aggregateContainerResources(spec: PodSpec, which: Which): ResourceList {
  const total: ResourceList = {}
  for (const container of spec.containers ?? []) addResources(total, container.resources[which])
  const sidecars: ResourceList = {}
  const init: ResourceList = {}
  for (const container of spec.initContainers ?? []) {
    const own = container.resources[which]
    if (isSidecar(container)) {
      addResources(total, own)
      addResources(sidecars, own)
      raiseResources(init, sidecars)
    } else {
      const during = { ...sidecars }
      addResources(during, own)
      raiseResources(init, during)
    }
  }
  raiseResources(total, init)
  return total
}

/** What the scheduler counts: pod-level requests before those of containers, plus overhead. */
export function podRequests(spec: PodSpec): ResourceList {
  return podTotal(spec, 'requests')
}

/** Overhead counts only for resources that are limited at all. */
export function podLimits(spec: PodSpec): ResourceList {
  return podTotal(spec, 'limits')
}

function podTotal(spec: PodSpec, which: Which): ResourceList {
  const total = aggregateContainerResources(spec, which)
  for (const [name, quantity] of Object.entries(spec.resources?.[which] ?? {})) if (isPodLevelResource(name)) total[name] = quantity
  const overhead = Object.entries(spec.overhead ?? {}).filter(([name]) => which === 'requests' || name in total)
  addResources(total, Object.fromEntries(overhead))
  return total
}

const COMPUTE = ['cpu', 'memory']
const isSet = (quantity: string | undefined) => quantity !== undefined && (tryQuantity(quantity)?.unscaled ?? 0n) > 0n

/** As written when the pod is made; it never changes later. */
export function qosClass({ spec }: Pick<Pod, 'spec'>): QosClass {
  const pod = spec.resources
  const sources: readonly ResourceRequirements[] =
    pod && Object.keys({ ...pod.requests, ...pod.limits }).length
      ? [pod]
      : [...(spec.containers ?? []), ...(spec.initContainers ?? [])].map(resourcesOf)
  const requests: ResourceList = {}
  const limits: ResourceList = {}
  let guaranteed = true
  for (const source of sources) {
    for (const name of COMPUTE) {
      const [request, limit] = [source.requests?.[name], source.limits?.[name]]
      if (request !== undefined && isSet(request)) addResources(requests, { [name]: request })
      if (limit !== undefined && isSet(limit)) addResources(limits, { [name]: limit })
      else guaranteed = false
    }
  }
  if (!Object.keys(requests).length && !Object.keys(limits).length) return 'BestEffort'
  const same = COMPUTE.every((name) => !(name in requests) || compareQuantity(requests[name] ?? '0', limits[name] ?? '0') === 0)
  return guaranteed && same && Object.keys(requests).length === Object.keys(limits).length ? 'Guaranteed' : 'Burstable'
}

const resourcesOf = (container: Container) => container.resources
