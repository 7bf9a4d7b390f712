import { createServer as createHttpServer, type Server as HttpServer } from 'node:http'
import { createServer, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer, type TLSSocket } from 'node:tls'
import { once } from 'node:events'
import type { Clock } from '../../base/clock.ts'
import { FlotillaError, messageOf, systemCode } from '../../base/errors.ts'
import type { Logger } from '../../base/logger.ts'
import { denyAll, type PlainAnswer } from './grpc/router.ts'
import { Http2Connection } from './http2/connection.ts'
import { PREFACE } from './http2/frame.ts'
import type { Accept } from './http2/stream.ts'

/** Both PEM. */
export interface CertificatePair {
  readonly cert: string
  readonly key: string
}

export interface FaceTls {
  /** What the server shows; a replacement is taken over while it serves. */
  readonly serving: { readonly current: CertificatePair; onChange(listener: (pair: CertificatePair) => void): Disposable }
  /** PEM of who signs the certificates that clients need. */
  readonly clientCa: string
  /** Where given, only clients may do anything whose certificate names it as an organization (O). */
  readonly organization?: string
}

export interface ListenerDeps {
  readonly clock: Clock
  readonly logger: Logger
  /** Loopback by default; port 0 takes a free one. */
  readonly listen: { readonly host?: string; readonly port: number }
  /** Null: without TLS, for whoever can reach the port. */
  readonly tls: FaceTls | null
  readonly accept: Accept
  readonly plain: (method: string, path: string) => Promise<PlainAnswer>
}

/** How often connections are looked after, in milliseconds. */
const TICK = 10_000
/** How long requests that are under way at the end may take, in milliseconds. */
const FAREWELL = 5000
/** Of the protocol's first words, as much as tells it from HTTP/1. */
const TELLING = 4
const BACKLOG = 4096

/** A port that speaks HTTP/2 and HTTP/1, as etcd's client port. */
export class FaceListener implements AsyncDisposable {
  readonly #deps: ListenerDeps
  readonly #server: Server
  readonly #http: HttpServer
  readonly #connections = new Set<Http2Connection>()
  /** Connections on which nothing telling was said yet, and whether that was so at the last tick. */
  readonly #silent = new Map<Socket, boolean>()
  readonly #closing = new DisposableStack()
  #idle: (() => void) | null = null

  constructor(deps: ListenerDeps) {
    this.#deps = deps
    const { tls } = deps
    this.#server = tls ? this.#secureServer(tls) : createServer((socket) => this.#greet(socket))
    this.#http = createHttpServer((request, response) => {
      void deps.plain(request.method ?? '', request.url ?? '').then(({ status, type, body }) => {
        response.writeHead(status, { 'content-type': type, connection: 'close' }).end(body)
      })
    })
  }

  /** Resolves with the port. Rejects with FlotillaError `ADDRESS_IN_USE` or `INVALID_INPUT`. */
  async start(): Promise<number> {
    const { host = '127.0.0.1', port } = this.#deps.listen
    this.#server.listen({ host, port, backlog: BACKLOG })
    try {
      await once(this.#server, 'listening')
    } catch (error) {
      throw new FlotillaError(systemCode(error) === 'EADDRINUSE' ? 'ADDRESS_IN_USE' : 'INVALID_INPUT', {
        what: `The store cannot be served to etcd’s clients on ${host}:${port}.`,
        why: `${messageOf(error)}.`,
        next: 'Choose another port, or end the program that uses it.',
        cause: error,
      })
    }
    // Such as too many open files: the next connection may succeed.
    this.#server.on('error', (error) => this.#deps.logger.warn('a connection of an etcd client was not taken', { error }))
    this.#closing.use(this.#deps.clock.setInterval(() => this.#tick(), TICK, { unref: true }))
    const address = this.#server.address()
    return typeof address === 'object' && address ? address.port : port
  }

  /** No new requests are taken; those under way are answered, if they do not take too long. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.dispose()
    this.#server.close()
    this.#http.close()
    for (const socket of this.#silent.keys()) socket.destroy()
    for (const connection of this.#connections) connection.leave()
    if (this.#connections.size > 0) {
      const gone = new Promise<void>((resolve) => (this.#idle = resolve))
      using _patience = this.#deps.clock.setTimeout(() => {
        for (const connection of [...this.#connections]) connection.destroy()
      }, FAREWELL)
      await gone
    }
  }

  #secureServer(tls: FaceTls): Server {
    const secure = { ca: tls.clientCa, minVersion: 'TLSv1.2' } as const
    const client = { requestCert: true, rejectUnauthorized: true, ALPNProtocols: ['h2', 'http/1.1'] }
    const server = createTlsServer({ ...secure, ...client, ...tls.serving.current }, (socket) => {
      this.#greet(socket, tls.organization === undefined || isOf(socket, tls.organization))
    })
    this.#closing.use(tls.serving.onChange((pair) => server.setSecureContext({ ...secure, ...pair })))
    return server
  }

  /** Waits for the first words, which tell HTTP/2 from HTTP/1. */
  #greet(socket: Socket, allowed = true): void {
    this.#silent.set(socket, false)
    const forget = () => this.#silent.delete(socket)
    socket.on('error', forget).on('close', forget)
    let said: Buffer = Buffer.alloc(0)
    const listen = (bytes: Buffer) => {
      said = said.length === 0 ? bytes : Buffer.concat([said, bytes])
      if (said.length < TELLING) return
      socket.off('data', listen)
      forget()
      if (PREFACE.compare(said, 0, TELLING, 0, TELLING) === 0) this.#serve(socket, said, allowed)
      else if (!allowed) socket.end('HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\nconnection: close\r\n\r\n')
      else {
        socket.unshift(said)
        this.#http.emit('connection', socket)
      }
    }
    socket.on('data', listen)
  }

  #serve(socket: Socket, said: Buffer, allowed: boolean): void {
    const connection = new Http2Connection(socket, {
      clock: this.#deps.clock,
      accept: allowed ? this.#deps.accept : denyAll,
      onClose: (closed) => {
        this.#connections.delete(closed)
        if (this.#connections.size === 0) this.#idle?.()
      },
    })
    this.#connections.add(connection)
    connection.receive(said)
  }

  #tick(): void {
    for (const [socket, before] of this.#silent) {
      if (before) socket.destroy()
      else this.#silent.set(socket, true)
    }
    for (const connection of this.#connections) connection.tick()
  }
}

function isOf(socket: TLSSocket, organization: string): boolean {
  const names: string | readonly string[] | undefined = socket.getPeerCertificate().subject?.O
  return typeof names === 'string' ? names === organization : (names?.includes(organization) ?? false)
}
