/** Everything that is served, by group, version and plural; and the storage behind it. */
import { apiVersionOf, groupResource, type AnyKind, type AskedForm } from '../api/kind.ts'
import type { KubeObject } from '../api/meta/v1/object.ts'
import type { Store } from '../store/store.ts'
import type { Feed } from './cache/feed.ts'
import type { Entry } from './cache/entry.ts'
import { Layout } from './cache/layout.ts'
import { frameEncoder } from './http/encode.ts'
import { type Resource, Storage } from './registry/storage.ts'

export class Resources implements Disposable {
  readonly #deps: { readonly store: Store; readonly feed: Feed }
  readonly #kinds = new Map<string, AnyKind>()
  readonly #resources = new Map<string, Resource>()
  readonly #storages = new Map<string, Storage>()
  readonly #groupVersions = new Set<string>()
  /** What is served of resources that were defined at run time, by "resource.group". */
  readonly #custom = new Map<string, readonly AnyKind[]>()
  #generation = 0

  constructor(kinds: readonly AnyKind[], deps: { store: Store; feed: Feed }) {
    this.#deps = deps
    for (const kind of kinds) this.add(kind)
  }

  /** Changes whenever what is served does. */
  get generation(): number {
    return this.#generation
  }

  add(kind: AnyKind): void {
    this.#generation++
    this.#kinds.set(pathKey(kind.group, kind.version, kind.resource), kind)
    this.#groupVersions.add(apiVersionOf(kind))
    if (isStored(kind)) this.#resources.set(pathKey(kind.group, kind.version, kind.resource), this.#resourceOf(kind))
  }

  /**
   * Serves the versions of a resource that is defined at run time, in the place of those it had; `stored` is the one in whose form
   * its objects are kept. Watches of it end, so that their clients see objects by the new rules.
   */
  setCustom(stored: AnyKind, served: readonly AnyKind[]): Resource {
    const name = groupResource(stored)
    this.#drop(name)
    const storage = this.#storages.get(name)
    const same = storage?.kind.version === stored.version && storage.kind.kind === stored.kind
    if (storage && same && storage.kind.namespaced === stored.namespaced) storage.cache.endWatches()
    else this.#removeStorage(name)
    const added = served.filter((kind) => !this.kind(kind.group, kind.version, kind.resource))
    for (const kind of added) this.add(kind)
    this.#custom.set(name, added)
    return this.find(stored.group, stored.version, stored.resource) ?? this.#resourceOf(stored)
  }

  removeCustom(name: { group: string; resource: string }): void {
    this.#drop(groupResource(name))
    this.#removeStorage(groupResource(name))
  }

  /** All kinds, in the order they were added. */
  kinds(): IterableIterator<AnyKind> {
    return this.#kinds.values()
  }

  storages(): IterableIterator<Storage> {
    return this.#storages.values()
  }

  hasGroupVersion(group: string, version: string): boolean {
    return this.#groupVersions.has(apiVersionOf({ group, version }))
  }

  kind(group: string, version: string, resource: string): AnyKind | undefined {
    return this.#kinds.get(pathKey(group, version, resource))
  }

  /** Undefined for kinds that are answered and not stored. */
  find(group: string, version: string, resource: string): Resource | undefined {
    return this.#resources.get(pathKey(group, version, resource))
  }

  /** Ends every watch as if its time were over. */
  endWatches(): void {
    for (const { cache } of this.#storages.values()) cache.endWatches()
  }

  [Symbol.dispose](): void {
    for (const storage of this.#storages.values()) storage[Symbol.dispose]()
  }

  #drop(name: string): void {
    for (const kind of this.#custom.get(name) ?? []) {
      this.#kinds.delete(pathKey(kind.group, kind.version, kind.resource))
      this.#resources.delete(pathKey(kind.group, kind.version, kind.resource))
    }
    if (!this.#custom.delete(name)) return
    this.#generation++
    this.#groupVersions.clear()
    for (const kind of this.#kinds.values()) this.#groupVersions.add(apiVersionOf(kind))
  }

  #removeStorage(name: string): void {
    this.#storages.get(name)?.[Symbol.dispose]()
    this.#storages.delete(name)
  }

  #resourceOf(kind: AnyKind): Resource {
    const { storedAs } = kind
    const storedKind = storedAs?.kind ?? kind
    const name = groupResource(storedKind)
    let storage = this.#storages.get(name)
    if (!storage) {
      storage = new Storage(storedKind, this.#deps)
      this.#storages.set(name, storage)
    }
    if (!storedAs) {
      const view = (entry: Entry) => entry
      return { kind, storage, layout: storage.layout, lines: frameEncoder(view), view, toStored: (object) => object }
    }
    const layout = new Layout(kind)
    const shown = (stored: KubeObject) => {
      const object = storedAs.fromStored(stored)
      return { ...object, metadata: { ...object.metadata } }
    }
    const { ask } = storedAs
    const unasked = ({ metadata }: KubeObject) => {
      throw new Error(`${metadata.name} was to be shown before it was converted`)
    }
    const view = (entry: Entry) => entry.as(layout, ask ? unasked : shown)
    const resource = { kind, storage, layout, lines: frameEncoder(view), view }
    if (!ask) return { ...resource, toStored: (object) => storedAs.toStored(object) }
    return { ...resource, prepare: (entries) => converted(entries, layout, ask), toStored: (object) => ask.toStored(object) }
  }
}

/** All that are not converted yet, at once. */
async function converted(entries: readonly Entry[], layout: Layout, ask: AskedForm): Promise<void> {
  const missing = entries.filter((entry) => !entry.has(layout))
  if (missing.length === 0) return
  const objects = await ask.fromStored(missing.map((entry) => entry.object))
  for (const [i, entry] of missing.entries()) {
    const object = objects[i]
    if (object) entry.as(layout, () => ({ ...object, metadata: { ...object.metadata } }))
  }
}

function isStored(kind: AnyKind): boolean {
  return !kind.answered && (kind.verbs.includes('get') || kind.verbs.includes('list'))
}

function pathKey(group: string, version: string, resource: string): string {
  return `${group}/${version}/${resource}`
}
