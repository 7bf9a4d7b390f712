/** What pods ask for and nodes have: cpu in thousandths of a core, the rest in whole units. */
import type { Container, Node, Pod } from '../../../../electron/api/core/v1/types.gen.ts'
import { podsOn, type Cluster } from './cluster.ts'

type List = Readonly<Record<string, string>> | undefined

const SUFFIXES: Readonly<Record<string, number>> = { Mi: 2 ** 20, Gi: 2 ** 30 }
/** What a container counts with in scores where it asks for nothing. */
const USUAL: Readonly<Record<string, number>> = { cpu: 100, memory: 200 * 2 ** 20 }

function amount(name: string, text: string): number {
  if (text.endsWith('m')) return Number(text.slice(0, -1))
  const unit = SUFFIXES[text.slice(-2)]
  if (unit) return Number(text.slice(0, -2)) * unit
  return name === 'cpu' ? Number(text) * 1000 : Number(text)
}

export function has(node: Node, name: string): number {
  const text = node.status.allocatable?.[name]
  return text === undefined ? 0 : amount(name, text)
}

/** `missing`: what a container counts with that does not ask for the resource. */
function asks({ spec }: Pod, name: string, missing: number): number {
  const of = (list: List) => (list?.[name] === undefined ? missing : amount(name, list[name]))
  const ofContainer = ({ resources }: Container) => of(resources.requests)
  const isSidecar = ({ restartPolicy }: Container) => restartPolicy === 'Always'
  let sidecars = 0
  let peak = 0
  for (const container of spec.initContainers ?? []) {
    if (isSidecar(container)) {
      sidecars += ofContainer(container)
      peak = Math.max(peak, sidecars)
    } else peak = Math.max(peak, sidecars + ofContainer(container))
  }
  const together = spec.containers.reduce((sum, container) => sum + ofContainer(container), sidecars)
  const wholePod = spec.resources?.requests?.[name]
  const overhead = spec.overhead?.[name]
  return (wholePod ? amount(name, wholePod) : Math.max(together, peak)) + (overhead ? amount(name, overhead) : 0)
}

export function request(pod: Pod, name: string): number {
  return asks(pod, name, 0)
}

/** What the pod that is being placed counts with in scores. */
export function usualRequest(pod: Pod, name: string): number {
  return asks(pod, name, USUAL[name] ?? 0)
}

/** What a pod on a node counts with in scores: where requests are made for the pod as a whole, only what nothing asks for is assumed. */
function countedRequest(pod: Pod, name: string): number {
  const { resources, overhead, containers, initContainers = [] } = pod.spec
  const lists: List[] = [resources?.requests, overhead, ...[...containers, ...initContainers].map((each) => each.resources.requests)]
  const isNamed = lists.some((list) => list?.[name] !== undefined)
  const ofWholePod = Object.keys(resources?.requests ?? {}).length > 0
  return ofWholePod && isNamed ? request(pod, name) : usualRequest(pod, name)
}

export function used(cluster: Cluster, node: Node, name: string): number {
  return podsOn(cluster, node).reduce((sum, pod) => sum + request(pod, name), 0)
}

export function countedUse(cluster: Cluster, node: Node, name: string): number {
  return podsOn(cluster, node).reduce((sum, pod) => sum + countedRequest(pod, name), 0)
}

/** Everything that the pod asks for. */
export function resourcesOf({ spec }: Pod): string[] {
  const lists = [
    spec.overhead,
    spec.resources?.requests,
    ...[...spec.containers, ...(spec.initContainers ?? [])].map((each) => each.resources.requests),
  ]
  return [...new Set(lists.flatMap((list) => Object.keys(list ?? {})))]
}
