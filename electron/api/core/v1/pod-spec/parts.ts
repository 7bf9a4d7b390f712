/**
 * The subresources of a pod that change a part of its spec: ephemeral containers (KEP-277), resources in place (KEP-1287), and the
 * binding to a node. Source: kubernetes `registry/core/pod/strategy.go`, `core/validation`.
 */
import type { SubresourceStrategy } from '../../../kind.ts'
import type { KubeObject } from '../../../meta/v1/object.ts'
import { semanticEqual } from '../../../values/equal.ts'
import { forbidden, goQuote, invalid, notSupported, required, type FieldError } from '../../../values/field-error.ts'
import { unifiedDiff } from '../../../values/unified-diff.ts'
import { qosClass, type ResourceList } from '../pod-resources.ts'
import type { Binding, Container, Pod, PodSpec, ResourceRequirements } from '../types.gen.ts'
import { MIRROR_POD, validatePodAnnotationsUpdate } from './annotations.ts'
import { validatePod } from './pod.ts'
import { isSidecar } from './visit.ts'

const isMirror = (pod: Pod) => pod.metadata.annotations?.[MIRROR_POD] !== undefined

/** Everything but the metadata's labels and annotations as it was, which such updates may not touch either. */
function takeBack(pod: Pod, old: Pod, spec: PodSpec): void {
  const { resourceVersion, managedFields } = pod.metadata
  pod.metadata = { ...structuredClone(old.metadata), resourceVersion }
  if (managedFields) pod.metadata.managedFields = managedFields
  pod.spec = spec
  pod.status = structuredClone(old.status)
}

export const ephemeralContainersStrategy: SubresourceStrategy = {
  prepareForUpdate(object: KubeObject, before: KubeObject) {
    const [pod, old] = [object as Pod, before as Pod]
    const { ephemeralContainers } = pod.spec
    const spec = structuredClone(old.spec)
    delete spec.ephemeralContainers
    takeBack(pod, old, ephemeralContainers ? { ...spec, ephemeralContainers } : spec)
  },
  validateUpdate(object: KubeObject, before: KubeObject) {
    const [pod, old] = [object as Pod, before as Pod]
    const out = [
      ...validatePod(pod),
      ...validatePodAnnotationsUpdate(pod.metadata.annotations ?? {}, old.metadata.annotations ?? {}, 'metadata.annotations'),
    ]
    if (isMirror(old)) return [forbidden('', 'static pods do not support ephemeral containers')]
    for (const container of old.spec.ephemeralContainers ?? []) {
      const now = pod.spec.ephemeralContainers?.find(({ name }) => name === container.name)
      const what = `existing ephemeral containers ${goQuote(container.name)}`
      if (!now) out.push(forbidden('spec.ephemeralContainers', `${what} may not be removed\n`))
      else if (!semanticEqual(container, now)) {
        out.push(forbidden('spec.ephemeralContainers', `${what} may not be changed\n${unifiedDiff(container, now)}`))
      }
    }
    return out
  },
}

export const resizeStrategy: SubresourceStrategy = {
  prepareForUpdate(object: KubeObject, before: KubeObject) {
    const [pod, old] = [object as Pod, before as Pod]
    const lists = ['containers', 'initContainers'] as const
    if (lists.some((list) => (pod.spec[list] ?? []).length !== (old.spec[list] ?? []).length)) return
    const spec = structuredClone(old.spec)
    for (const list of lists) {
      const sent = pod.spec[list]
      if (sent) spec[list] = withResources(sent, spec[list] ?? [])
    }
    takeBack(pod, old, spec)
  },
  validateUpdate(object: KubeObject, before: KubeObject) {
    const [pod, old] = [object as Pod, before as Pod]
    if (isMirror(old)) return [forbidden('', 'static pods cannot be resized')]
    if (old.spec.os?.name === 'windows') return [forbidden('', 'windows pods cannot be resized')]
    return [...validatePod(pod), ...validateResize(pod, old)]
  },
}

