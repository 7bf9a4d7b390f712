/** How changed objects become keys. */
import type { AnyKind } from '../../api/kind.ts'
import type { KubeObject } from '../../api/meta/v1/object.ts'
import { controllerOf, keyOf } from '../../machinery/object.ts'
import type { Change } from './controller.ts'

/** The object's own key. */
export function itself<T extends KubeObject>({ object }: Change<T>): string[] {
  return [keyOf(object)]
}

/** The object as it is, and as it was before: what concerns whoever held it then. */
export function states<T extends KubeObject>({ object, old }: Change<T>): T[] {
  return old ? [object, old] : [object]
}

/** The key of the controlling owner, if that is of this kind; whether such an object is there is not looked at. */
export function controllerKey(object: KubeObject, kind: Pick<AnyKind, 'group' | 'kind'>): string | null {
  const reference = controllerOf(object)
  if (!reference || reference.kind !== kind.kind || groupOf(reference.apiVersion) !== kind.group) return null
  return keyOf({ metadata: { name: reference.name, ...(object.metadata.namespace ? { namespace: object.metadata.namespace } : {}) } })
}

/** Keys of the owners of this kind, of now and before. */
export function controllerKeys<T extends KubeObject>(kind: Pick<AnyKind, 'group' | 'kind'>): (change: Change<T>) => string[] {
  return (change) => [...new Set(states(change).flatMap((object) => controllerKey(object, kind) ?? []))]
}

/** "apps" of "apps/v1", "" of "v1". */
export function groupOf(apiVersion: string): string {
  const slash = apiVersion.indexOf('/')
  return slash < 0 ? '' : apiVersion.slice(0, slash)
}
