import type { KubeObject } from '../../api/meta/v1/object.ts'
import { deepFreeze } from '../../machinery/freeze.ts'
import type { Layout } from './layout.ts'

/** One version of one object: its stored bytes and revision, and once someone needs fields, the decoded and frozen object. */
export class Entry {
  readonly key: string
  /** As stored: without resourceVersion. */
  readonly value: Uint8Array
  /** 0 for what was never written, as with dryRun. */
  readonly revision: number
  readonly layout: Layout
  #object: KubeObject | null
  #others: Map<Layout, Entry> | null = null

  /** `object` is what `value` was made from, if it is at hand. It becomes the entry's and gets the resourceVersion. */
  constructor(layout: Layout, key: string, value: Uint8Array, revision: number, object: KubeObject | null = null) {
    this.layout = layout
    this.key = key
    this.value = value
    this.revision = revision
    this.#object = object
    if (object && !Object.isFrozen(object)) {
      if (revision > 0) object.metadata.resourceVersion = String(revision)
      deepFreeze(object)
    }
  }

  get object(): KubeObject {
    this.#object ??= deepFreeze(this.layout.decode(this.value, this.revision))
    return this.#object
  }

  get decoded(): boolean {
    return this.#object !== null
  }

  /** What a client gets. */
  bytes(): Buffer {
    return this.layout.splice(this.value, this.revision)
  }

  /** The same content under another revision: what a watcher gets when an object leaves its view. */
  at(revision: number): Entry {
    const known = this.#object
    const object = known && { ...known, metadata: { ...known.metadata } }
    return new Entry(this.layout, this.key, this.value, revision, object)
  }

  /** The same object in another version of its kind; made once. */
  as(layout: Layout, convert: (object: KubeObject) => KubeObject): Entry {
    if (layout === this.layout) return this
    let other = this.#others?.get(layout)
    if (!other) {
      const object = convert(this.object)
      other = new Entry(layout, this.key, layout.encode(object), this.revision, object)
      this.#others ??= new Map()
      this.#others.set(layout, other)
    }
    return other
  }
}
