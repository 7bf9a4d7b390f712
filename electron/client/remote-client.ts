import { WebSocket } from 'ws'
import { deferred } from '../base/async.ts'
import { deadline, sleep, type Clock } from '../base/clock.ts'
import type { Kind } from '../api/kind.ts'
import type { KubeObject } from '../api/meta/v1/object.ts'
import { StatusError } from '../machinery/status.ts'
import { readBody } from './bytes.ts'
import { channelSocket } from './channel-socket.ts'
import type { ChannelSocket, Client, RawRequest, RawResponse, WebSocketRequest } from './client.ts'
import { Decoder } from './decode.ts'
import { connectionError, isConnectionError, noAnswer, responseError } from './errors.ts'
import { lines } from './lines.ts'
import {
  createRequest,
  deleteCollectionRequest,
  deleteRequest,
  getRequest,
  listRequest,
  patchRequest,
  target,
  updateRequest,
  watchRequest,
} from './request.ts'
import { RefusedStream, responseOf } from './response.ts'
import { Transport, type ClientIdentity } from './transport.ts'

export interface RemoteClientOptions {
  /** "https://127.0.0.1:6443"; no path. */
  readonly server: string
  /** PEM of the authority that the server's certificate must come from; absent: the system's. */
  readonly ca?: string
  /** The name that the server's certificate must have, where it is not the URL's host. */
  readonly servername?: string
  /** Asked before each request, so that certificates and tokens may be rotated. Absent: anonymous. */
  readonly identity?: () => ClientIdentity | Promise<ClientIdentity>
  /** Acts as another user (Impersonate-User, Impersonate-Group). */
  readonly impersonate?: { readonly user: string; readonly groups?: readonly string[] }
  readonly userAgent?: string
  readonly clock: Clock
  /** Milliseconds: for the handshakes; for response headers, and for the whole of a typed call. Defaults 10 and 60 seconds. */
  readonly connectTimeout?: number
  readonly requestTimeout?: number
}

export interface RemoteClient extends Client, AsyncDisposable {}

/** A server asks for patience at most so often before its answer is handed on (as client-go). */
const MOST_RETRIES = 10
const CLOSE_TIMEOUT = 2_000

/**
 * The client over HTTPS. Reads that break with their connection are tried once more; whatever the server answers with `Retry-After`
 * is tried again after that time. Everything else is the caller's decision.
 */
