/**
 * What the API server asks of a node: logs, commands, ports and figures of its pods, over mutual TLS. Paths and parameters are those of
 * a kubelet. Nobody but the API server is let in.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { Duplex } from 'node:stream'
import type { TLSSocket } from 'node:tls'
import { messageOf, systemCode, FlotillaError } from '../../base/errors.ts'
import { component, componentWith } from '../../base/lifecycle.ts'
import type { Component } from '../../base/lifecycle.ts'
import type { Logger } from '../../base/logger.ts'
import { HttpError } from './http-error.ts'

/** A certificate that may be replaced while it is in use. */
export interface ServingIdentity {
  /** PEM; null while there is none yet. */
  readonly current: { readonly cert: string; readonly key: string } | null
  onChange(listener: () => void): Disposable
}

export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /** Parts of the path; one that is "*" stands for any. */
  readonly path: string
  handle(request: RouteRequest & { readonly body: AsyncIterable<Uint8Array> }, response: ServerResponse): Promise<void>
}

export interface UpgradeRoute {
  readonly path: string
  upgrade(request: RouteRequest, socket: Duplex, head: Buffer, message: IncomingMessage): Promise<void>
}

export interface RouteRequest {
  /** What stood where the route's path has "*", decoded. */
  readonly parts: readonly string[]
  readonly query: URLSearchParams
  /** Aborts when the client goes away. */
  readonly signal: AbortSignal
}

export interface AgentServerDeps {
  readonly host?: string
  readonly port: number
  /** PEM of the cluster's authority. */
  readonly caPem: string
  readonly identity: ServingIdentity
  readonly logger: Logger
  readonly routes: readonly Route[]
  readonly upgrades: readonly UpgradeRoute[]
}

export interface AgentServer extends Component {
  /** The port in use; 0 before it listens. */
  readonly port: number
}

const API_SERVER = 'kube-apiserver-kubelet-client'

/** Listens as soon as there is a certificate; `start` does not wait for that. */
export function createAgentServer(deps: AgentServerDeps): AgentServer {
  const { caPem, identity, logger } = deps
  const server = createServer({ ca: caPem, requestCert: true, rejectUnauthorized: true, minVersion: 'TLSv1.2' })
  server.keepAliveTimeout = 120_000
  server.on('request', (request, response) => void answer(request, response))
  server.on('upgrade', (request, socket, head) => void upgrade(request, socket, head))
  server.on('tlsClientError', (error) => logger.debug('a client was not let in', { error: messageOf(error) }))

  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    try {
      admit(request)
      const gone = new AbortController()
      response.once('close', () => gone.abort(new DOMException('the client went away', 'AbortError')))
      const { route, parts, query } = find(deps.routes, request, request.method === 'HEAD' ? 'GET' : request.method)
      await route.handle({ parts, query, signal: gone.signal, body: request }, response)
    } catch (error) {
      const status = error instanceof HttpError ? error.status : 500
      if (status === 500) logger.warn('a request failed', { path: request.url, error: messageOf(error) })
      if (response.headersSent) return void response.destroy()
      response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' }).end(`${messageOf(error)}\n`)
    }
  }

  const upgrade = async (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => socket.destroy())
    try {
      admit(request)
      const gone = new AbortController()
      socket.once('close', () => gone.abort(new DOMException('the client went away', 'AbortError')))
      const { route, parts, query } = find(deps.upgrades, request)
      await route.upgrade({ parts, query, signal: gone.signal }, socket, head, request)
    } catch (error) {
      const status = error instanceof HttpError ? error.status : 500
      const body = `${messageOf(error)}\n`
      const headers = `content-type: text/plain; charset=utf-8\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close`
      socket.end(`HTTP/1.1 ${status} ${status === 500 ? 'Internal Server Error' : 'Refused'}\r\n${headers}\r\n\r\n${body}`)
      // What is not read hides that the client has left.
      socket.resume()
    }
  }

  const useIdentity = () => {
    if (identity.current) server.setSecureContext({ ...identity.current, ca: caPem })
  }

  const base = component(async (stack) => {
    useIdentity()
    const listening = new Promise<void>((resolve, reject) => {
      server.once('error', (error) => reject(listenError(error, deps.port)))
      server.listen(deps.port, deps.host, () => resolve())
    })
    stack.defer(async () => {
      server.closeAllConnections()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    })
    await listening
    stack.use(identity.onChange(useIdentity))
  })

  return componentWith(base, {
    get port() {
      const address = server.address()
      return typeof address === 'object' && address !== null ? address.port : 0
    },
  })
}

/** TLS has checked that the certificate is the cluster's; only one of them is the API server's. */
function admit(request: IncomingMessage): void {
  const { subject } = (request.socket as TLSSocket).getPeerCertificate()
  if (subject?.CN !== API_SERVER)
    throw new HttpError(403, `only the API server may ask this node; this is ${JSON.stringify(subject?.CN ?? '')}`)
}

function find<R extends { readonly path: string; readonly method?: string }>(
  routes: readonly R[],
  request: IncomingMessage,
  method?: string,
) {
  const url = new URL(request.url ?? '/', 'https://node')
  const segments = url.pathname.split('/')
  let known = false
  for (const route of routes) {
    const parts = match(route.path.split('/'), segments)
    if (!parts) continue
    known = true
    if (method === undefined || route.method === method) return { route, parts, query: url.searchParams }
  }
  throw known ? new HttpError(405, `${request.method} is not supported here`) : new HttpError(404, '404 page not found')
}

function match(pattern: readonly string[], segments: readonly string[]): string[] | null {
  if (pattern.length !== segments.length) return null
  const parts: string[] = []
  for (const [i, part] of pattern.entries()) {
    const segment = segments[i] ?? ''
    if (part === '*') parts.push(decodeURIComponent(segment))
    else if (part !== segment) return null
  }
  return parts
}

function listenError(error: unknown, port: number): unknown {
  if (systemCode(error) !== 'EADDRINUSE') return error
  return new FlotillaError('ADDRESS_IN_USE', {
    what: `The agent could not listen on port ${port}.`,
    why: 'Another program uses it.',
    next: 'End that program (a kubelet perhaps), then start the agent again.',
    cause: error,
  })
}
