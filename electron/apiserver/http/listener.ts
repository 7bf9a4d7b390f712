/** One TLS port for HTTP/2 and HTTP/1.1. Client certificates are asked for, not required. */
import { createServer, type Server, type TLSSocket } from 'node:tls'
import type { AddressInfo } from 'node:net'
import { FlotillaError, messageOf, systemCode } from '../../base/errors.ts'
import { sleep, type Clock } from '../../base/clock.ts'
import { createHttp1, type Http1Options } from './http1.ts'
import { closeOf, createHttp2 } from './http2.ts'
import type { HttpService } from './exchange.ts'

export interface ServingCertificate {
  readonly current: { readonly cert: string; readonly key: string }
  onChange(listener: (pair: { readonly cert: string; readonly key: string }) => void): Disposable
}

export interface ListenOptions {
  readonly host: string
  /** 0: the system chooses. */
  readonly port: number
  readonly tls: {
    readonly serving: ServingCertificate
    /** PEM of the authorities whose client certificates are believed. */
    readonly clientCa: string
  }
}

export interface Listening extends AsyncDisposable {
  readonly host: string
  readonly port: number
}

/** How long requests under way may take when the server stops, in milliseconds; and the last bytes to leave. */
const GRACE_MS = 5000
const FLUSH_MS = 250

export interface ListenerDeps {
  readonly service: HttpService
  readonly upgrade: Http1Options['upgrade']
  readonly clock: Clock
}

/** Throws FlotillaError `ADDRESS_IN_USE`. Disposing lets requests under way finish and ends watches in order; other streams are cut. */
export async function listen(options: ListenOptions, deps: ListenerDeps): Promise<Listening> {
  const { serving, clientCa } = options.tls
  const http1 = createHttp1(deps)
  const http2 = createHttp2(deps.service)
  const sockets = new Set<TLSSocket>()
  const secure = { ca: clientCa, minVersion: 'TLSv1.2' as const }
  const server = createServer({
    ...secure,
    ...serving.current,
    requestCert: true,
    rejectUnauthorized: false,
    ALPNProtocols: ['h2', 'http/1.1'],
  })
  server.on('tlsClientError', (_error, socket) => void socket.destroy())
  server.on('secureConnection', (socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
    socket.on('error', () => socket.destroy())
    socket.setNoDelay(true)
    const protocol = socket.alpnProtocol === 'h2' ? http2.server : http1
    protocol.emit('connection', socket)
  })
  const rotation = serving.onChange((pair) => server.setSecureContext({ ...secure, ...pair }))
  try {
    await bind(server, options)
  } catch (error) {
    rotation[Symbol.dispose]()
    throw error
  }
  const { port } = server.address() as AddressInfo
  return {
    host: options.host,
    port,
    async [Symbol.asyncDispose]() {
      rotation[Symbol.dispose]()
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      for (const session of http2.sessions) session.close()
      http1.closeIdleConnections()
      await within(deps.clock, GRACE_MS, deps.service.drain())
      http1.closeIdleConnections()
      await within(deps.clock, FLUSH_MS, Promise.all([...http2.sessions].map(closeOf)))
      for (const session of http2.sessions) session.destroy()
      for (const socket of sockets) socket.destroy()
      http1.close()
      await closed
    },
  }
}

async function within(clock: Clock, ms: number, work: Promise<unknown>): Promise<void> {
  const patience = new AbortController()
  await Promise.race([work, sleep(clock, ms, patience.signal).catch(() => undefined)])
  patience.abort()
}

async function bind(server: Server, { host, port }: ListenOptions): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  server.once('error', reject)
  server.listen(port, host, resolve)
  try {
    await promise
  } catch (error) {
    throw cannotListen(error, host, port)
  }
  server.removeAllListeners('error')
}

function cannotListen(error: unknown, host: string, port: number): unknown {
  if (systemCode(error) !== 'EADDRINUSE' && systemCode(error) !== 'EACCES') return error
  return new FlotillaError('ADDRESS_IN_USE', {
    what: `The API server cannot listen on ${host}:${port}.`,
    why: messageOf(error),
    next: 'Stop the program that uses the port, or choose another one.',
    cause: error,
  })
}
