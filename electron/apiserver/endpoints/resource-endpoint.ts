/** HTTP requests for stored objects: query and body in, encoded answer out. */
import type { AnyKind } from '../../api/kind.ts'
import type { Clock } from '../../base/clock.ts'
import type { Random } from '../../base/random.ts'
import { PATCH_TYPES } from '../../machinery/patch/request.ts'
import { expired, hasReason } from '../../machinery/status.ts'
import { Bookmark, CacheWatch, type WatchItem } from '../cache/cache-watch.ts'
import type { ListResult } from '../cache/list.ts'
import { WatchSession } from '../cache/watch-session.ts'
import { bookmarkObject, encodeEntry, encodeItem, encodeLine, encodeList, encodeValue } from '../http/encode.ts'
import { mediaType, type Negotiator, type Output, unsupportedMediaType } from '../http/negotiate.ts'
import { genericFailure } from '../http/response.ts'
import { bookmarkTransform, eventTransform, type TransformContext, transformList, transformObject } from '../http/transform.ts'
import type { Deletion } from '../registry/before-delete.ts'
import type { KindTypes } from '../registry/kind-types.ts'
import type { PatchRequest } from '../registry/patch.ts'
import type { Call } from '../registry/registry.ts'
import type { ApiRequest, ApiResponse } from '../types.ts'
import { bytesBody } from './body.ts'
import { deletionFromBody } from './deletion.ts'
import { deletionFromQuery, integer, listQuery, writeParameters } from './query.ts'
import type { Answer, Verbs } from './verbs.ts'
import { WatchStream } from './watch-stream.ts'

/** Bytes of a request's body that are read at most; upstream's limit. */
export const MAX_BODY = 3 << 20
const MIN_WATCH_SECONDS = 1800

const PATCHES: Readonly<Record<string, PatchRequest['type']>> = { ...PATCH_TYPES, 'application/apply-patch+yaml': 'apply' }

export interface ResourceEndpointOptions {
  readonly verbs: Verbs
  readonly types: KindTypes
  readonly negotiator: Negotiator
  readonly clock: Clock
  readonly random: Random
}

export class ResourceEndpoint {
  readonly #verbs: Verbs
  readonly #types: KindTypes
  readonly #negotiator: Negotiator
  readonly #clock: Clock
  readonly #random: Random

  constructor(options: ResourceEndpointOptions) {
    this.#verbs = options.verbs
    this.#types = options.types
    this.#negotiator = options.negotiator
    this.#clock = options.clock
    this.#random = options.random
  }

  async serve(verb: string, call: Call, request: ApiRequest): Promise<ApiResponse> {
    const { query } = request
    const output = this.#negotiator.output(request.headers, query, true)
    switch (verb) {
      case 'get':
        return this.#answer(call, request, await this.#verbs.get(call, query.get('resourceVersion') ?? ''), output)
      case 'list':
        return this.#list(call, request, await this.#verbs.list(call, listQuery(query)), output)
      case 'watch':
        return this.#watch(call, request, output)
      case 'create': {
        const parameters = writeParameters(query, 'CreateOptions')
        return this.#answer(call, request, await this.#verbs.create(call, await this.#body(request), parameters), output)
      }
      case 'update': {
        const parameters = writeParameters(query, 'UpdateOptions')
        return this.#answer(call, request, await this.#verbs.update(call, await this.#body(request), parameters), output)
      }
      case 'patch':
        return this.#patch(call, request, output)
      case 'delete':
        return this.#answer(call, request, await this.#verbs.delete(call, await this.#deletion(request)), output)
      case 'deletecollection': {
        const wanted = listQuery(query)
        return this.#list(call, request, await this.#verbs.deleteCollection(call, wanted, await this.#deletion(request)), output)
      }
      default:
        throw genericFailure(405)
    }
  }

