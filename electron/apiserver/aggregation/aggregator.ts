/**
 * Groups that other API servers serve: requests for them are handed on, they are in discovery, and their APIServices say whether they
 * answer. What this server serves itself stays its own. Source: kube-aggregator `pkg/apiserver`.
 */
import { apiService } from '../../api/apiregistration/v1/api-service.ts'
import type { APIService, APIServiceCondition } from '../../api/apiregistration/v1/types.ts'
import { apiVersionOf, type AnyKind } from '../../api/kind.ts'
import type { KubeObject } from '../../api/meta/v1/object.ts'
import { formatTime } from '../../api/values/time.ts'
import type { Logger } from '../../base/logger.ts'
import { setCondition } from '../../machinery/conditions.ts'
import { thaw } from '../../machinery/freeze.ts'
import { hasReason } from '../../machinery/status.ts'
import { WorkQueue } from '../../machinery/work-queue.ts'
import { Bookmark, type CacheWatch } from '../cache/cache-watch.ts'
import type { Lookup } from '../registry/lookup.ts'
import type { Call, Registry, WriteParameters } from '../registry/registry.ts'
import type { Resource } from '../registry/storage.ts'
import { update } from '../registry/update.ts'
import type { Resources } from '../resources.ts'
import { APISERVER } from '../rest/bootstrap.ts'
import { checkHealth, type Health } from './availability.ts'
import type { RemoteServers } from './remote-server.ts'

export interface AggregatorOptions {
  readonly registry: Registry
  readonly resources: Resources
  readonly lookup: Lookup
  readonly servers: RemoteServers
  readonly logger: Logger
}

/** A group's version that another server has. */
export interface Aggregated {
  readonly service: APIService
  readonly health: Health
  /** What it served when it was last asked. */
  readonly kinds: readonly AnyKind[]
}

const WRITE: WriteParameters = { dryRun: false, fieldManager: '', fieldValidation: 'Ignore', force: false }
const UNKNOWN: Health = {
  condition: { type: 'Available', status: 'Unknown', reason: 'Unknown', message: '' },
  kinds: null,
  openApi: null,
}
/** How often each is asked whether it still answers, in milliseconds. */
const CHECK_EVERY = 30_000
/** The same for one that does not. */
const CHECK_AGAIN = 2000
const WORKERS = 4

export class Aggregator implements AsyncDisposable {
  readonly #options: AggregatorOptions
  readonly #services: Resource
  readonly #queue: WorkQueue<string>
  /** By "group/version". */
  readonly #remote = new Map<string, Aggregated>()
  readonly #stopping = new AbortController()
  #watch: CacheWatch | null = null
  #working: Promise<unknown> = Promise.resolve()
  #generation = 0

  /** Throws if the server has no APIServices. */
  constructor(options: AggregatorOptions) {
    const services = options.resources.find(apiService.group, apiService.version, apiService.resource)
    if (!services) throw new Error(`${apiService.resource} are not served`)
    this.#options = options
    this.#services = services
    this.#queue = new WorkQueue({ clock: options.registry.clock })
  }

  /** Changes whenever discovery does. */
  get generation(): number {
    return this.#generation
  }

  async start(): Promise<void> {
    await this.#follow()
    this.#working = Promise.all(Array.from({ length: WORKERS }, () => this.#work()))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort(new DOMException('stopped', 'AbortError'))
    this.#watch?.[Symbol.dispose]()
    await this.#queue.drain()
    await this.#working
  }

  /** Who serves what is at this path; null if this server does. */
  find(path: string): Aggregated | null {
    if (this.#remote.size === 0 || !path.startsWith('/apis/')) return null
    const [group = '', version = ''] = path.slice('/apis/'.length).split('/')
    return this.#remote.get(`${group}/${version}`) ?? null
  }

  all(): IterableIterator<Aggregated> {
    return this.#remote.values()
  }

  async #follow(): Promise<void> {
    const { storage } = this.#services
    await storage.cache.ready()
    for (const entry of storage.cache.slice(storage.prefix)) this.#changed(entry.object.metadata.name)
    const watch = storage.cache.watchFromNow({ prefix: storage.prefix, matches: null }, { state: true })
    this.#watch = watch
    const take = () => {
      for (const item of watch.take()) if (!(item instanceof Bookmark)) this.#changed(item.entry.object.metadata.name)
      if (!watch.end) watch.onReady(take)
      else if (!this.#stopping.signal.aborted) void this.#follow().catch((error: unknown) => this.#failed(error))
    }
    take()
  }

  #failed(error: unknown): void {
    if (!this.#stopping.signal.aborted) this.#options.logger.warn('an API service could not be followed', { error })
  }

  #service(name: string): APIService | null {
    const { storage } = this.#services
    return (storage.cache.get(storage.key('', name))?.object as APIService | undefined) ?? null
  }

