import type { Clock } from '../base/clock.ts'
import { deferred, type Deferred } from '../base/async.ts'
import { Emitter } from '../base/events.ts'
import { component, componentWith } from '../base/lifecycle.ts'
import type { Logger } from '../base/logger.ts'
import { systemRandom, type Random } from '../base/random.ts'
import { groupResource, type Kind } from '../api/kind.ts'
import type { KubeObject } from '../api/meta/v1/object.ts'
import type { Client } from './client.ts'
import type { Informer, InformerHandler, InformerOptions, Informers } from './informer.ts'
import { ObjectCache, type Change } from './object-cache.ts'
import { reflect, type ReflectorSink } from './reflector.ts'

export interface InformersDeps {
  readonly clock: Clock
  readonly logger: Logger
  /** For the jitter of retries. */
  readonly random?: Random
}

export function createInformers(client: Client, deps: InformersDeps): Informers {
  const { clock, logger, random = systemRandom } = deps
  const all = new Map<string, SharedInformer<KubeObject>>()
  const stopping = new AbortController()
  const retryNow = new Emitter<void>()
  let running = false

  const launch = (informer: SharedInformer<KubeObject>) => {
    const { kind, select } = informer
    const signal = AbortSignal.any([stopping.signal, informer.released.signal])
    informer.done = reflect({ client, kind, select, sink: informer, clock, random, logger, retryNow }, signal)
  }
  const base = component(async (stack, signal) => {
    stack.defer(async () => {
      stopping.abort(new DOMException('the informers are stopped', 'AbortError'))
      for (const informer of all.values()) informer.stop()
      await Promise.all([...all.values()].map((informer) => informer.done))
    })
    running = true
    for (const informer of all.values()) launch(informer)
    await Promise.all([...all.values()].map((informer) => informer.whenSynced(signal)))
  })

  return componentWith(base, {
    retryNow: () => retryNow.emit(),
    for<T extends KubeObject>(kind: Kind<T>, options: InformerOptions = {}): Informer<T> {
      const key = JSON.stringify([groupResource(kind), kind.version, options.namespace, options.labelSelector, options.fieldSelector])
      let informer = all.get(key)
      if (!informer) {
        if (base.state === 'stopped') throw new Error(`no informer for ${kind.resource}: the informers are stopped`)
        informer = new SharedInformer<KubeObject>(kind, options, clock, logger)
        all.set(key, informer)
        if (running) launch(informer)
      }
      return informer as unknown as Informer<T>
    },
    release(kind) {
      for (const [key, informer] of all) {
        if (groupResource(informer.kind) !== groupResource(kind) || informer.kind.version !== kind.version) continue
        all.delete(key)
        informer.released.abort(new DOMException(`the informer for ${kind.resource} is released`, 'AbortError'))
        informer.stop()
      }
    },
    get kinds() {
      return [...new Set([...all.values()].map((informer) => informer.kind))]
    },
  })
}

class SharedInformer<T extends KubeObject> implements Informer<T>, ReflectorSink<T> {
  readonly kind: Kind<T>
  readonly select: InformerOptions
  readonly released = new AbortController()
  done: Promise<void> = Promise.resolve()
  readonly #cache = new ObjectCache<T>()
  readonly #handlers = new Set<InformerHandler<T>>()
  readonly #synced: Deferred<void> = deferred()
  readonly #clock: Clock
  readonly #logger: Logger
  #isSynced = false
  #staleSince: number | null

  constructor(kind: Kind<T>, select: InformerOptions, clock: Clock, logger: Logger) {
    this.kind = kind
    this.select = select
    this.#clock = clock
    this.#logger = logger
    this.#staleSince = clock.now()
    this.#synced.promise.catch(() => undefined)
  }

  get synced(): boolean {
    return this.#isSynced
  }

  get staleSince(): number | null {
    return this.#staleSince
  }

  async whenSynced(signal?: AbortSignal): Promise<void> {
    if (!signal) return this.#synced.promise
    signal.throwIfAborted()
    const given = deferred<never>()
    const onAbort = () => given.reject(signal.reason)
    signal.addEventListener('abort', onAbort, { once: true })
    try {
      await Promise.race([this.#synced.promise, given.promise])
    } finally {
      signal.removeEventListener('abort', onAbort)
    }
  }

  get(namespace: string | undefined, name: string): T | undefined {
    return this.#cache.get(namespace, name)
  }

  list(namespace?: string): readonly T[] {
    return this.#cache.list(namespace)
  }

  byIndex(index: string, value: string): readonly T[] {
    return this.#cache.byIndex(index, value)
  }

  addIndex(name: string, values: (object: T) => readonly string[]): void {
    this.#cache.addIndex(name, values)
  }

  on(handler: InformerHandler<T>): Disposable {
    const own: InformerHandler<T> = {
      add: (object) => handler.add?.(object),
      update: (object, old) => handler.update?.(object, old),
      delete: (object) => handler.delete?.(object),
    }
    for (const object of this.#cache.list()) this.#call(own, { type: 'add', object })
    this.#handlers.add(own)
    return { [Symbol.dispose]: () => void this.#handlers.delete(own) }
  }

  replace(objects: readonly T[]): void {
    this.#deliver(this.#cache.replace(objects))
    this.#isSynced = true
    this.#synced.resolve()
  }

  set(object: T): void {
    const change = this.#cache.set(object)
    if (change) this.#deliver([change])
  }

  delete(object: T): void {
    const change = this.#cache.delete(object)
    if (change) this.#deliver([change])
  }

  live(up: boolean): void {
    if (up) this.#staleSince = null
    else this.#staleSince ??= this.#clock.now()
  }

  stop(): void {
    this.#staleSince ??= this.#clock.now()
    this.#synced.reject(new DOMException(`the informer for ${this.kind.resource} was stopped before its first list`, 'AbortError'))
  }

  /** A handler that is added meanwhile has been given the state after all of them. */
  #deliver(changes: readonly Change<T>[]): void {
    const handlers = [...this.#handlers]
    for (const change of changes) for (const handler of handlers) if (this.#handlers.has(handler)) this.#call(handler, change)
  }

  #call(handler: InformerHandler<T>, change: Change<T>): void {
    try {
      if (change.type === 'update') handler.update?.(change.object, change.old)
      else handler[change.type]?.(change.object)
    } catch (error) {
      this.#logger.error('an informer handler failed', { resource: this.kind.resource, change: change.type, error })
    }
  }
}
