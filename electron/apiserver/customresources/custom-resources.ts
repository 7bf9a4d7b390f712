/**
 * Serves what CustomResourceDefinitions define. A definition's kinds are served as soon as its names are accepted, before anyone can
 * read that they are; a change of it takes effect with the event that brings it. Sources: apiextensions-apiserver
 * `controller/{status,establish,finalizer}`, `apiserver/customresource_handler.go`.
 */
import { customResourceDefinition } from '../../api/apiextensions/v1/custom-resource-definition.ts'
import type { CustomResourceDefinition, CustomResourceDefinitionStatus } from '../../api/apiextensions/v1/types.gen.ts'
import { apiVersionOf, groupResource, type AnyKind } from '../../api/kind.ts'
import type { KubeObject } from '../../api/meta/v1/object.ts'
import { semanticEqual } from '../../api/values/equal.ts'
import { formatTime } from '../../api/values/time.ts'
import { isConditionTrue, setCondition } from '../../machinery/conditions.ts'
import { thaw } from '../../machinery/freeze.ts'
import { failure, hasReason } from '../../machinery/status.ts'
import { WorkQueue } from '../../machinery/work-queue.ts'
import type { CacheWatch } from '../cache/cache-watch.ts'
import { Bookmark } from '../cache/cache-watch.ts'
import { removeAll } from '../registry/delete.ts'
import type { Call, Registry, ResourceHooks, WriteParameters } from '../registry/registry.ts'
import type { Resource, Storage } from '../registry/storage.ts'
import { update } from '../registry/update.ts'
import type { Resources } from '../resources.ts'
import { APISERVER } from '../rest/bootstrap.ts'
import type { WebhookClient } from '../webhooks/webhook-client.ts'
import { webhookConversion, type Convert } from './conversion.ts'
import { customKinds } from './custom-kinds.ts'
import { CLEANUP_FINALIZER } from './definition-hooks.ts'
import { acceptNames, namesTaken } from './names.ts'

export interface CustomResourcesOptions {
  readonly registry: Registry
  readonly resources: Resources
  /** Of the registry, to be added to. */
  readonly hooks: Map<string, ResourceHooks>
  /** That convert between versions. */
  readonly webhooks: WebhookClient
}

/** A definition as it is served. */
interface Served {
  readonly definition: CustomResourceDefinition
  /** In the form in which the objects are kept. */
  readonly resource: Resource
}

const WRITE: WriteParameters = { dryRun: false, fieldManager: '', fieldValidation: 'Ignore', force: false }
/** How often it is looked whether the objects of a definition that ends are gone, in milliseconds. */
const CLEANUP_MS = 1000

export class CustomResources implements AsyncDisposable {
  readonly #options: CustomResourcesOptions
  readonly #definitions: Resource
  readonly #builtIn: readonly AnyKind[]
  readonly #queue: WorkQueue<string>
  readonly #served = new Map<string, Served>()
  readonly #stopping = new AbortController()
  #watch: CacheWatch | null = null
  #working: Promise<void> = Promise.resolve()

  /** Throws if the server has no CustomResourceDefinitions. */
  constructor(options: CustomResourcesOptions) {
    const { group, version, resource } = customResourceDefinition
    const definitions = options.resources.find(group, version, resource)
    if (!definitions) throw new Error(`${resource} are not served`)
    this.#options = options
    this.#definitions = definitions
    this.#builtIn = [...options.resources.kinds()]
    this.#queue = new WorkQueue({ clock: options.registry.clock })
  }

  /** Returns when what was established is served. */
  async start(): Promise<void> {
    await this.#follow()
    this.#working = this.#work()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort(new DOMException('stopped', 'AbortError'))
    this.#watch?.[Symbol.dispose]()
    await this.#queue.drain()
    await this.#working
  }

