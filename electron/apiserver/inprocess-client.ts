/**
 * The `Client` of this process: the same authorization, admission and registry as behind the socket, without encoding. What it
 * hands out are the cache's own frozen objects.
 */
import { apiVersionOf, pathOf, type AnyKind, type Kind } from '../api/kind.ts'
import type { Draft, KubeList, KubeObject } from '../api/meta/v1/object.ts'
import type { DeleteOptions } from '../api/meta/v1/types.gen.ts'
import { isAbort } from '../base/async.ts'
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
import { checkDeletion, LIST_EVERYTHING } from './endpoints/query.ts'
import type { Responders } from './endpoints/responders.ts'
import type { Answer, Verbs } from './endpoints/verbs.ts'
import { bookmarkObject, listMetadata } from './http/encode.ts'
import { rawRequest, rawResponse } from './inprocess-raw.ts'
import { statusOf } from './http/response.ts'
import { notesOf, type Pipeline } from './pipeline.ts'
import type { Deletion } from './registry/before-delete.ts'
import type { ListQuery } from './registry/read.ts'
import type { Call, WriteParameters } from './registry/registry.ts'
import { requestInfo } from './request-info.ts'
import type { Resources } from './resources.ts'
import type { Attributes, AuditTrail, UserInfo } from './types.ts'

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
const SWITCHING = 101
const METHODS = {
  ...{ get: 'GET', list: 'GET', watch: 'GET', create: 'POST', update: 'PUT', patch: 'PATCH', delete: 'DELETE', deletecollection: 'DELETE' },
} as const

interface AskedCall {
  readonly verb: keyof typeof METHODS
  readonly kind: AnyKind
  readonly at: Name
  readonly options: CallOptions
  readonly subresource?: string | undefined
  readonly fieldSelector?: string | undefined
}

export class InProcessClient implements Client {
  readonly #options: InProcessClientOptions

  constructor(options: InProcessClientOptions) {
    this.#options = options
  }

  async get<T extends KubeObject>(kind: Kind<T>, at: Name, options: GetOptions = {}): Promise<T> {
    const { resourceVersion = '', subresource } = options
    return this.#run({ verb: 'get', kind, at, options, subresource }, async (call) =>
      objectOf<T>(await this.#options.verbs.get(call, resourceVersion)),
    )
  }

