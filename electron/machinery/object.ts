/** What every controller does with objects: keys, owners, finalizers. Nothing here changes what it is given. */
import { apiVersionOf, type AnyKind } from '../api/kind.ts'
import type { KubeObject, ObjectMeta } from '../api/meta/v1/object.ts'
import type { OwnerReference } from '../api/meta/v1/types.gen.ts'

/** "namespace/name", or "name" for what has no namespace: what work queues hold. */
export function keyOf({ metadata }: { readonly metadata: Pick<ObjectMeta, 'name' | 'namespace'> }): string {
  return metadata.namespace ? `${metadata.namespace}/${metadata.name}` : metadata.name
}

export function splitKey(key: string): { namespace: string | undefined; name: string } {
  const slash = key.indexOf('/')
  return slash < 0 ? { namespace: undefined, name: key } : { namespace: key.slice(0, slash), name: key.slice(slash + 1) }
}

type Owned = { readonly metadata: Pick<ObjectMeta, 'ownerReferences'> }

/** The one owner that manages the object. */
export function controllerOf({ metadata }: Owned): OwnerReference | undefined {
  return metadata.ownerReferences?.find((reference) => reference.controller)
}

export function isControlledBy(object: Owned, owner: KubeObject): boolean {
  return controllerOf(object)?.uid === owner.metadata.uid
}

export function isOwnedBy({ metadata }: Owned, owner: KubeObject): boolean {
  return metadata.ownerReferences?.some(({ uid }) => uid === owner.metadata.uid) ?? false
}

/** The reference that makes `owner` the controller; deleting the owner in the foreground waits for what holds it. */
export function controllerReference(owner: KubeObject, kind: Pick<AnyKind, 'group' | 'version' | 'kind'>): OwnerReference {
  return { ...ownerReference(owner, kind), controller: true, blockOwnerDeletion: true }
}

export function ownerReference(owner: KubeObject, kind: Pick<AnyKind, 'group' | 'version' | 'kind'>): OwnerReference {
  return { apiVersion: apiVersionOf(kind), kind: kind.kind, name: owner.metadata.name, uid: owner.metadata.uid }
}

export function isBeingDeleted({ metadata }: { readonly metadata: Pick<ObjectMeta, 'deletionTimestamp'> }): boolean {
  return metadata.deletionTimestamp !== undefined
}

type Finalized = { readonly metadata: Pick<ObjectMeta, 'finalizers'> }

export function hasFinalizer({ metadata }: Finalized, finalizer: string): boolean {
  return metadata.finalizers?.includes(finalizer) ?? false
}

export function withFinalizer({ metadata }: Finalized, finalizer: string): string[] {
  const finalizers = metadata.finalizers ?? []
  return finalizers.includes(finalizer) ? finalizers : [...finalizers, finalizer]
}

export function withoutFinalizer({ metadata }: Finalized, finalizer: string): string[] {
  return (metadata.finalizers ?? []).filter((other) => other !== finalizer)
}
