/** One ConfigMap or Secret, kept true by a watch of its own: a node may see no others. */
import { deferred } from '../../../base/async.ts'
import { sleep } from '../../../base/clock.ts'
import type { Clock } from '../../../base/clock.ts'
import type { Emitter } from '../../../base/events.ts'
import type { Logger } from '../../../base/logger.ts'
import type { Random } from '../../../base/random.ts'
import type { Kind } from '../../../api/kind.ts'
import type { KubeObject } from '../../../api/meta/v1/object.ts'
import type { Client } from '../../../client/client.ts'
import { reflect } from '../../../client/reflector.ts'
import { unavailable } from '../../../machinery/status.ts'
import type { Checkpoints } from '../../checkpoint/checkpoints.ts'

export interface WatchedObjectDeps {
  readonly client: Client
  readonly checkpoints: Checkpoints
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  /** Ends the wait before a lost watch is tried again. */
  readonly retryNow: Emitter<void>
}

/** How long somebody who needs the object waits for the API server before the checkpoint must do. */
const PATIENCE = 3000

export class WatchedObject<T extends KubeObject> {
  readonly #kind: Kind<T>
  readonly #namespace: string
  readonly #name: string
  readonly #deps: WatchedObjectDeps
  readonly #onChange: () => void
  readonly #stop = new AbortController()
  readonly #done: Promise<void>
  readonly #first = deferred<void>()
  readonly #began: number
  /** undefined until the API server has answered. */
  #object: T | null | undefined

  constructor(kind: Kind<T>, at: { namespace: string; name: string }, deps: WatchedObjectDeps, onChange: () => void) {
    this.#kind = kind
    this.#namespace = at.namespace
    this.#name = at.name
    this.#deps = deps
    this.#onChange = onChange
    this.#began = deps.clock.monotonic()
    const sink = {
      replace: (objects: readonly T[]) => this.#set(objects[0] ?? null),
      set: (object: T) => this.#set(object),
      delete: () => this.#set(null),
      live: () => undefined,
    }
    const { client, clock, random, logger, retryNow } = deps
    const select = { namespace: at.namespace, fieldSelector: `metadata.name=${at.name}` }
    this.#done = reflect({ client, kind, select, sink, clock, random, logger, retryNow }, this.#stop.signal)
  }

  /** null if there is none. Throws Status 503 if the API server does not answer and it was never seen before. */
  async get(): Promise<T | null> {
    const patience = this.#began + PATIENCE - this.#deps.clock.monotonic()
    if (this.#object === undefined && patience > 0) {
      using waiting = new DisposableStack()
      const over = new AbortController()
      waiting.defer(() => over.abort())
      await Promise.race([this.#first.promise, sleep(this.#deps.clock, patience, over.signal).catch(() => undefined)])
    }
    if (this.#object !== undefined) return this.#object
    const saved = await this.#deps.checkpoints.load(this.#kind, this.#namespace, this.#name)
    if (saved) return saved
    throw unavailable(`${this.#kind.kind.toLowerCase()} "${this.#namespace}/${this.#name}" cannot be read: the API server does not answer`)
  }

  /** Ends the watch; what was seen stays on disk. */
  async stop(): Promise<void> {
    this.#stop.abort(new DOMException('stopped', 'AbortError'))
    await this.#done
  }

  async removeCheckpoint(): Promise<void> {
    await this.#deps.checkpoints.remove(this.#kind, this.#namespace, this.#name)
  }

  #set(object: T | null): void {
    const changed = this.#object?.metadata.resourceVersion !== object?.metadata.resourceVersion || this.#object === undefined
    this.#object = object
    const { checkpoints } = this.#deps
    if (object) void checkpoints.save(this.#kind, object)
    else void checkpoints.remove(this.#kind, this.#namespace, this.#name)
    this.#first.resolve()
    if (changed) this.#onChange()
  }
}