/** What was sent, unless it changes names or order: then as it is, so that validation can say so. */
function withResources(sent: readonly Container[], old: readonly Container[]): Container[] {
  if (sent.some(({ name }, i) => old[i]?.name !== name)) return [...sent]
  return sent.map(({ resources, resizePolicy }, i) => {
    const { resizePolicy: _, ...others } = old[i] as Container
    return { ...others, resources, ...(resizePolicy ? { resizePolicy } : {}) }
  })
}

function validateResize(pod: Pod, old: Pod): FieldError[] {
  const out: FieldError[] = []
  if ((old.status.qosClass ?? qosClass(old)) !== qosClass(pod)) {
    out.push(invalid('spec', pod.status.qosClass ?? '', 'Pod QOS Class may not change as a result of resizing'))
  }
  const running = old.status.containerStatuses?.find(({ state }) => state.running)
  if (running && !running.resources) out.push(forbidden('spec', 'Pod running on node without support for resize'))
  if ([pod, old].some(({ spec }) => Object.keys({ ...spec.resources?.requests, ...spec.resources?.limits }).length)) {
    const why =
      'resize of pods with pod-level resources is forbidden when InPlacePodLevelResourcesVerticalScalingEnabled feature gate is disabled'
    return [...out, forbidden('', why)]
  }
  const order = validateOrder(pod.spec, old.spec)
  if (order.length) return [...out, ...order]
  ;(old.spec.initContainers ?? []).forEach((container, i) => {
    const now = pod.spec.initContainers?.[i]
    if (!now) return
    if (isSidecar(container)) out.push(...validateContainerResize(now, container, `spec.initContainers[${i}]`, 'sidecar'))
    else if (!semanticEqual(now, container)) out.push(forbidden('spec', 'resources for non-sidecar init containers are immutable'))
  })
  ;(old.spec.containers ?? []).forEach((container, i) => {
    const now = pod.spec.containers[i]
    if (now) out.push(...validateContainerResize(now, container, `spec.containers[${i}]`, 'regular'))
  })
  return out
}

function validateOrder(spec: PodSpec, old: PodSpec): FieldError[] {
  return (['containers', 'initContainers'] as const).flatMap((list) => {
    const [now, before] = [spec[list] ?? [], old[list] ?? []]
    if (now.length !== before.length) return [forbidden(`spec.${list}`, `${list} may not be added or removed on resize`)]
    return before.flatMap(({ name }, i) =>
      now[i]?.name === name ? [] : [forbidden(`spec.${list}[${i}].name`, `${list} may not be renamed or reordered on resize`)],
    )
  })
}

function validateContainerResize(now: Container, old: Container, field: string, sort: 'sidecar' | 'regular'): FieldError[] {
  const out: FieldError[] = []
  const removed = (list: ResourceList | undefined, before: ResourceList | undefined) =>
    Object.keys(before ?? {}).some((name) => !(name in (list ?? {})))
  if (removed(now.resources.requests, old.resources.requests)) {
    out.push(forbidden(`${field}.resources.requests`, 'resource requests cannot be removed'))
  }
  if (removed(now.resources.limits, old.resources.limits)) {
    out.push(forbidden(`${field}.resources.limits`, 'resource limits cannot be removed'))
  }
  if (!semanticEqual({ ...now, resources: withoutCompute(now.resources) }, { ...old, resources: withoutCompute(old.resources) })) {
    out.push(
      sort === 'regular'
        ? forbidden('spec', 'only cpu and memory resources are mutable')
        : forbidden(field, 'only cpu and memory resources for init or sidecar containers are mutable'),
    )
  }
  return out
}

function withoutCompute({ requests, limits, claims }: ResourceRequirements): object {
  const others = (list: ResourceList | undefined) =>
    Object.entries(list ?? {})
      .filter(([name]) => name !== 'cpu' && name !== 'memory')
      .sort(([a], [b]) => (a < b ? -1 : 1))
  return { requests: others(requests), limits: others(limits), claims: claims ?? [] }
}

/** Of what the scheduler sends to bind a pod to a node. */
export function validateBinding({ target }: Binding): FieldError[] {
  const kind = target.kind ?? ''
  return [
    ...(kind && kind !== 'Node' ? [notSupported('target.kind', kind, ['Node', '<empty>'])] : []),
    ...(target.name ? [] : [required('target.name')]),
  ]
}
