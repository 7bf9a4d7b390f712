/** What only pods themselves get where they are silent. Source: kubernetes `core/v1/defaults.go`, `SetDefaults_Pod`. */
import { aggregateContainerResources, type ResourceList } from '../pod-resources.ts'
import { isHugePages, isOvercommitAllowed, isPodLevelResource } from '../resource-names.ts'
import type { Pod, PodSpec, PodStatus } from '../types.gen.ts'
import { defaultPodSpec, dropInitContainerAnnotations } from './defaults.ts'

export function defaultPod({ metadata, spec, status }: Pod): void {
  dropInitContainerAnnotations(metadata)
  defaultPodSpec(spec)
  const containers = [...(spec.containers ?? []), ...(spec.initContainers ?? [])]
  for (const { resources } of containers) {
    if (resources.limits && Object.keys(resources.limits).length) resources.requests = { ...resources.limits, ...resources.requests }
  }
  if (spec.resources) {
    defaultPodHugePages(spec, spec.resources)
    defaultPodRequests(spec, spec.resources)
  }
  spec.enableServiceLinks ??= true
  if (spec.hostNetwork) for (const { ports } of containers) for (const port of ports ?? []) port.hostPort ||= port.containerPort
  defaultPodIps(status)
}

interface PodResources {
  limits?: ResourceList
  requests?: ResourceList
}

const isEmpty = (list: ResourceList | undefined) => !list || Object.keys(list).length === 0

/** Huge pages that containers are limited to, unless the pod as a whole requests some. */
function defaultPodHugePages(spec: PodSpec, resources: PodResources): void {
  if (isEmpty(resources.limits) && isEmpty(resources.requests)) return
  fill(
    resources,
    'limits',
    aggregateContainerResources(spec, 'limits'),
    (name) => isHugePages(name) && !(name in (resources.requests ?? {})),
  )
}

/** What the containers request together, else what the pod is limited to. */
function defaultPodRequests(spec: PodSpec, resources: PodResources): void {
  if (isEmpty(resources.limits)) return
  fill(
    resources,
    'requests',
    aggregateContainerResources(spec, 'requests'),
    (name) => isPodLevelResource(name) && isOvercommitAllowed(name),
  )
  fill(resources, 'requests', resources.limits ?? {}, isPodLevelResource)
}

function fill(to: PodResources, which: keyof PodResources, from: ResourceList, wanted: (name: string) => boolean): void {
  for (const [name, quantity] of Object.entries(from)) {
    if (!wanted(name) || name in (to[which] ?? {})) continue
    const list = (to[which] ??= {})
    list[name] = quantity
  }
}

/** The first of `podIPs` is `podIP`; if they differ, `podIP` was written by one who knows of one address only. */
function defaultPodIps(status: PodStatus): void {
  const { podIP, podIPs } = status
  const first = podIPs?.[0]?.ip
  if (podIP !== undefined && podIP !== first) status.podIPs = [{ ip: podIP }]
  else if (podIP === undefined && first !== undefined) status.podIP = first
}