  /** Requests are handed on, or no longer, from this moment; whether there is an answer is found out after it. */
  #changed(name: string): void {
    const service = this.#service(name)
    const key = keyOf(name)
    if (!service?.spec.service || this.#isOwn(service)) {
      if (this.#remote.delete(key)) this.#generation++
      if (service) this.#queue.add(name)
      return
    }
    const before = this.#remote.get(key)
    const same = before && JSON.stringify(before.service.spec) === JSON.stringify(service.spec)
    this.#remote.set(key, { service, health: same ? before.health : UNKNOWN, kinds: same ? before.kinds : [] })
    if (!same) this.#generation++
    this.#queue.add(name)
  }

  #isOwn({ spec: { group = '', version = '' } }: APIService): boolean {
    const wanted = apiVersionOf({ group, version })
    return [...this.#options.resources.kinds()].some((kind) => !kind.custom && apiVersionOf(kind) === wanted)
  }

  async #work(): Promise<void> {
    for (let name = await this.#queue.get(); name !== undefined; name = await this.#queue.get()) {
      try {
        await this.#check(name)
        this.#queue.forget(name)
      } catch (error) {
        this.#failed(error)
        this.#queue.addRateLimited(name)
      } finally {
        this.#queue.done(name)
      }
    }
  }

  async #check(name: string): Promise<void> {
    const service = this.#service(name)
    if (!service) return
    const local = this.#isOwn(service) || !service.spec.service
    const { lookup, servers, registry } = this.#options
    const { service: _, ...own } = service.spec
    const asked: APIService = local ? { ...service, spec: own } : service
    const health = await checkHealth(asked, { lookup, servers, clock: registry.clock }, this.#stopping.signal)
    if (this.#stopping.signal.aborted) return
    const known = this.#remote.get(keyOf(name))
    if (known && known.service.metadata.uid === service.metadata.uid) {
      this.#remote.set(keyOf(name), { ...known, health, kinds: health.kinds ?? known.kinds })
      if (differs(known, health)) this.#generation++
    }
    await this.#say(service, health)
    if (!local) this.#queue.addAfter(name, health.condition.status === 'True' ? CHECK_EVERY : CHECK_AGAIN)
  }

  async #say({ metadata }: APIService, { condition }: Health): Promise<void> {
    const { registry } = this.#options
    const now = formatTime(registry.clock.now())
    const conditionsOf = ({ status }: APIService) => setCondition<APIServiceCondition>(status.conditions, condition, now)
    const present = this.#service(metadata.name)
    if (!present || conditionsOf(present) === present.status.conditions) return
    const make = (old: KubeObject | null) => {
      const service = thaw((old ?? present) as APIService)
      service.status = { ...service.status, conditions: [...conditionsOf(service)] }
      return service
    }
    try {
      await update(registry, this.#call(metadata.name), { part: 'status', make }, WRITE)
    } catch (error) {
      if (!hasReason(error, 'NotFound')) throw error
    }
  }

  #call(name: string): Call {
    const { signal } = this.#stopping
    return {
      resource: this.#services,
      namespace: '',
      name,
      subresource: 'status',
      user: APISERVER,
      manager: 'kube-apiserver',
      signal,
      warn() {},
    }
  }
}

/** "group/version" of "version.group". */
function keyOf(name: string): string {
  const dot = name.indexOf('.')
  return `${name.slice(dot + 1)}/${name.slice(0, dot)}`
}

/** Whether discovery shows it otherwise. */
function differs(before: Aggregated, { condition, kinds, openApi }: Health): boolean {
  return (
    before.health.condition.status !== condition.status ||
    before.health.openApi !== openApi ||
    (kinds !== null && JSON.stringify(before.kinds) !== JSON.stringify(kinds))
  )
}
