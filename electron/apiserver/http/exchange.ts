/** One request and its answer, whichever version of HTTP carries them. */
import type { Clock } from '../../base/clock.ts'
import type { Logger } from '../../base/logger.ts'
import type { Random } from '../../base/random.ts'
import type { Readable } from 'node:stream'
import { timedOut } from '../../machinery/status.ts'
import { WatchStream, type Sink } from '../endpoints/watch-stream.ts'
import type { ApiRequest, ApiResponse, Credentials, Origin, UnauthenticatedRequest, UserInfo } from '../types.ts'
import { requestCredentials } from './credentials.ts'
import { compress, worthCompressing } from './gzip.ts'
import { HttpRequest } from './http-request.ts'
import { ListBody } from './list-body.ts'
import { failureResponse } from './response.ts'

export type Headers = Record<string, string | readonly string[]>

/** The answering half of a stream. */
export interface Reply {
  /** Sends the head; `body` is the whole of it, or null if a stream follows. */
  head(status: number, headers: Headers, body: Uint8Array | null): void
  readonly sink: Sink
  /** Everything has been handed over: what happens to the connection is no longer the request's concern. */
  readonly complete: boolean
  /** Breaks the stream off: what was sent is not whole. */
  destroy(): void
}

export interface HttpServiceOptions {
  /** Never null: anonymous is a user. Throws StatusError 401. */
  readonly authenticate: (credentials: Credentials) => Promise<UserInfo>
  /** Told of requests whose credentials do not hold. */
  readonly unauthenticated: (request: UnauthenticatedRequest) => void
  /** Never rejects. */
  readonly handle: (request: ApiRequest) => Promise<ApiResponse>
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}

export interface Incoming {
  readonly method: string
  /** As in the request line. */
  readonly target: string
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly stream: Readable
  readonly connection: Credentials
  /** Who is connected. */
  readonly socket: { readonly remoteAddress?: string | undefined }
}

const REQUEST_MS = 60_000

/** The requests of one listener. */
export class HttpService {
  readonly #options: HttpServiceOptions
  readonly #idle = new Set<() => void>()
  /** Whose answers are not over, without those that have no end of their own. */
  readonly #open = new Set<Reply>()
  readonly #watches = new Set<WatchStream>()
  #draining = false

  constructor(options: HttpServiceOptions) {
    this.#options = options
  }

  /** No more requests are wanted: connections end with the answer that they wait for. */
  get draining(): boolean {
    return this.#draining
  }

