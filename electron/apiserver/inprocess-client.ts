/**
 * The `Client` of this process: the same authorization, admission and registry as behind the socket, without encoding. What it
 * hands out are the cache's own frozen objects.
 */
import { apiVersionOf, pathOf, type AnyKind, type Kind } from '../api/kind.ts'
import type { Draft, KubeList, KubeObject } from '../api/meta/v1/object.ts'
import type { DeleteOptions } from '../api/meta/v1/types.gen.ts'
import type { Clock } from '../base/clock.ts'
import { deepFreeze } from '../machinery/freeze.ts'
import type {
  CallOptions,
  ChannelSocket,
  Client,
  GetOptions,
  ListOptions,
  Name,
  Patch,
  RawRequest,
  RawResponse,
  WatchOptions,
  WebSocketRequest,
  WriteOptions,
} from '../client/client.ts'
import { failure } from '../machinery/status.ts'
import type { WatchEvent } from '../machinery/watch-event.ts'
import { Bookmark } from './cache/cache-watch.ts'
import { watchItems, WatchSession } from './cache/watch-session.ts'
import { valueBody } from './endpoints/body.ts'
import { checkDeletion, LIST_EVERYTHING, PLAIN_WRITE } from './endpoints/query.ts'
import type { Responders } from './endpoints/responders.ts'
import type { Answer, Verbs } from './endpoints/verbs.ts'
import { bookmarkObject, listMetadata } from './http/encode.ts'
import { rawRequest, rawResponse } from './inprocess-raw.ts'
import type { Pipeline } from './pipeline.ts'
import type { Deletion } from './registry/before-delete.ts'
import type { ListQuery } from './registry/read.ts'
import type { Call, WriteParameters } from './registry/registry.ts'
import type { Resources } from './resources.ts'
import type { Attributes, UserInfo } from './types.ts'

export interface InProcessClientOptions {
  readonly pipeline: Pipeline
  readonly verbs: Verbs
  readonly resources: Resources
  readonly responders: Responders
  readonly clock: Clock
  readonly user: UserInfo
  /** Who manages the fields that this client writes, and its name in warnings. */
  readonly manager: string
}

const NEVER = new AbortController().signal
const WATCH_MS = 3_600_000

export class InProcessClient implements Client {
  readonly #options: InProcessClientOptions

  constructor(options: InProcessClientOptions) {
    this.#options = options
  }

