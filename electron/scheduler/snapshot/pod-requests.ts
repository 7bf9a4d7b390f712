/**
 * What a pod asks for, as the scheduler counts it. Source: component-helpers `resource.PodRequests`, kubernetes
 * `scheduler/framework.PodInfo.CalculateResource`.
 */
import { isSidecar } from '../../api/core/v1/pod-spec/visit.ts'
import { isPodLevelResource } from '../../api/core/v1/resource-names.ts'
import type { Container, ContainerStatus, Pod } from '../../api/core/v1/types.gen.ts'
import { AmountSum, amountOf, type Amounts, type ResourceList } from './amounts.ts'

/** Counted in scores for a container that says nothing, so that pods without requests do not all end on one node. */
export const DEFAULT_MILLI_CPU = 100
export const DEFAULT_MEMORY = 200 * 1024 * 1024

export interface PodRequests {
  readonly requests: Amounts
  /** The same with defaults for what containers do not ask for: what a node's non-zero requests are made of. */
  readonly nonZero: { readonly milliCpu: number; readonly memory: number }
}

/** Which defaults fill in what a container does not ask for. */
interface Fill {
  readonly cpu: boolean
  readonly memory: boolean
}

const NO_FILL: Fill = { cpu: false, memory: false }
const FULL_FILL: Fill = { cpu: true, memory: true }

/** A pod that runs counts with the largest of what it wants, was granted and has (KEP-1287). */
export function podRequests(pod: Pod): PodRequests {
  const requests = total(pod, NO_FILL)
  const named = namesOf(pod)
  const fill = isPodLevelSet(pod) ? { cpu: !named.cpu, memory: !named.memory } : FULL_FILL
  const nonZero = fill.cpu || fill.memory ? total(pod, fill) : requests
  return { requests, nonZero: { milliCpu: nonZero.milliCpu, memory: nonZero.memory } }
}

/** With defaults for every container: what the pod to be placed weighs in scores. */
export function filledRequests(pod: Pod): Amounts {
  return total(pod, FULL_FILL)
}

function total(pod: Pod, fill: Fill): AmountSum {
  const { spec, status } = pod
  const statuses = statusesOf(status.containerStatuses)
  const sum = new AmountSum()
  for (const container of spec.containers) sum.add(ofContainer(pod, container, statuses, fill))
  if (spec.initContainers?.length) addInitContainers(sum, pod, fill)
  const podLevel = podLevelRequests(pod)
  if (podLevel) for (const [name, amount] of podLevel) sum.set(name, amount)
  if (spec.overhead) sum.add(AmountSum.of(spec.overhead))
  return sum
}

/** Sidecars run beside everything that comes after them; other init containers run one after the other. */
function addInitContainers(sum: AmountSum, pod: Pod, fill: Fill): void {
  const statuses = statusesOf(pod.status.initContainerStatuses)
  const sidecars = new AmountSum()
  const peak = new AmountSum()
  for (const container of pod.spec.initContainers ?? []) {
    if (isSidecar(container)) {
      const own = ofContainer(pod, container, statuses, fill)
      sum.add(own)
      sidecars.add(own)
      peak.raise(sidecars)
    } else {
      const during = AmountSum.copy(sidecars)
      during.add(ofContainer(pod, container, null, fill))
      peak.raise(during)
    }
  }
  sum.raise(peak)
}

function ofContainer(pod: Pod, container: Container, statuses: ReadonlyMap<string, ContainerStatus> | null, fill: Fill): AmountSum {
  const lists = listsOf(pod, container, statuses?.get(container.name))
  const sum = AmountSum.of(lists[0])
  for (const list of lists.slice(1)) sum.raise(AmountSum.of(list))
  const lacks = (name: string) => lists.every((list) => list?.[name] === undefined)
  if (fill.cpu && lacks('cpu')) sum.milliCpu = DEFAULT_MILLI_CPU
  if (fill.memory && lacks('memory')) sum.memory = DEFAULT_MEMORY
  return sum
}

/** What it wants; and once it runs, what it has and was granted. What cannot be granted does not count. */
function listsOf(pod: Pod, { resources }: Container, status: ContainerStatus | undefined): (ResourceList | undefined)[] {
  if (!status?.resources) return [resources.requests]
  const has = [status.resources.requests, status.allocatedResources]
  return isResizeInfeasible(pod) ? has : [resources.requests, ...has]
}

function statusesOf(statuses: readonly ContainerStatus[] | undefined): ReadonlyMap<string, ContainerStatus> | null {
  if (!statuses?.some(({ resources }) => resources)) return null
  return new Map(statuses.map((status) => [status.name, status]))
}

function isResizeInfeasible({ status }: Pod): boolean {
  return status.conditions?.some(({ type, reason }) => type === 'PodResizePending' && reason === 'Infeasible') ?? false
}

function isPodLevelSet({ spec }: Pod): boolean {
  for (const name in spec.resources?.requests) if (isPodLevelResource(name)) return true
  return false
}

/** Requests of the pod as a whole (KEP-2837), which stand for those of its containers. */
function podLevelRequests(pod: Pod): [string, number][] | null {
  if (!isPodLevelSet(pod)) return null
  const { spec, status } = pod
  const lists: (ResourceList | undefined)[] = [isResizeInfeasible(pod) && status.resources ? undefined : spec.resources?.requests]
  if (status.resources) lists.push(status.resources.requests, status.allocatedResources)
  const amounts = new Map<string, number>()
  for (const list of lists) {
    for (const name in list) {
      if (isPodLevelResource(name)) amounts.set(name, Math.max(amounts.get(name) ?? 0, amountOf(name, list[name] as string)))
    }
  }
  return [...amounts]
}

/** Whether anything in the pod says how much cpu and memory it wants. */
function namesOf({ spec }: Pod): Fill {
  const lists = [spec.resources?.requests, spec.overhead, ...[...spec.containers, ...(spec.initContainers ?? [])].map(requestsOf)]
  const has = (name: string) => lists.some((list) => list?.[name] !== undefined)
  return { cpu: has('cpu'), memory: has('memory') }
}

const requestsOf = ({ resources }: Container) => resources.requests
