/** Who made what. */
import type { KubeObject } from '../../../electron/api/meta/v1/object.ts'
import type { OwnerReference } from '../../../electron/api/meta/v1/types.gen.ts'
import { controllerOf, type WorkloadRef } from '../../../electron/contracts/lists/owners.ts'
import { DAEMON_SETS, DEPLOYMENTS, REPLICA_SETS, STATEFUL_SETS, resourceOf, type ObjectRef } from './resources.ts'

export { controllerOf, workloadKey, workloadOf, type WorkloadRef } from '../../../electron/contracts/lists/owners.ts'

export const isOwnedBy = (object: KubeObject, uid: string): boolean => object.metadata.ownerReferences?.some((o) => o.uid === uid) === true

const BY_KIND = { Deployment: DEPLOYMENTS, ReplicaSet: REPLICA_SETS, DaemonSet: DAEMON_SETS, StatefulSet: STATEFUL_SETS } as const

/** The address of a pod's workload; null for a pod that nothing made, or made by a kind without a rollout. */
export function workloadAddress(w: WorkloadRef): ObjectRef | null {
  const resource = BY_KIND[w.kind as keyof typeof BY_KIND] ?? null
  return resource && { resource, namespace: w.namespace, name: w.name }
}

/** The address of an owner reference, where its kind has a page. */
export function ownerAddress(owner: OwnerReference, namespace: string | undefined): ObjectRef | null {
  const resource = resourceOf(owner.apiVersion, owner.kind)
  return resource && { resource, name: owner.name, ...(resource.namespaced ? { namespace } : {}) }
}

/** A pod's name in its stem, its hash, and its suffix, so that the middle can be cut: "web-", "66b9c4d58f", "-zq6gd". */
export function nameParts(pod: KubeObject): { stem: string; hash: string; suffix: string } {
  const { name, labels } = pod.metadata
  const hash = labels?.['pod-template-hash']
  const at = hash ? name.lastIndexOf(`-${hash}-`) : -1
  if (hash && at > 0) return { stem: name.slice(0, at + 1), hash, suffix: name.slice(at + 1 + hash.length) }
  const dash = name.lastIndexOf('-')
  const generated = controllerOf(pod) && dash > 0
  return generated ? { stem: name.slice(0, dash), hash: '', suffix: name.slice(dash) } : { stem: name, hash: '', suffix: '' }
}