export function createRemoteClient(options: RemoteClientOptions): RemoteClient {
  const { clock, connectTimeout = 10_000, requestTimeout = 60_000, userAgent = 'flotilla' } = options
  const server = new URL(options.server)
  const transport = new Transport({
    server: server.origin,
    ca: options.ca,
    servername: options.servername,
    clock,
    connectTimeout,
  })
  const decoder = new Decoder()
  const identify = async (): Promise<ClientIdentity> => (await options.identity?.()) ?? {}
  const common = (identity: ClientIdentity): Record<string, string | string[]> => ({
    'user-agent': userAgent,
    ...(identity.token ? { authorization: `Bearer ${identity.token}` } : {}),
    ...(options.impersonate ? { 'impersonate-user': options.impersonate.user } : {}),
    ...(options.impersonate?.groups?.length ? { 'impersonate-group': [...options.impersonate.groups] } : {}),
  })

  const once = async (request: RawRequest, what: string): Promise<RawResponse> => {
    const identity = await identify()
    request.signal?.throwIfAborted()
    const headers = {
      ':method': request.method,
      ':path': target(request),
      accept: 'application/json',
      ...common(identity),
      ...request.headers,
    }
    const stream = await transport.request(headers, identity, what, request.body === undefined, request.signal)
    const response = responseOf(stream, { clock, timeout: requestTimeout, signal: request.signal, what })
    if (request.body !== undefined) stream.end(request.body)
    return response
  }

  const request = async (raw: RawRequest): Promise<RawResponse> => {
    const what = `${raw.method} ${server.origin}${target(raw)}`
    let broken = false
    for (let retries = 0; ;) {
      try {
        const response = await once(raw, what)
        const wait = Number(response.headers['retry-after'])
        if (!(response.status === 429 || response.status >= 500) || !(wait >= 0) || retries >= MOST_RETRIES) return response
        retries++
        await response.body[Symbol.asyncDispose]()
        await sleep(clock, wait * 1000, raw.signal)
      } catch (error) {
        const again = error instanceof RefusedStream || (raw.method === 'GET' && isBroken(error))
        if (broken || !again) throw error instanceof RefusedStream ? connectionError(what, error) : error
        broken = true
      }
    }
  }

  /** The parsed body of a successful answer. */
  const call = async (raw: RawRequest): Promise<unknown> => {
    using limit = deadline(clock, requestTimeout, raw.signal)
    const what = `${raw.method} ${raw.path}`
    try {
      const response = await request({ ...raw, signal: limit.signal })
      const body = await readBody(response)
      if (response.status >= 400) throw responseError(response.status, body, what)
      return body.length ? (JSON.parse(body.toString('utf8')) as unknown) : {}
    } catch (error) {
      if (limit.signal.aborted && !raw.signal?.aborted && !(error instanceof StatusError)) throw noAnswer(what, requestTimeout)
      throw error instanceof SyntaxError ? connectionError(what, error) : error
    }
  }

  return {
    request,
    get: async (kind, at, o) => decoder.object(kind, await call(getRequest(kind, at, o))),
    list: async (kind, o) => decoder.list(kind, await call(listRequest(kind, o))),
    create: async (kind, object, o) => decoder.object(kind, await call(createRequest(kind, object, o))),
    update: async (kind, object, o) => decoder.object(kind, await call(updateRequest(kind, object, o))),
    patch: async (kind, at, patch, o) => decoder.object(kind, await call(patchRequest(kind, at, patch, o))),
    delete: async <T extends KubeObject>(kind: Kind<T>, at: Parameters<Client['delete']>[1], o?: Parameters<Client['delete']>[2]) => {
      const answer = await call(deleteRequest(kind, at, o))
      return (answer as KubeObject).kind === 'Status' ? null : decoder.object(kind, answer)
    },
    deleteCollection: async (kind, o) => void (await call(deleteCollectionRequest(kind, o))),
    async *watch(kind, o) {
      const raw = watchRequest(kind, o)
      const response = await request(raw)
      if (response.status >= 400) throw responseError(response.status, await readBody(response), `watch ${raw.path}`)
      o?.onOpen?.()
      for await (const line of lines(response.body)) yield decoder.event(kind, line)
    },
    async websocket(wanted) {
      const identity = await identify()
      return openWebSocket(wanted, {
        url: `${server.origin.replace(/^http/, 'ws')}${target(wanted)}`,
        headers: common(identity),
        tls: transport.tls(identity),
        timeout: connectTimeout,
      })
    },
    [Symbol.asyncDispose]: () => transport[Symbol.asyncDispose](),
  }
}

/** The connection was there and broke, rather than could not be made: a new one may do. */
function isBroken(error: unknown): boolean {
  if (!isConnectionError(error)) return false
  const { cause } = error as StatusError
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : ''
  return code !== 'ECONNREFUSED' && code !== 'ENOTFOUND' && !/CERT|SSL|TLS/.test(code)
}

function openWebSocket(
  request: WebSocketRequest,
  options: { url: string; headers: Record<string, string | string[]>; tls: object; timeout: number },
): Promise<ChannelSocket> {
  const { signal } = request
  const what = `WebSocket ${request.path}`
  signal?.throwIfAborted()
  const opened = deferred<ChannelSocket>()
  const socket = new WebSocket(options.url, [...request.protocols], {
    ...options.tls,
    ...{ closeTimeout: CLOSE_TIMEOUT },
    // Node takes lists for repeated headers; the declaration of ws knows of strings only.
    headers: options.headers as Record<string, string>,
    handshakeTimeout: options.timeout,
    perMessageDeflate: false,
  })
  const onAbort = () => {
    opened.reject(signal?.reason)
    socket.terminate()
  }
  signal?.addEventListener('abort', onAbort, { once: true })
  socket.once('close', () => signal?.removeEventListener('abort', onAbort))
  socket.once('open', () => opened.resolve(channelSocket(socket, what)))
  socket.on('error', (error) => opened.reject(connectionError(what, error)))
  socket.once('unexpected-response', (_request, response) => {
    const parts: Buffer[] = []
    response.on('data', (part: Buffer) => parts.push(part))
    response.once('end', () => {
      opened.reject(responseError(response.statusCode ?? 0, Buffer.concat(parts), what))
      socket.terminate()
    })
  })
  return opened.promise
}
