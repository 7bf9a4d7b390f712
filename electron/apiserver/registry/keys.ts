import { groupResource } from '../../api/kind.ts'
import { keyFromText } from '../../store/store.ts'
import { REGISTRY_PREFIX } from '../cache/feed.ts'

/** "/registry/pods/", "/registry/apps/deployments/": where the objects of a resource lie. */
export function resourcePrefix(kind: { group: string; resource: string }): string {
  return `${REGISTRY_PREFIX}${kind.group ? `${kind.group}/` : ''}${kind.resource}/`
}

/** The key of one object, or without `name` the prefix of a namespace. `namespace` is "" for cluster-scoped kinds. */
export function objectKey(prefix: string, namespace: string, name: string): string {
  const key = namespace === '' ? prefix + name : `${prefix}${namespace}/${name}`
  return isAscii(key) ? key : keyFromText(key)
}

/** What a message calls the resource: "deployments.apps". */
export const resourceName = groupResource

function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) return false
  return true
}
