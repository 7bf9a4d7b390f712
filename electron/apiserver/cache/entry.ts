import type { KubeObject } from '../../api/meta/v1/object.ts'
import { deepFreeze } from '../../machinery/freeze.ts'
import { deferManagedFields } from './deferred-fields.ts'
import type { Layout } from './layout.ts'

/** One version of one object: its stored bytes and revision, and once someone needs fields, the decoded and frozen object. */
export class Entry {
  readonly key: string
  /** As stored: without resourceVersion. */
  readonly value: Buffer
  /** 0 for what was never written, as with dryRun. */
  readonly revision: number
  readonly layout: Layout
  #object: KubeObject | null = null
  #others: Map<Layout, Entry> | null = null

  constructor(layout: Layout, key: string, value: Buffer, revision: number) {
    this.layout = layout
    this.key = key
    this.value = value
    this.revision = revision
  }

  /** An entry whose object is at hand: it becomes the entry's, and gets the resourceVersion. */
  static of(layout: Layout, key: string, object: KubeObject, revision: number): Entry {
    const entry = new Entry(layout, key, layout.encode(object), revision)
    entry.#object = settled(entry, object)
    return entry
  }

  get object(): KubeObject {
    if (this.#object) return this.#object
    const recent = this.layout.recent.get(this.value)
    this.#object = recent && isOf(recent, this.revision) ? settled(this, recent) : this.layout.read(this.value, this.revision)
    return this.#object
  }

  /** What a client gets. */
  bytes(): Buffer {
    return this.layout.splice(this.value, this.revision)
  }

  /** The same content under another revision: what a watcher gets when an object leaves its view. */
  at(revision: number): Entry {
    return new Entry(this.layout, this.key, this.value, revision)
  }

  /** Whether `as` has nothing to convert. */
  has(layout: Layout): boolean {
    return layout === this.layout || (this.#others?.has(layout) ?? false)
  }

  /** The same object in another version of its kind; made once. */
  as(layout: Layout, convert: (object: KubeObject) => KubeObject): Entry {
    if (layout === this.layout) return this
    let other = this.#others?.get(layout)
    if (!other) {
      const object = convert(this.object)
      const value = layout.encode(object)
      other = new Entry(layout, this.key, value.equals(this.value) ? this.value : value, this.revision)
      other.#object = settled(other, object)
      this.#others ??= new Map()
      this.#others.set(layout, other)
    }
    return other
  }
}

/** Whether the object is, or may still become, the one of this revision. */
function isOf(object: KubeObject, revision: number): boolean {
  return !Object.isFrozen(object) || object.metadata.resourceVersion === String(revision)
}

/** An object that the entry's bytes were made of, as the entry's own. */
function settled({ layout, value, revision }: Entry, object: KubeObject): KubeObject {
  if (Object.isFrozen(object)) return object
  if (revision > 0) object.metadata.resourceVersion = String(revision)
  if (object.metadata.managedFields) deferManagedFields(object, value, layout.head.length)
  return deepFreeze(object)
}
