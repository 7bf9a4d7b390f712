/** Where an object's page is. */
import type { RouteLocationRaw } from 'vue-router'
import { hasForm } from '../pages/forms/specs.ts'
import { KNOWN, MACHINES, NODES, PODS, type ObjectRef, type Resource } from '../kube/resources.ts'

/** Stand for the empty group and for no namespace in addresses. */
const CORE = 'core'
const NONE = '-'

export const groupInPath = (group: string): string => group || CORE
export const groupFromPath = (text: string): string => (text === CORE ? '' : text)
export const namespaceFromPath = (text: string): string | undefined => (text === NONE ? undefined : text)

export function linkTo(ref: ObjectRef, tab?: string): RouteLocationRaw {
  const query = tab ? { tab } : {}
  if (ref.resource === PODS) return { name: 'pod', params: { namespace: ref.namespace ?? NONE, name: ref.name }, query }
  if (ref.resource === MACHINES || ref.resource === NODES) return { name: 'machine', params: { name: ref.name }, query }
  const { group, version, resource } = ref.resource
  return {
    name: 'object',
    params: { group: groupInPath(group), version, resource, namespace: ref.namespace ?? NONE, name: ref.name },
    query,
  }
}

export function linkToList(resource: Resource): RouteLocationRaw {
  if (resource === PODS) return { name: 'pods' }
  if (resource === MACHINES) return { name: 'machines' }
  if (KNOWN.includes(resource)) return { name: 'list', params: { resource: resource.resource } }
  return { name: 'kind', params: { group: groupInPath(resource.group), version: resource.version, resource: resource.resource } }
}

/** Where one of a kind is made: by its form, else as YAML. */
export const linkToCreate = ({ group, resource }: Pick<Resource, 'group' | 'resource'>): RouteLocationRaw =>
  hasForm({ group, resource }) ? { name: 'create', params: { group: groupInPath(group), resource } } : { name: 'deploy' }