  /** Ends watches as if their time were over; resolves once all answers have left. */
  drain(): Promise<void> {
    this.#draining = true
    for (const watch of this.#watches) watch.finish()
    if (this.#open.size === 0) return Promise.resolve()
    return new Promise((resolve) => this.#idle.add(resolve))
  }

  /** To be told when the answer has left, or its client has. */
  closed(reply: Reply): void {
    if (!this.#open.delete(reply) || this.#open.size > 0) return
    for (const resolve of this.#idle) resolve()
    this.#idle.clear()
  }

  /** Rejects with Status 401 for credentials that do not hold. */
  async authenticated(incoming: Incoming, origin = new SocketOrigin(incoming, this.#auditId(incoming))): Promise<HttpRequest> {
    const end = incoming.target.indexOf('?')
    const path = end < 0 ? incoming.target : incoming.target.slice(0, end)
    let user: UserInfo
    try {
      user = await this.#options.authenticate({ ...requestCredentials(incoming.connection, incoming.headers), path })
    } catch (error) {
      this.#options.unauthenticated({ method: incoming.method, target: incoming.target, headers: incoming.headers, origin })
      throw error
    }
    return new HttpRequest(incoming.method, incoming.target, incoming.headers, incoming.stream, user, origin)
  }

  #auditId({ headers }: Incoming): string {
    return headers['audit-id'] || this.#options.random.uuid()
  }

  /** `onRequest` learns whom to tell when the client goes away. */
  async serve(incoming: Incoming, reply: Reply, onRequest: (request: HttpRequest) => void): Promise<void> {
    this.#open.add(reply)
    const auditId = this.#auditId(incoming)
    let response: ApiResponse
    try {
      const request = await this.authenticated(incoming, new SocketOrigin(incoming, auditId))
      onRequest(request)
      response = await this.#answer(request)
    } catch (error) {
      response = failureResponse(error)
    }
    if (!hasEnd(response.body)) this.closed(reply)
    try {
      await this.#send(incoming, auditId, response, reply)
    } catch (error) {
      this.#options.logger.warn('an answer broke off', { error, path: incoming.target })
      reply.destroy()
    }
  }

  async #answer(request: HttpRequest): Promise<ApiResponse> {
    const { clock, handle } = this.#options
    if (isLongRunning(request)) return handle(request)
    const { promise, resolve } = Promise.withResolvers<ApiResponse>()
    const timer = clock.setTimeout(
      () => {
        request.abort(timedOut('request did not complete within the allotted timeout'))
        resolve(failureResponse(timedOut('request did not complete within the allotted timeout')))
      },
      requestTimeout(request),
      { unref: true },
    )
    void handle(request).then(resolve)
    try {
      return await promise
    } finally {
      timer[Symbol.dispose]()
    }
  }

  async #send(incoming: Incoming, auditId: string, response: ApiResponse, reply: Reply): Promise<void> {
    const headers: Headers = {
      'audit-id': auditId,
      'cache-control': 'no-cache, private',
      ...response.headers,
    }
    const { body, status } = response
    if (body instanceof Uint8Array || body instanceof ListBody) return this.#sized(incoming, status, headers, body, reply)
    reply.head(status, headers, null)
    if (body instanceof WatchStream) {
      this.follow(body)
      return body.pump(reply.sink)
    }
    for await (const chunk of body) {
      const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
      await new Promise<void>((resolve) => {
        if (reply.sink.write(bytes, resolve)) resolve()
      })
    }
    reply.sink.end()
  }

  /** What is as long as it says: the client may want it packed, or only its head. */
  async #sized(incoming: Incoming, status: number, headers: Headers, body: Uint8Array | ListBody, reply: Reply): Promise<void> {
    const lengthy = { ...headers, 'content-length': String(body.length) }
    if (incoming.method === 'HEAD') return reply.head(status, lengthy, new Uint8Array())
    if (status === 200 && worthCompressing(body, incoming.headers['accept-encoding'])) {
      const packed = await compress(body instanceof ListBody ? body.whole() : body)
      return reply.head(status, { ...headers, 'content-encoding': 'gzip', vary: 'Accept-Encoding' }, packed)
    }
    if (body instanceof Uint8Array) return reply.head(status, headers, body)
    reply.head(status, lengthy, null)
    body.pump(reply.sink)
  }

  /** It is ended when the server drains. */
  follow(body: WatchStream): void {
    this.#watches.add(body)
    body.onClose(() => this.#watches.delete(body))
    if (this.#draining) body.finish()
  }
}

class SocketOrigin implements Origin {
  readonly auditId: string
  readonly #incoming: Incoming

  constructor(incoming: Incoming, auditId: string) {
    this.#incoming = incoming
    this.auditId = auditId
  }

  get target(): string {
    return this.#incoming.target
  }

  get address(): string {
    return this.#incoming.socket.remoteAddress ?? ''
  }
}

/** What follows a container, or goes on at a node, lasts as long as the client wants. */
function hasEnd(body: ApiResponse['body']): boolean {
  return body instanceof Uint8Array || body instanceof ListBody || body instanceof WatchStream
}

/** Watches and connections to nodes have no end of their own, and so no time limit. */
function isLongRunning({ query, path }: ApiRequest): boolean {
  return (query.size > 0 && (query.has('watch') || query.has('follow'))) || /\/(watch|proxy|log|exec|attach|portforward)(\/|$)/.test(path)
}

/** `timeout` of the query as Go writes durations ("30s", "1m30s"), but no longer than a minute. */
function requestTimeout({ query }: ApiRequest): number {
  const asked = query.size > 0 ? query.get('timeout') : null
  const match = asked ? /^(?:(\d+)m)?(?:(\d+)s)?$/.exec(asked) : null
  const ms = match ? (Number(match[1] ?? 0) * 60 + Number(match[2] ?? 0)) * 1000 : 0
  return ms > 0 ? Math.min(ms, REQUEST_MS) : REQUEST_MS
}
