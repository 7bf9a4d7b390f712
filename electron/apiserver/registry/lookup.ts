import type { KubeObject } from '../../api/meta/v1/object.ts'
import type { Resources } from '../resources.ts'
import { viewOf } from './storage.ts'

/** Which objects: a stored kind, whether or not this server has it. */
export interface KindName {
  readonly group: string
  readonly version: string
  readonly resource: string
}

/** Reads other objects for those who check or complete one. */
export class Lookup {
  readonly #resources: Resources

  constructor(resources: Resources) {
    this.#resources = resources
  }

  /** Whether the server serves the kind at all. */
  serves({ group, version, resource }: KindName): boolean {
    return this.#resources.find(group, version, resource) !== undefined
  }

  /** Whether it is known at once that there are none: the cache is there and empty, or nobody serves the kind. */
  isEmpty({ group, version, resource }: KindName): boolean {
    const found = this.#resources.find(group, version, resource)
    if (!found) return true
    const { cache } = found.storage
    return cache.revision > 0 && cache.size === 0
  }

  /** From the cache; what is not there is looked for once more when the cache has caught up with the store. Frozen. */
  async get<T extends KubeObject>(kind: KindName, namespace: string, name: string): Promise<T | null> {
    const resource = this.#resources.find(kind.group, kind.version, kind.resource)
    if (!resource) return null
    const { cache } = resource.storage
    const key = resource.storage.key(namespace, name)
    await cache.ready()
    let entry = cache.get(key)
    if (!entry) {
      await cache.fresh()
      entry = cache.get(key)
    }
    return entry ? ((await viewOf(resource, entry)).object as T) : null
  }

  /** All that the cache has. Frozen. */
  async list<T extends KubeObject>(kind: KindName, namespace = ''): Promise<T[]> {
    const resource = this.#resources.find(kind.group, kind.version, kind.resource)
    if (!resource) return []
    await resource.storage.cache.ready()
    const entries = resource.storage.cache.slice(resource.storage.scope(namespace))
    if (resource.prepare) await resource.prepare(entries)
    return entries.map((entry) => resource.view(entry).object as T)
  }
}