  #answer(call: Call, request: ApiRequest, answer: Answer, output: Output): ApiResponse {
    if (answer.type === 'object') return encodeValue(answer.object, output, answer.code)
    const context = this.#transform(request, output)
    if (answer.type === 'part') {
      return encodeValue(context ? transformObject(answer.kind, answer.object, context) : answer.object, output, answer.code)
    }
    if (!context) return encodeEntry(answer.entry, output, answer.code)
    return encodeValue(transformObject(call.resource.kind, answer.entry.object, context), output, answer.code)
  }

  #list(call: Call, request: ApiRequest, result: ListResult, output: Output): ApiResponse {
    const context = this.#transform(request, output)
    if (!context) return encodeList(call.resource, result, output)
    return encodeValue(transformList(call.resource, result, context), output, 200)
  }

  #transform(request: ApiRequest, output: Output): TransformContext | null {
    const { transform } = output
    return transform && { output: { ...output, transform }, query: request.query, now: this.#clock.now() }
  }

  async #body(request: ApiRequest) {
    return bytesBody(await request.body(MAX_BODY), request.headers['content-type'])
  }

  async #patch(call: Call, request: ApiRequest, output: Output): Promise<ApiResponse> {
    const type = PATCHES[mediaType(request.headers['content-type'])]
    const { custom } = call.resource.kind
    if (!type || (type === 'strategic' && custom)) {
      throw unsupportedMediaType(Object.keys(PATCHES).filter((one) => !custom || PATCHES[one] !== 'strategic'))
    }
    const bytes = await request.body(MAX_BODY)
    const parameters = writeParameters(request.query, 'PatchOptions', type === 'apply')
    return this.#answer(call, request, await this.#verbs.patch(call, { type, body: bytes }, parameters), output)
  }

  async #deletion(request: ApiRequest): Promise<Deletion> {
    const bytes = await request.body(MAX_BODY)
    if (bytes.length === 0) return deletionFromQuery(request.query)
    return deletionFromBody(this.#types, bytes, request.headers['content-type'])
  }

  async #watch(call: Call, request: ApiRequest, output: Output): Promise<ApiResponse> {
    const query = listQuery(request.query)
    const seconds = integer(request.query, 'timeoutSeconds') || MIN_WATCH_SECONDS * (1 + this.#random.float())
    const watch = await this.#verbs.watch(call, query).catch((error: unknown) => refusedWatch(error))
    const { cache } = call.resource.storage
    const session = new WatchSession({
      watch,
      revision: () => cache.revision,
      clock: this.#clock,
      timeoutMs: seconds * 1000,
      bookmarks: query.allowWatchBookmarks,
      signal: request.signal,
    })
    const body = new WatchStream(session, this.#itemEncoder(call, this.#transform(request, output)))
    return { status: 200, headers: { 'content-type': 'application/json' }, body }
  }

  #itemEncoder({ resource }: Call, context: TransformContext | null): (item: WatchItem) => Buffer {
    if (!context) return (item) => encodeItem(resource, item)
    const transform = eventTransform(resource, context, () => this.#clock.now())
    return (item) => {
      if (item instanceof Bookmark) return encodeLine('BOOKMARK', bookmarkTransform(resource, bookmarkObject(resource, item), context))
      return encodeLine(item.type, transform(item))
    }
  }
}

/** A watch from too far back is accepted, and ends with its error at once: so do upstream's. */
function refusedWatch(error: unknown): CacheWatch {
  if (!hasReason(error, 'Expired')) throw error
  const watch = new CacheWatch({ prefix: '', matches: null }, 0, () => {})
  watch.fail(expired(error instanceof Error ? error.message : String(error)))
  return watch
}

/** Whether the kind has the verb, for the whole object or for the subresource. */
export function allows(kind: AnyKind, subresource: string, verb: string): boolean {
  const verbs: readonly string[] = subresource ? (kind.subresources[subresource]?.verbs ?? []) : kind.verbs
  return verbs.includes(verb)
}
