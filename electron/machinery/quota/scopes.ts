/** Which objects a quota is for. Source: kubernetes `pkg/quota/v1/evaluator/core`, KEP-2396. */
import { qosClass } from '../../api/core/v1/pod-resources.ts'
import type { PersistentVolumeClaim, Pod, PodAffinityTerm, ResourceQuotaSpec } from '../../api/core/v1/types.gen.ts'
import { groupResource } from '../../api/kind.ts'
import type { KubeObject } from '../../api/meta/v1/object.ts'

interface Scope {
  readonly scopeName: string
  readonly operator: string
  readonly values?: readonly string[]
}

/** A quota without scopes is for every object; others are for pods, and for claims where they speak of them. */
export function quotaCovers(spec: ResourceQuotaSpec, kind: { group: string; resource: string }, object: KubeObject): boolean {
  const scopes: Scope[] = [
    ...(spec.scopes ?? []).map((scopeName) => ({ scopeName, operator: 'Exists' })),
    ...(spec.scopeSelector?.matchExpressions ?? []),
  ]
  const name = groupResource(kind)
  return scopes.every((scope) => {
    if (name === 'pods') return podMatches(object as Pod, scope)
    return (
      name === 'persistentvolumeclaims' &&
      scope.scopeName === 'VolumeAttributesClass' &&
      claimMatches(object as PersistentVolumeClaim, scope)
    )
  })
}

function podMatches(pod: Pod, scope: Scope): boolean {
  const { spec } = pod
  switch (scope.scopeName) {
    case 'Terminating':
      return spec.activeDeadlineSeconds !== undefined
    case 'NotTerminating':
      return spec.activeDeadlineSeconds === undefined
    case 'BestEffort':
      return qosClass(pod) === 'BestEffort'
    case 'NotBestEffort':
      return qosClass(pod) !== 'BestEffort'
    case 'PriorityClass':
      return selects(scope, spec.priorityClassName ? [spec.priorityClassName] : [])
    case 'CrossNamespacePodAffinity':
      return affinityTerms(pod).some(({ namespaces, namespaceSelector }) => namespaces?.length || namespaceSelector)
    default:
      return false
  }
}

function claimMatches({ spec, status }: PersistentVolumeClaim, scope: Scope): boolean {
  const names = [
    spec.volumeAttributesClassName,
    status.currentVolumeAttributesClassName,
    status.modifyVolumeStatus?.targetVolumeAttributesClassName,
  ]
  return selects(
    scope,
    names.filter((name) => name !== undefined && name !== ''),
  )
}

function selects({ operator, values = [] }: Scope, names: readonly (string | undefined)[]): boolean {
  const among = names.some((name) => name !== undefined && values.includes(name))
  switch (operator) {
    case 'Exists':
      return names.length > 0
    case 'DoesNotExist':
      return names.length === 0
    case 'In':
      return among
    default:
      return operator === 'NotIn' && !among
  }
}

function affinityTerms({ spec: { affinity } }: Pod): PodAffinityTerm[] {
  return [affinity?.podAffinity, affinity?.podAntiAffinity].flatMap((one) => [
    ...(one?.requiredDuringSchedulingIgnoredDuringExecution ?? []),
    ...(one?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map(({ podAffinityTerm }) => podAffinityTerm),
  ])
}
