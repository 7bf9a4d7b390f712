import type { AnyKind } from '../../api/kind.ts'
import type { KubeObject } from '../../api/meta/v1/object.ts'
import type { Store } from '../../store/store.ts'
import type { FrameEncoder } from '../cache/frame.ts'
import type { Feed } from '../cache/feed.ts'
import { Layout } from '../cache/layout.ts'
import { WatchCache } from '../cache/watch-cache.ts'
import type { Entry } from '../cache/entry.ts'
import { objectKey, resourcePrefix } from './keys.ts'

/** Where the objects of one resource are kept, whichever versions serve it. */
export class Storage implements Disposable {
  /** The kind in whose form they are kept. */
  readonly kind: AnyKind
  readonly prefix: string
  readonly layout: Layout
  readonly cache: WatchCache

  constructor(kind: AnyKind, deps: { store: Store; feed: Feed }) {
    this.kind = kind
    this.prefix = resourcePrefix(kind)
    this.layout = new Layout(kind)
    this.cache = new WatchCache({ ...deps, layout: this.layout, prefix: this.prefix })
  }

  key(namespace: string, name: string): string {
    return objectKey(this.prefix, this.kind.namespaced ? namespace : '', name)
  }

  keyOf(object: KubeObject): string {
    return this.key(object.metadata.namespace ?? '', object.metadata.name)
  }

  /** The prefix of what a request covers: a namespace, or with "" everything. */
  scope(namespace: string): string {
    return namespace === '' || !this.kind.namespaced ? this.prefix : objectKey(this.prefix, namespace, '')
  }

  [Symbol.dispose](): void {
    this.cache[Symbol.dispose]()
  }
}

/** A kind as it is served. */
export interface Resource {
  readonly kind: AnyKind
  readonly storage: Storage
  readonly layout: Layout
  /** Makes the lines of its watches. */
  readonly lines: FrameEncoder
  /** What must be awaited before `view` of these, where a webhook converts; absent: nothing. Throws StatusError. */
  readonly prepare?: (entries: readonly Entry[]) => Promise<void>
  /** The served form of what is kept. */
  view(entry: Entry): Entry
  /** Makes what is kept of the served form; may change the object it is given. */
  toStored(object: KubeObject): KubeObject | Promise<KubeObject>
}

/** The served form, converted if need be. */
export async function viewOf(resource: Resource, entry: Entry): Promise<Entry> {
  if (resource.prepare) await resource.prepare([entry])
  return resource.view(entry)
}
