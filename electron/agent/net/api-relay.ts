/**
 * The API server's address in the cluster, for pods and for this agent: a listener on this node that hands bytes on to the loopback
 * port behind which the control plane is. TLS is between its clients and the API server.
 */
import { connect, createServer, Socket, type Server } from 'node:net'
import { deferred } from '../../base/async.ts'
import type { Clock } from '../../base/clock.ts'
import { messageOf, systemCode } from '../../base/errors.ts'
import { Emitter } from '../../base/events.ts'
import { component, type Component, componentWith } from '../../base/lifecycle.ts'
import type { Logger } from '../../base/logger.ts'
import { createLinkPort } from './link-port.ts'
import { Problems, type ProblemSource } from './problem.ts'

export interface ApiRelayDeps {
  /** Where it listens. */
  readonly address: string
  readonly port: number
  /** Holds the loopback port, in decimal. */
  readonly portFile: string
  readonly clock: Clock
  readonly logger: Logger
}

export interface ApiRelay extends Component, ProblemSource {
  /** Connections under way. */
  readonly connections: number
  /** Each time when the control plane has connected anew: its port was written down, or answers again. */
  readonly reconnected: Emitter<void>
}

/** Milliseconds. */
const LISTEN_RETRY = 5000
/** A refusal is told once in so long, however many clients try. */
const TELL_EVERY = 60_000

/** `start` does not wait for the port of the API server. What connects before there is one is reset at once. */
export function createApiRelay({ address, port, portFile, clock, logger }: ApiRelayDeps): ApiRelay {
  const problems = new Problems(logger)
  const upstream = createLinkPort(portFile, clock)
  const reconnected = new Emitter<void>()
  const open = new Set<Relayed>()
  const clients = new Set<Socket>()
  let isAway = false
  let toldAt = Number.NEGATIVE_INFINITY

  const refuse = (client: Socket, why: string) => {
    client.resetAndDestroy()
    if (clock.monotonic() - toldAt < TELL_EVERY) return
    toldAt = clock.monotonic()
    logger.info('no way to the API server', { why })
  }

  const reach = async (): Promise<Reached> => {
    let to = upstream.port ?? (await upstream.read())
    for (;;) {
      if (to === null) return { why: `${portFile} names no port: the control plane has not connected to this machine yet` }
      const server = await dial(to)
      if (server instanceof Socket) return { server, to }
      // The file may have been rewritten a moment ago.
      const newer = await upstream.read()
      if (newer === to) return { why: `nothing answers on 127.0.0.1:${to} (${server.message}): the control plane is not connected` }
      to = newer
    }
  }

  const accept = async (client: Socket) => {
    clients.add(client)
    client.once('close', () => clients.delete(client))
    client.on('error', () => undefined)
    const reached = await reach()
    const wasAway = isAway
    isAway = 'why' in reached
    if ('why' in reached) return refuse(client, reached.why)
    if (wasAway) reconnected.emit()
    const { server, to } = reached
    if (client.destroyed) return void server.destroy()
    toldAt = Number.NEGATIVE_INFINITY
    const relayed = new Relayed(client, server, to)
    open.add(relayed)
    relayed.onEnd(() => open.delete(relayed))
  }

  const listen = async (server: Server) => {
    try {
      await listening(server, address, port)
      problems.set('listener', null)
    } catch (error) {
      const why = systemCode(error) === 'EADDRINUSE' ? 'another program of this machine listens there' : messageOf(error)
      problems.set('listener', {
        reason: 'ApiRelayPortInUse',
        message: `Pods cannot reach the API server at ${address}:${port}: ${why}. Stop that program, or let it listen on other addresses.`,
        blocking: false,
      })
      return false
    }
    return true
  }

  const base = component(async (stack, signal) => {
    await upstream.start(signal)
    stack.use(upstream)
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => void accept(client))
    stack.defer(async () => {
      const closed = deferred<void>()
      server.close(() => closed.resolve())
      for (const client of clients) client.resetAndDestroy()
      await closed.promise
    })
    if (!(await listen(server))) {
      const again = clock.setInterval(() => {
        void listen(server).then((done) => done && again[Symbol.dispose]())
      }, LISTEN_RETRY)
      stack.use(again)
    }
    // Those of an earlier connection of the control plane lead nowhere, and might take minutes to notice.
    stack.use(
      upstream.written.on((to) => {
        for (const relayed of open) if (relayed.to !== to) relayed.destroy()
        if (to !== null) reconnected.emit()
      }),
    )
  })
  return componentWith(base, {
    get connections() {
      return open.size
    },
    reconnected,
    get problems() {
      return problems.problems
    },
    problemsChanged: problems.problemsChanged,
  })
}

type Reached = { readonly server: Socket; readonly to: number } | { readonly why: string }

/** Two sockets, each feeding the other no faster than it takes. */
class Relayed {
  readonly to: number
  readonly #sockets: readonly [Socket, Socket]
  #ended: () => void = () => undefined
  #left = 2

  constructor(client: Socket, server: Socket, to: number) {
    this.to = to
    this.#sockets = [client, server]
    client.pipe(server)
    server.pipe(client)
    for (const socket of this.#sockets) {
      socket.setKeepAlive(true, 30_000)
      socket.on('error', () => this.destroy())
      socket.once('close', () => {
        if (--this.#left === 0) this.#ended()
        else if (socket.errored || !socket.readableEnded) this.destroy()
      })
    }
  }

  onEnd(listener: () => void): void {
    this.#ended = listener
  }

  destroy(): void {
    for (const socket of this.#sockets) if (!socket.destroyed) socket.resetAndDestroy()
  }
}

/** A connection to this machine's own loopback, or why there is none. */
function dial(port: number): Promise<Socket | Error> {
  const result = deferred<Socket | Error>()
  const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true, noDelay: true })
  socket.once('connect', () => result.resolve(socket))
  socket.on('error', (error) => result.resolve(error))
  return result.promise
}

function listening(server: Server, host: string, port: number): Promise<void> {
  const result = deferred<void>()
  const onError = (error: Error) => result.reject(error)
  server.once('error', onError)
  server.listen({ host, port }, () => {
    server.removeListener('error', onError)
    result.resolve()
  })
  return result.promise
}
