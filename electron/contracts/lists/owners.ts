/** Who made what. */
import type { KubeObject } from '../../api/meta/v1/object.ts'
import type { OwnerReference } from '../../api/meta/v1/types.gen.ts'

/** The owner that manages it; an object has at most one. */
export const controllerOf = (object: KubeObject): OwnerReference | undefined => object.metadata.ownerReferences?.find((o) => o.controller)

export interface WorkloadRef {
  readonly kind: string
  readonly namespace: string
  readonly name: string
}

/**
 * The workload that a person thinks of as a pod's own: the Deployment rather than its ReplicaSet. `replicaSets` by uid; without it
 * the Deployment's name is read from the ReplicaSet's, which ends in the template's hash.
 */
export function workloadOf(pod: KubeObject, replicaSets?: (uid: string) => KubeObject | undefined): WorkloadRef {
  const namespace = pod.metadata.namespace ?? ''
  const controller = controllerOf(pod)
  if (!controller) return { kind: 'Pod', namespace, name: pod.metadata.name }
  if (controller.kind !== 'ReplicaSet') return { kind: controller.kind, namespace, name: controller.name }
  const set = replicaSets?.(controller.uid)
  const owner = set && controllerOf(set)
  if (owner) return { kind: owner.kind, namespace, name: owner.name }
  const hash = pod.metadata.labels?.['pod-template-hash']
  if (!set && hash && controller.name.endsWith(`-${hash}`))
    return { kind: 'Deployment', namespace, name: controller.name.slice(0, -hash.length - 1) }
  return { kind: 'ReplicaSet', namespace, name: controller.name }
}

export const workloadKey = (w: WorkloadRef): string => `${w.kind}/${w.namespace}/${w.name}`
