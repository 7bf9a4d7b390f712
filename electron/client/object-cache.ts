import type { KubeObject } from '../api/meta/v1/object.ts'
import type { Lister } from './informer.ts'

/** What became of one object. `old` is the state before, absent for a new one. */
export type Change<T> =
  | { readonly type: 'add'; readonly object: T }
  | { readonly type: 'update'; readonly object: T; readonly old: T }
  | { readonly type: 'delete'; readonly object: T }

interface Index<T> {
  readonly values: (object: T) => readonly string[]
  readonly entries: Map<string, Map<string, T>>
}

/** Objects of one kind by namespace and name, with indices. */
export class ObjectCache<T extends KubeObject> implements Lister<T> {
  readonly #namespaces = new Map<string, Map<string, T>>()
  readonly #indices = new Map<string, Index<T>>()
  /** The whole list as last handed out, until something changes. */
  #all: readonly T[] | null = null

  get(namespace: string | undefined, name: string): T | undefined {
    return this.#namespaces.get(namespace ?? '')?.get(name)
  }

  list(namespace?: string): readonly T[] {
    if (namespace !== undefined) return [...(this.#namespaces.get(namespace)?.values() ?? [])]
    this.#all ??= Object.freeze([...this.#namespaces.values()].flatMap((objects) => [...objects.values()]))
    return this.#all
  }

  byIndex(index: string, value: string): readonly T[] {
    const found = this.#indices.get(index)
    if (!found) throw new Error(`there is no index ${JSON.stringify(index)}`)
    return [...(found.entries.get(value)?.values() ?? [])]
  }

  /** The same name with the same function again changes nothing, so that several users of one informer can each ask for it. */
  addIndex(name: string, values: (object: T) => readonly string[]): void {
    const known = this.#indices.get(name)
    if (known?.values === values) return
    if (known) throw new Error(`there is already another index ${JSON.stringify(name)}`)
    const index: Index<T> = { values, entries: new Map() }
    this.#indices.set(name, index)
    for (const object of this.list()) enter(index, object)
  }

  /** Takes the whole truth and says what it changed: deletions first, then additions and updates in the order of the list. */
  replace(objects: readonly T[]): Change<T>[] {
    const changes: Change<T>[] = []
    const wanted = new Map(objects.map((object) => [keyOf(object), object]))
    for (const old of this.list()) {
      const now = wanted.get(keyOf(old))
      if (now?.metadata.uid === old.metadata.uid) continue
      changes.push({ type: 'delete', object: old })
    }
    for (const { object } of changes) this.#remove(object)
    for (const object of objects) {
      const change = this.#put(object)
      if (change) changes.push(change)
    }
    return changes
  }

  /** Takes a newer state of one object; null if it is known already or older than what is known. */
  set(object: T): Change<T> | null {
    const old = this.get(object.metadata.namespace, object.metadata.name)
    return old && isOlder(object, old) ? null : this.#put(object)
  }

  delete(object: T): Change<T> | null {
    const old = this.get(object.metadata.namespace, object.metadata.name)
    if (!old || old.metadata.uid !== object.metadata.uid) return null
    this.#remove(old)
    return { type: 'delete', object }
  }

  #put(object: T): Change<T> | null {
    const { namespace = '', name } = object.metadata
    let objects = this.#namespaces.get(namespace)
    if (!objects) this.#namespaces.set(namespace, (objects = new Map()))
    const old = objects.get(name)
    if (old?.metadata.resourceVersion === object.metadata.resourceVersion) return null
    objects.set(name, object)
    this.#all = null
    for (const index of this.#indices.values()) {
      if (old) leave(index, old)
      enter(index, object)
    }
    return old ? { type: 'update', object, old } : { type: 'add', object }
  }

  #remove(object: T): void {
    const { namespace = '', name } = object.metadata
    const objects = this.#namespaces.get(namespace)
    if (!objects?.delete(name)) return
    if (!objects.size) this.#namespaces.delete(namespace)
    this.#all = null
    for (const index of this.#indices.values()) leave(index, object)
  }
}

function keyOf(object: KubeObject): string {
  return `${object.metadata.namespace ?? ''}/${object.metadata.name}`
}

function enter<T extends KubeObject>(index: Index<T>, object: T): void {
  for (const value of index.values(object)) {
    let entry = index.entries.get(value)
    if (!entry) index.entries.set(value, (entry = new Map()))
    entry.set(keyOf(object), object)
  }
}

function leave<T extends KubeObject>(index: Index<T>, object: T): void {
  for (const value of index.values(object)) {
    const entry = index.entries.get(value)
    entry?.delete(keyOf(object))
    if (entry?.size === 0) index.entries.delete(value)
  }
}

/** Resource versions of one object are decimal numbers that grow (KEP-5504). */
function isOlder(a: KubeObject, b: KubeObject): boolean {
  return Number(a.metadata.resourceVersion) < Number(b.metadata.resourceVersion)
}