  async get<T extends KubeObject>(kind: Kind<T>, at: Name, options: GetOptions = {}): Promise<T> {
    const call = await this.#call('get', kind, at, options, options.subresource)
    return objectOf<T>(await this.#options.verbs.get(call, options.resourceVersion ?? ''))
  }

  async list<T extends KubeObject>(kind: Kind<T>, options: ListOptions = {}): Promise<KubeList<T>> {
    const call = await this.#call('list', kind, { name: '', namespace: options.namespace }, options, '', options.fieldSelector)
    const result = await this.#options.verbs.list(call, queryOf(options))
    const items = result.entries.map((entry) => entry.object as T)
    return Object.freeze({ kind: `${kind.kind}List`, apiVersion: apiVersionOf(kind), metadata: listMetadata(result), items })
  }

  async *watch<T extends KubeObject>(kind: Kind<T>, options: WatchOptions = {}): AsyncGenerator<WatchEvent<T>, void, void> {
    const signal = options.signal ?? NEVER
    const call = await this.#call('watch', kind, { name: '', namespace: options.namespace }, options, '', options.fieldSelector)
    const watch = await this.#options.verbs.watch(call, queryOf(options))
    const { resource } = call
    options.onOpen?.()
    const session = new WatchSession({
      watch,
      revision: () => resource.storage.cache.revision,
      clock: this.#options.clock,
      timeoutMs: options.timeoutSeconds ? options.timeoutSeconds * 1000 : WATCH_MS,
      bookmarks: options.allowWatchBookmarks ?? false,
      signal,
    })
    for await (const item of watchItems(session)) {
      if (item instanceof Bookmark) yield { type: 'BOOKMARK', object: deepFreeze(bookmarkObject(resource, item)) as T }
      else yield { type: item.type, object: resource.view(item.entry).object as T }
    }
    signal.throwIfAborted()
  }

  async create<T extends KubeObject>(kind: Kind<T>, object: Draft<T>, options: WriteOptions = {}): Promise<T> {
    const { metadata } = object as Draft<KubeObject>
    const at = { name: options.subresource ? (metadata?.name ?? '') : '', namespace: metadata?.namespace }
    const answered = await this.#answered(kind, at, object, options)
    if (answered) return answered as T
    const call = await this.#call('create', kind, at, options, options.subresource)
    return objectOf<T>(await this.#options.verbs.create(call, valueBody(object), parametersOf(options)))
  }

  async update<T extends KubeObject>(kind: Kind<T>, object: T, options: WriteOptions = {}): Promise<T> {
    const call = await this.#call('update', kind, object.metadata, options, options.subresource)
    return objectOf<T>(await this.#options.verbs.update(call, valueBody(object), parametersOf(options)))
  }

  async patch<T extends KubeObject>(kind: Kind<T>, at: Name, patch: Patch, options: WriteOptions = {}): Promise<T> {
    const call = await this.#call('patch', kind, at, options, options.subresource)
    const parameters = { ...parametersOf(options), force: patch.type === 'apply' && (patch.force ?? false) }
    return objectOf<T>(
      await this.#options.verbs.patch(call, { type: patch.type, body: Buffer.from(JSON.stringify(patch.body)) }, parameters),
    )
  }

  async delete<T extends KubeObject>(kind: Kind<T>, at: Name, options: Draft<DeleteOptions> & CallOptions = {}): Promise<T | null> {
    const call = await this.#call('delete', kind, at, options)
    const answer = await this.#options.verbs.delete(call, deletionOf(options))
    return answer.type === 'entry' ? (answer.entry.object as T) : null
  }

  async deleteCollection<T extends KubeObject>(kind: Kind<T>, options: ListOptions & { delete?: Draft<DeleteOptions> }): Promise<void> {
    const at = { name: '', namespace: options.namespace }
    const call = await this.#call('deletecollection', kind, at, options, '', options.fieldSelector)
    await this.#options.verbs.deleteCollection(call, queryOf(options), deletionOf(options.delete ?? {}))
  }

  async request(request: RawRequest): Promise<RawResponse> {
    const { user, manager } = this.#options
    return rawResponse(await this.#options.pipeline.handle(rawRequest(request, user, manager)))
  }

  async websocket(request: WebSocketRequest): Promise<ChannelSocket> {
    const { user, manager } = this.#options
    const asked = rawRequest({ method: 'GET', ...request }, user, manager)
    const { connector, target, request: acting } = await this.#options.pipeline.connect(asked)
    return connector.open(acting, target, request.protocols)
  }

  /** Null for what is stored. */
  async #answered(kind: AnyKind, { name, namespace = '' }: Name, object: unknown, options: WriteOptions): Promise<KubeObject | null> {
    const { pipeline, responders, user } = this.#options
    const { signal = NEVER, subresource = '' } = options
    signal.throwIfAborted()
    const asked = { kind, subresource, namespace: kind.namespaced ? namespace : '', name, user, signal }
    const responder = responders.find(asked)
    if (!responder) return null
    await pipeline.authorize(this.#attributes('create', kind, asked))
    return deepFreeze(await responders.answer(responder, asked, valueBody(object), parametersOf(options), () => {}))
  }

  #attributes(verb: string, kind: AnyKind, at: { namespace: string; name: string; subresource: string }, fieldSelector = ''): Attributes {
    const { group, version, resource } = kind
    const { subresource, name } = at
    const namespace = group === '' && resource === 'namespaces' ? name : at.namespace
    const wanted = { group, version, resource, subresource, namespace, name }
    return {
      user: this.#options.user,
      verb,
      path: pathOf(kind, at.namespace, name, subresource),
      resource: fieldSelector ? { ...wanted, fieldSelector } : wanted,
    }
  }

  async #call(verb: string, kind: AnyKind, at: Name, options: CallOptions, subresource = '', fieldSelector = ''): Promise<Call> {
    options.signal?.throwIfAborted()
    const { pipeline, resources, user, manager } = this.#options
    const resource = resources.find(kind.group, kind.version, kind.resource)
    if (!resource) throw failure(404, 'NotFound', 'the server could not find the requested resource', {})
    const namespace = kind.namespaced ? (at.namespace ?? '') : ''
    await pipeline.authorize(this.#attributes(verb, kind, { namespace, name: at.name, subresource }, fieldSelector))
    return { resource, namespace, name: at.name, subresource, user, manager, signal: options.signal ?? NEVER, warn() {} }
  }
}

function objectOf<T extends KubeObject>(answer: Answer): T {
  return (answer.type === 'entry' ? answer.entry.object : deepFreeze(answer.object)) as T
}

function parametersOf(options: WriteOptions): WriteParameters {
  return {
    dryRun: options.dryRun ?? false,
    fieldManager: options.fieldManager ?? '',
    fieldValidation: options.fieldValidation ?? PLAIN_WRITE.fieldValidation,
    force: false,
  }
}

function queryOf(options: ListOptions & Partial<Pick<WatchOptions, 'allowWatchBookmarks' | 'sendInitialEvents'>>): ListQuery {
  return {
    ...LIST_EVERYTHING,
    labelSelector: options.labelSelector ?? '',
    fieldSelector: options.fieldSelector ?? '',
    resourceVersion: options.resourceVersion ?? '',
    resourceVersionMatch: options.resourceVersionMatch ?? '',
    limit: options.limit ?? 0,
    continueToken: options.continue ?? '',
    allowWatchBookmarks: options.allowWatchBookmarks ?? false,
    sendInitialEvents: options.sendInitialEvents ?? null,
  }
}

function deletionOf(options: Draft<DeleteOptions> & CallOptions): Deletion {
  const { signal: _signal, ...deletion } = options
  return checkDeletion(JSON.parse(JSON.stringify(deletion)) as Deletion)
}
