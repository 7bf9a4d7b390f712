import { AsyncQueue } from '../../base/async.ts'
import type { Kind } from '../../api/kind.ts'
import type { KubeList, KubeObject } from '../../api/meta/v1/object.ts'
import { expired } from '../../machinery/status.ts'
import type { WatchEvent } from '../../machinery/watch-event.ts'
import type { Client, ListOptions, WatchOptions } from '../client.ts'

/** `list` and `watch` of one kind over objects in memory, with the faults that informers must survive. Selectors are not looked at. */
export class ListWatchServer<T extends KubeObject> {
  readonly calls: string[] = []
  readonly #objects = new Map<string, T>()
  readonly #history: { revision: number; event: WatchEvent<T> }[] = []
  readonly #watchers = new Set<AsyncQueue<WatchEvent<T>>>()
  readonly #failures: unknown[] = []
  #revision = 1
  #oldest = 0

  get watchers(): number {
    return this.#watchers.size
  }

  /** Creates or replaces; a new uid makes it another object. */
  put(object: Omit<T, 'metadata'> & { metadata: { name: string; namespace?: string; uid: string } }): void {
    const key = `${object.metadata.namespace ?? ''}/${object.metadata.name}`
    const type = this.#objects.has(key) ? 'MODIFIED' : 'ADDED'
    const stamped = { ...object, metadata: { ...object.metadata, resourceVersion: String(++this.#revision) } } as unknown as T
    this.#objects.set(key, stamped)
    this.#emit({ type, object: stamped })
  }

  remove(name: string, namespace = ''): void {
    const key = `${namespace}/${name}`
    const object = this.#objects.get(key)
    if (!object) return
    this.#objects.delete(key)
    this.#emit({ type: 'DELETED', object: { ...object, metadata: { ...object.metadata, resourceVersion: String(++this.#revision) } } })
  }

  bookmark(): void {
    const object = { metadata: { resourceVersion: String(++this.#revision) } } as T
    for (const queue of this.#watchers) queue.push({ type: 'BOOKMARK', object })
  }

  /** Forgets what happened so far: a watch from before is answered with 410. */
  compact(): void {
    this.#oldest = this.#revision
  }

  /** Ends all watches: normally, or with an error. */
  endWatches(error?: unknown): void {
    for (const queue of this.#watchers) {
      if (error) queue.fail(error)
      else queue.end()
    }
    this.#watchers.clear()
  }

  /** The next calls fail with these, one each. */
  failNext(...errors: unknown[]): void {
    this.#failures.push(...errors)
  }

  get client(): Client {
    return {
      list: (_kind: Kind<T>, options: ListOptions = {}) => this.#list(options),
      watch: (_kind: Kind<T>, options: WatchOptions = {}) => this.#watch(options),
    } as unknown as Client
  }

  async #list(options: ListOptions): Promise<KubeList<T>> {
    this.calls.push(`list${options.continue ? ` ${options.continue}` : ''}`)
    this.#throwNext()
    const all = [...this.#objects.values()]
    const start = Number(options.continue ?? 0)
    const end = options.limit ? start + options.limit : all.length
    const metadata = { resourceVersion: String(this.#revision), ...(end < all.length ? { continue: String(end) } : {}) }
    return { apiVersion: 'v1', kind: 'List', metadata, items: all.slice(start, end) }
  }

  async *#watch(options: WatchOptions): AsyncGenerator<WatchEvent<T>, void, void> {
    const from = Number(options.resourceVersion)
    this.calls.push(`watch ${from}`)
    this.#throwNext()
    if (from < this.#oldest) throw expired(`too old resource version: ${from} (${this.#oldest})`)
    using queue = new AsyncQueue<WatchEvent<T>>()
    for (const { revision, event } of this.#history) if (revision > from) queue.push(event)
    this.#watchers.add(queue)
    const onAbort = () => queue.fail(options.signal?.reason)
    options.signal?.addEventListener('abort', onAbort, { once: true })
    options.onOpen?.()
    try {
      yield* queue
    } finally {
      this.#watchers.delete(queue)
      options.signal?.removeEventListener('abort', onAbort)
    }
  }

  #emit(event: WatchEvent<T>): void {
    this.#history.push({ revision: this.#revision, event })
    for (const queue of this.#watchers) queue.push(event)
  }

  #throwNext(): void {
    const error = this.#failures.shift()
    if (error) throw error
  }
}
