/** HTTP/2 over TLS connections that were made elsewhere. */
import { constants, createServer, type Http2Server, type Http2Session, type ServerHttp2Stream } from 'node:http2'
import type { TLSSocket } from 'node:tls'
import type { Credentials } from '../types.ts'
import { connectionCredentials } from './credentials.ts'
import type { HttpService, Reply } from './exchange.ts'
import type { HttpRequest } from './http-request.ts'
import { withImpersonationLines } from './repeated-headers.ts'

/** Each watch is a stream for as long as it lasts, and an informer factory opens many. */
const MAX_STREAMS = 10_000
/** In megabytes. Node's own limit of 10 refuses streams to a client that lists while it has a few hundred watches. */
const MAX_SESSION_MEMORY = 1_000

export interface Http2 {
  readonly server: Http2Server
  readonly sessions: ReadonlySet<Http2Session>
}

/** Hand it connections with `server.emit('connection', socket)`. */
export function createHttp2(service: HttpService): Http2 {
  const sessions = new Set<Http2Session>()
  const connections = new WeakMap<Http2Session, Credentials>()
  const server = createServer({ settings: { maxConcurrentStreams: MAX_STREAMS }, maxSessionMemory: MAX_SESSION_MEMORY })
  server.on('session', (session) => {
    sessions.add(session)
    session.once('close', () => sessions.delete(session))
  })
  server.on('sessionError', () => {})
  server.on('stream', (stream, headers, _flags, raw) => {
    const { session } = stream
    if (!session) return
    let connection = connections.get(session)
    if (!connection) connections.set(session, (connection = connectionCredentials(session.socket as TLSSocket)))
    let request: HttpRequest | null = null
    const reply = replyOf(stream)
    stream.once('close', () => {
      service.closed(reply)
      if (!reply.complete) request?.abort()
    })
    stream.on('error', () => request?.abort())
    const incoming = {
      method: headers[':method'] ?? 'GET',
      target: headers[':path'] ?? '/',
      headers: withImpersonationLines(headers as Readonly<Record<string, string | undefined>>, raw),
      stream,
      connection,
      socket: session.socket,
    }
    void service.serve(incoming, reply, (made) => (request = made))
  })
  return { server, sessions }
}

/** Resolves when a session is over, in order or by an error of its client: that is no reason not to end the others. */
export function closeOf(session: Pick<Http2Session, 'once'>): Promise<void> {
  return new Promise((resolve) => session.once('close', resolve))
}

function replyOf(stream: ServerHttp2Stream): Reply {
  let complete = false
  return {
    get complete() {
      return complete
    },
    head(status, headers, body) {
      complete = body !== null
      if (stream.destroyed || stream.closed) return
      const head = { ':status': status, ...headers }
      if (!body || body.length === 0) {
        stream.respond(head, { endStream: body !== null })
      } else {
        stream.respond({ ...head, 'content-length': body.length })
        stream.end(body)
      }
      // A stream closes once its request has been read, too.
      if (!stream.readableEnded) stream.resume()
    },
    sink: {
      write(bytes, drained) {
        if (stream.destroyed || stream.closed) return false
        if (stream.write(bytes)) return true
        stream.once('drain', drained)
        return false
      },
      end() {
        complete = true
        if (!stream.destroyed) stream.end()
      },
    },
    destroy: () => stream.close(constants.NGHTTP2_INTERNAL_ERROR),
  }
}
