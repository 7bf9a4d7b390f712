/** HTTP/1.1 over TLS connections that were made elsewhere, and upgrades on it. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { TLSSocket } from 'node:tls'
import type { Credentials } from '../types.ts'
import { connectionCredentials } from './credentials.ts'
import type { Headers, HttpService, Incoming, Reply } from './exchange.ts'
import type { HttpRequest } from './http-request.ts'
import { withImpersonationLines } from './repeated-headers.ts'

export interface Http1Options {
  readonly service: HttpService
  /** Takes the socket of a request that asks for another protocol. */
  readonly upgrade: (incoming: Incoming, socket: Duplex, head: Buffer) => void
  /** How long the head of a request may take, in milliseconds, and how often that is looked at; by default upstream's ReadHeaderTimeout. */
  readonly patience?: { readonly headMs: number; readonly checkMs: number }
}

const PATIENCE = { headMs: 32_000, checkMs: 5000 }

/** Hand it connections with `emit('connection', socket)`, and close it. */
export function createHttp1(options: Http1Options): Server {
  const { headMs, checkMs } = options.patience ?? PATIENCE
  const connections = new WeakMap<Duplex, Credentials>()
  const credentialsOf = (socket: Duplex) => {
    let known = connections.get(socket)
    if (!known) connections.set(socket, (known = connectionCredentials(socket as TLSSocket)))
    return known
  }
  const incomingOf = (message: IncomingMessage): Incoming => ({
    method: message.method ?? 'GET',
    target: message.url ?? '/',
    headers: withImpersonationLines(message.headers as Incoming['headers'], message.rawHeaders),
    stream: message,
    connection: credentialsOf(message.socket),
    socket: message.socket,
  })
  const server = createServer(
    { keepAliveTimeout: 0, requestTimeout: 0, headersTimeout: headMs, connectionsCheckingInterval: checkMs },
    (message, response) => {
      let request: HttpRequest | null = null
      const reply = replyOf(message, response, options.service)
      response.once('close', () => {
        options.service.closed(reply)
        if (!reply.complete) request?.abort()
      })
      void options.service.serve(incomingOf(message), reply, (made) => (request = made))
    },
  )
  // It never listens itself, and without this would follow no connection: none would be idle, and no head too late.
  server.emit('listening')
  server.on('upgrade', (message, socket, head) => options.upgrade(incomingOf(message), socket, head))
  return server
}

function replyOf(message: IncomingMessage, response: ServerResponse, service: HttpService): Reply {
  let complete = false
  return {
    get complete() {
      return complete
    },
    head(status, headers, body) {
      complete = body !== null
      if (response.destroyed) return
      const unread = !message.complete
      // A body that nobody wanted would be taken for the next request.
      if (unread || service.draining) headers = { ...headers, connection: 'close' }
      if (!body) {
        response.writeHead(status, plain(headers))
        response.flushHeaders()
        return
      }
      response.writeHead(status, { 'content-length': body.length, ...plain(headers) })
      response.end(body)
      if (unread) message.resume()
    },
    sink: {
      write(bytes, drained) {
        if (response.destroyed) return false
        if (response.write(bytes)) return true
        response.once('drain', drained)
        return false
      },
      end() {
        complete = true
        response.end()
      },
    },
    destroy: () => void response.destroy(),
  }
}

function plain(headers: Headers): Record<string, string | string[]> {
  return headers as Record<string, string | string[]>
}