  async list<T extends KubeObject>(kind: Kind<T>, options: ListOptions = {}): Promise<KubeList<T>> {
    const { namespace, fieldSelector } = options
    return this.#run({ verb: 'list', kind, at: { name: '', namespace }, options, fieldSelector }, async (call) => {
      const result = await this.#options.verbs.list(call, queryOf(options))
      const items = result.entries.map((entry) => entry.object as T)
      return Object.freeze({ kind: `${kind.kind}List`, apiVersion: apiVersionOf(kind), metadata: listMetadata(result), items })
    })
  }

  async *watch<T extends KubeObject>(kind: Kind<T>, options: WatchOptions = {}): AsyncGenerator<WatchEvent<T>, void, void> {
    const { signal = NEVER, namespace, fieldSelector } = options
    const asked: AskedCall = { verb: 'watch', kind, at: { name: '', namespace }, options, fieldSelector }
    const trail = this.#trail(asked)
    try {
      const call = await this.#call(asked, trail)
      const watch = await this.#options.verbs.watch(call, queryOf(options))
      const { resource } = call
      trail?.started(200)
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
    } catch (error) {
      noteFailure(trail, error)
      throw error
    } finally {
      trail?.answered(200, null)
    }
  }

  async create<T extends KubeObject>(kind: Kind<T>, object: Draft<T>, options: WriteOptions = {}): Promise<T> {
    const { metadata } = object as Draft<KubeObject>
    const { subresource } = options
    const at = { name: subresource ? (metadata?.name ?? '') : '', namespace: metadata?.namespace }
    const answered = await this.#answered(kind, at, object, options)
    if (answered) return answered as T
    return this.#run({ verb: 'create', kind, at, options, subresource }, async (call) =>
      objectOf<T>(await this.#options.verbs.create(call, valueBody(object), parametersOf(options))),
    )
  }

  async update<T extends KubeObject>(kind: Kind<T>, object: T, options: WriteOptions = {}): Promise<T> {
    const { subresource } = options
    return this.#run({ verb: 'update', kind, at: object.metadata, options, subresource }, async (call) =>
      objectOf<T>(await this.#options.verbs.update(call, valueBody(object), parametersOf(options))),
    )
  }

  async patch<T extends KubeObject>(kind: Kind<T>, at: Name, patch: Patch, options: WriteOptions = {}): Promise<T> {
    const { subresource } = options
    const parameters = { ...parametersOf(options), force: patch.type === 'apply' && (patch.force ?? false) }
    const request = { type: patch.type, body: Buffer.from(JSON.stringify(patch.body)) }
    return this.#run({ verb: 'patch', kind, at, options, subresource }, async (call) =>
      objectOf<T>(await this.#options.verbs.patch(call, request, parameters)),
    )
  }

  async delete<T extends KubeObject>(kind: Kind<T>, at: Name, options: Draft<DeleteOptions> & CallOptions = {}): Promise<T | null> {
    return this.#run({ verb: 'delete', kind, at, options }, async (call) => {
      const answer = await this.#options.verbs.delete(call, deletionOf(options))
      return answer.type === 'entry' ? (answer.entry.object as T) : null
    })
  }

  async deleteCollection<T extends KubeObject>(kind: Kind<T>, options: ListOptions & { delete?: Draft<DeleteOptions> }): Promise<void> {
    const { namespace, fieldSelector } = options
    return this.#run({ verb: 'deletecollection', kind, at: { name: '', namespace }, options, fieldSelector }, async (call) => {
      await this.#options.verbs.deleteCollection(call, queryOf(options), deletionOf(options.delete ?? {}))
    })
  }

  async request(request: RawRequest): Promise<RawResponse> {
    const { user, manager } = this.#options
    return rawResponse(await this.#options.pipeline.handle(rawRequest(request, user, manager)))
  }

  async websocket(request: WebSocketRequest): Promise<ChannelSocket> {
    const { user, manager } = this.#options
    const asked = rawRequest({ method: 'GET', ...request }, user, manager)
    const { connector, target, request: acting, trail } = await this.#options.pipeline.connect(asked)
    trail?.started(SWITCHING)
    const over = () => trail?.answered(SWITCHING, null)
    try {
      const socket = await connector.open(acting, target, request.protocols)
      return trail ? socketWithEnd(socket, over) : socket
    } catch (error) {
      over()
      throw error
    }
  }

  /** Null for what is stored. */
  async #answered(kind: AnyKind, { name, namespace = '' }: Name, object: unknown, options: WriteOptions): Promise<KubeObject | null> {
    const { pipeline, responders, user } = this.#options
    const { signal = NEVER, subresource = '' } = options
    signal.throwIfAborted()
    const asked = { kind, subresource, namespace: kind.namespaced ? namespace : '', name, user, signal }
    const responder = responders.find(asked)
    if (!responder) return null
    const trail = this.#trail({ verb: 'create', kind, at: { name, namespace }, options, subresource })
    return noting(trail, 201, async () => {
      await pipeline.authorize(this.#attributes('create', kind, asked), trail)
      const told = trail ? { ...asked, ...notesOf(trail) } : asked
      return deepFreeze(await responders.answer(responder, told, valueBody(object), parametersOf(options), () => {}))
    })
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

  async #run<R extends object | null | void>(asked: AskedCall, work: (call: Call) => Promise<R>): Promise<R> {
    const trail = this.#trail(asked)
    return noting(trail, asked.verb === 'create' ? 201 : 200, async () => work(await this.#call(asked, trail)))
  }

  /** Null: nothing is noted of the call. */
  #trail({ verb, kind, at, subresource }: AskedCall): AuditTrail | null {
    const { pipeline, user, manager } = this.#options
    const { auditor } = pipeline
    if (!auditor) return null
    const path = pathOf(kind, kind.namespaced ? at.namespace : '', at.name, subresource)
    const request = rawRequest({ method: METHODS[verb], path, query: verb === 'watch' ? { watch: 'true' } : {} }, user, manager)
    return auditor.begin(request, requestInfo(request.method, request.path, request.query))
  }

  async #call({ verb, kind, at, options, subresource = '', fieldSelector = '' }: AskedCall, trail: AuditTrail | null): Promise<Call> {
    options.signal?.throwIfAborted()
    const { pipeline, resources, user, manager } = this.#options
    const resource = resources.find(kind.group, kind.version, kind.resource)
    if (!resource) throw failure(404, 'NotFound', 'the server could not find the requested resource', {})
    const namespace = kind.namespaced ? (at.namespace ?? '') : ''
    await pipeline.authorize(this.#attributes(verb, kind, { namespace, name: at.name, subresource }, fieldSelector), trail)
    const call = { resource, namespace, name: at.name, subresource, user, manager, signal: options.signal ?? NEVER, warn() {} }
    return trail ? { ...call, ...notesOf(trail) } : call
  }
}

/** What is awaited, with its end noted. */
async function noting<R extends object | null | void>(trail: AuditTrail | null, code: number, work: () => Promise<R>): Promise<R> {
  if (!trail) return work()
  try {
    const result = await work()
    trail.answered(code, result ?? null)
    return result
  } catch (error) {
    noteFailure(trail, error)
    throw error
  }
}

function noteFailure(trail: AuditTrail | null, error: unknown): void {
  if (!trail || isAbort(error)) return
  const status = statusOf(error)
  trail.answered(status.code, status)
}

function socketWithEnd(socket: ChannelSocket, over: () => void): ChannelSocket {
  return {
    protocol: socket.protocol,
    messages: socket.messages,
    send: (message) => socket.send(message),
    async [Symbol.asyncDispose]() {
      over()
      await socket[Symbol.asyncDispose]()
    },
  }
}

function objectOf<T extends KubeObject>(answer: Answer): T {
  return (answer.type === 'entry' ? answer.entry.object : deepFreeze(answer.object)) as T
}

function parametersOf(options: WriteOptions): WriteParameters {
  return {
    dryRun: options.dryRun ?? false,
    fieldManager: options.fieldManager ?? '',
    // Of warnings nobody would hear.
    fieldValidation: options.fieldValidation ?? 'Ignore',
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