  /** Looks at everything anew, and from then on at each change as the cache has it. */
  async #follow(): Promise<void> {
    const { storage } = this.#definitions
    await storage.cache.ready()
    const present = new Set(this.#all().map(({ metadata }) => metadata.name))
    for (const name of this.#served.keys()) if (!present.has(name)) this.#changed(name)
    const watch = storage.cache.watchFromNow({ prefix: storage.prefix, matches: null }, { state: true })
    this.#watch = watch
    const take = () => {
      for (const item of watch.take()) if (!(item instanceof Bookmark)) this.#changed(item.entry.object.metadata.name)
      if (!watch.end) watch.onReady(take)
      else if (!this.#stopping.signal.aborted) void this.#follow().catch((error: unknown) => this.#failed(error))
    }
    take()
  }

  #changed(name: string): void {
    const definition = this.#definition(name)
    this.#serve(name, definition)
    this.#queue.add(name)
    // A name that was given up may be what another waits for.
    for (const other of this.#all()) {
      if (!isConditionTrue(other.status.conditions, 'NamesAccepted')) this.#queue.add(other.metadata.name)
    }
  }

  #definition(name: string): CustomResourceDefinition | null {
    const { storage } = this.#definitions
    return (storage.cache.get(storage.key('', name))?.object as CustomResourceDefinition | undefined) ?? null
  }

