/** What a StatefulSet's pod keeps when it is replaced: its number, names and claims. Source: kubernetes `pkg/controller/statefulset/stateful_set_utils.go`. */
import { statefulSet as statefulSetKind } from '../../api/apps/v1/stateful-set.ts'
import type { StatefulSet } from '../../api/apps/v1/types.gen.ts'
import type { PersistentVolumeClaim, Pod, PodTemplateSpec, Volume } from '../../api/core/v1/types.gen.ts'
import type { Draft } from '../../api/meta/v1/object.ts'
import { REVISION_LABEL } from '../workload/history.ts'
import { podFromTemplate } from '../workload/pod-control.ts'

const NAME_LABEL = 'statefulset.kubernetes.io/pod-name'
const INDEX_LABEL = 'apps.kubernetes.io/pod-index'

export function firstOrdinal({ spec }: StatefulSet): number {
  return spec.ordinals?.start ?? 0
}

export function ordinalsOf(set: StatefulSet): number[] {
  return Array.from({ length: set.spec.replicas ?? 1 }, (_, i) => firstOrdinal(set) + i)
}

export function isInRange(set: StatefulSet, ordinal: number): boolean {
  return ordinal >= firstOrdinal(set) && ordinal < firstOrdinal(set) + (set.spec.replicas ?? 1)
}

export function podName({ metadata }: StatefulSet, ordinal: number): string {
  return `${metadata.name}-${ordinal}`
}

/** Null if the name is none of this set's. */
export function ordinalOf(set: StatefulSet, { metadata }: Pod): number | null {
  const match = /^(.*)-(\d+)$/.exec(metadata.name)
  return match && match[1] === set.metadata.name ? Number(match[2]) : null
}

/** The name of the revision that the pod is of. */
export function revisionOf({ metadata }: Pod): string {
  return metadata.labels?.[REVISION_LABEL] ?? ''
}

export function identityLabels(set: StatefulSet, ordinal: number): Record<string, string> {
  return { [NAME_LABEL]: podName(set, ordinal), [INDEX_LABEL]: String(ordinal) }
}

export function hasIdentity(set: StatefulSet, pod: Pod): boolean {
  const ordinal = ordinalOf(set, pod)
  return ordinal !== null && Object.entries(identityLabels(set, ordinal)).every(([key, value]) => pod.metadata.labels?.[key] === value)
}

export function claimName({ metadata }: StatefulSet, template: PersistentVolumeClaim, ordinal: number): string {
  return `${template.metadata.name}-${metadata.name}-${ordinal}`
}

/** The claims of the pod of this number, as they are made. */
export function claimsOf(set: StatefulSet, ordinal: number): Draft<PersistentVolumeClaim>[] {
  const { namespace } = set.metadata
  return (set.spec.volumeClaimTemplates ?? []).map((template) => {
    const { labels, annotations, finalizers } = template.metadata
    return {
      metadata: {
        name: claimName(set, template, ordinal),
        ...(namespace ? { namespace } : {}),
        labels: { ...labels, ...set.spec.selector.matchLabels },
        ...(annotations ? { annotations } : {}),
        ...(finalizers ? { finalizers } : {}),
      },
      spec: template.spec,
    }
  })
}

/** Volumes of claims take the place of those of the same name. */
function volumesOf(set: StatefulSet, { spec }: PodTemplateSpec, ordinal: number): Volume[] {
  const templates = set.spec.volumeClaimTemplates ?? []
  const claimed = templates.map((template): Volume => {
    const persistentVolumeClaim = { claimName: claimName(set, template, ordinal), readOnly: false }
    return { name: template.metadata.name, persistentVolumeClaim }
  })
  return [...claimed, ...(spec.volumes ?? []).filter(({ name }) => !templates.some(({ metadata }) => metadata.name === name))]
}

export function podOfSet(set: StatefulSet, template: PodTemplateSpec, revision: string, ordinal: number): Draft<Pod> {
  const name = podName(set, ordinal)
  const { serviceName } = set.spec
  const volumes = volumesOf(set, template, ordinal)
  const labels = { ...template.metadata.labels, ...identityLabels(set, ordinal), [REVISION_LABEL]: revision }
  const spec = {
    ...template.spec,
    hostname: name,
    ...(serviceName ? { subdomain: serviceName } : {}),
    ...(volumes.length > 0 ? { volumes } : {}),
  }
  const { metadata, ...pod } = podFromTemplate({ metadata: { ...template.metadata, labels }, spec }, set, statefulSetKind)
  const { generateName: _none, ...named } = metadata ?? {}
  return { ...pod, metadata: { ...named, name } }
}