  #all(): CustomResourceDefinition[] {
    const { storage } = this.#definitions
    return storage.cache.slice(storage.prefix).map((entry) => entry.object as CustomResourceDefinition)
  }

  /** Makes what is served as the definition says; null: it is gone. */
  #serve(name: string, definition: CustomResourceDefinition | null): void {
    const { resources, hooks, registry } = this.#options
    const before = this.#served.get(name)
    const kinds =
      definition &&
      isConditionTrue(definition.status.conditions, 'Established') &&
      !this.#builtIn.some((kind) => groupResource(kind) === name)
        ? customKinds(definition, definition.status.acceptedNames, (kind, stored) => this.#read(kind, stored), this.#conversion(definition))
        : null
    if (!definition || !kinds) {
      if (!before) return
      this.#served.delete(name)
      hooks.delete(groupResource(before.resource.kind))
      return resources.removeCustom(before.resource.kind)
    }
    if (before && sameServing(before.definition, definition)) return
    const resource = resources.setCustom(kinds.stored, kinds.served)
    this.#served.set(name, { definition, resource })
    if (definition.metadata.deletionTimestamp) hooks.set(groupResource(kinds.stored), TERMINATING)
    else hooks.delete(groupResource(kinds.stored))
    registry.logger.info('a custom resource is served', { name, versions: kinds.served.map((kind) => kind.version) })
  }

  #conversion({ spec: { conversion } }: CustomResourceDefinition): Convert | null {
    const { registry, webhooks } = this.#options
    if (conversion?.strategy !== 'Webhook' || !conversion.webhook) return null
    return webhookConversion(conversion.webhook, { webhooks, random: registry.random, signal: this.#stopping.signal })
  }

  #read(kind: AnyKind, stored: KubeObject): KubeObject {
    // One that is being made has neither yet.
    const { uid, creationTimestamp, ...others } = stored.metadata
    const metadata = { ...others, ...(uid ? { uid } : {}), ...(creationTimestamp ? { creationTimestamp } : {}) }
    const { object } = this.#options.registry.types.codec(kind).decode({ ...stored, metadata }, { strict: false })
    return { ...object, apiVersion: apiVersionOf(kind), kind: kind.kind }
  }

  async #work(): Promise<void> {
    for (;;) {
      const name = await this.#queue.get()
      if (name === undefined) return
      try {
        await this.#reconcile(name)
        this.#queue.forget(name)
      } catch (error) {
        if (!this.#stopping.signal.aborted) {
          if (!hasReason(error, 'Conflict')) this.#failed(error, name)
          this.#queue.addRateLimited(name)
        }
      } finally {
        this.#queue.done(name)
      }
    }
  }

  #failed(error: unknown, name = ''): void {
    this.#options.registry.logger.warn('a custom resource definition could not be followed', { error, name })
  }

  async #reconcile(name: string): Promise<void> {
    const definition = this.#definition(name)
    if (!definition) return
    if (definition.metadata.deletionTimestamp) return this.#end(definition)
    const status = acceptNames(definition, namesTaken(definition.spec.group, name, this.#all(), this.#builtIn), this.#now())
    if (status === definition.status) return
    this.#serve(name, { ...definition, status })
    await this.#write(definition, 'status', (next) => void (next.status = thaw(status)))
  }

  /** Deletes the objects of a definition that ends; when the last is gone, so is the definition. */
  async #end(definition: CustomResourceDefinition): Promise<void> {
    const { name, finalizers = [] } = definition.metadata
    if (!finalizers.includes(CLEANUP_FINALIZER)) return
    const left = await this.#deleteObjects(name)
    if (left > 0) {
      await this.#terminating(definition, 'True', 'InstanceDeletionInProgress', 'CustomResource deletion is in progress')
      return this.#queue.addAfter(name, CLEANUP_MS)
    }
    const ended = await this.#terminating(definition, 'False', 'InstanceDeletionCompleted', 'removed all instances')
    await this.#write(ended, 'main', ({ metadata }) => {
      const others = (metadata.finalizers ?? []).filter((one) => one !== CLEANUP_FINALIZER)
      if (others.length > 0) metadata.finalizers = others
      else delete metadata.finalizers
    })
  }

  /** How many objects are left; their own finalizers may hold them. */
  async #deleteObjects(name: string): Promise<number> {
    const served = this.#served.get(name)
    if (!served) return 0
    const { registry } = this.#options
    const { storage } = served.resource
    const found = await entriesOf(storage)
    const fresh = found.filter(({ object }) => !object.metadata.deletionTimestamp)
    if (fresh.length > 0) await removeAll(registry, this.#call(served.resource, ''), fresh, {})
    return (await entriesOf(storage)).length
  }

  async #terminating(definition: CustomResourceDefinition, status: string, reason: string, message: string) {
    const conditions = setCondition(definition.status.conditions, { type: 'Terminating', status, reason, message }, this.#now())
    if (conditions === definition.status.conditions) return definition
    return this.#write(definition, 'status', (next) => void (next.status.conditions = [...conditions]))
  }

  /** Throws Conflict if the definition is not as it was seen. */
  async #write(
    seen: CustomResourceDefinition,
    part: 'main' | 'status',
    change: (definition: CustomResourceDefinition) => void,
  ): Promise<CustomResourceDefinition> {
    const { registry } = this.#options
    const { name, resourceVersion } = seen.metadata
    const make = (old: KubeObject | null) => {
      const next = thaw(old ?? seen) as CustomResourceDefinition
      next.metadata.resourceVersion = resourceVersion
      change(next)
      return next
    }
    const call = { ...this.#call(this.#definitions, name), subresource: part === 'status' ? 'status' : '' }
    const { entry } = await update(registry, call, { part, make }, WRITE)
    return entry.object as CustomResourceDefinition
  }

  #call(resource: Resource, name: string): Call {
    const { signal } = this.#stopping
    return { resource, namespace: '', name, subresource: '', user: APISERVER, manager: 'kube-apiserver', signal, warn() {} }
  }

  #now(): string {
    return formatTime(this.#options.registry.clock.now())
  }
}

/** While a definition ends, nothing new of its kind is made. */
const TERMINATING: ResourceHooks = {
  create(_object, { resource: { kind } }) {
    const message = 'create not allowed while custom resource definition is terminating'
    throw failure(405, 'MethodNotAllowed', message, { group: kind.group, kind: kind.resource })
  },
}

function sameServing(one: CustomResourceDefinition, other: CustomResourceDefinition): boolean {
  const ends = (definition: CustomResourceDefinition) => definition.metadata.deletionTimestamp !== undefined
  const names = ({ acceptedNames }: CustomResourceDefinitionStatus) => acceptedNames
  return ends(one) === ends(other) && semanticEqual(one.spec, other.spec) && semanticEqual(names(one.status), names(other.status))
}

async function entriesOf(storage: Storage) {
  await storage.cache.fresh()
  return storage.cache.slice(storage.prefix)
}
