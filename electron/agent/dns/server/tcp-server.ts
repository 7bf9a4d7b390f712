import { createServer, type AddressInfo, type Socket } from 'node:net'
import { deferred } from '../../../base/async.ts'
import type { Clock } from '../../../base/clock.ts'
import { framed, FrameReader } from '../wire/frames.ts'
import type { Answerer, Listening } from './udp-server.ts'

/** Milliseconds for which a connection may be silent (RFC 7766, 6.2.3). */
const IDLE = 10_000
const MOST_CONNECTIONS = 256
/** Questions of one connection under way; no more are read until one is answered, nor while the client takes no answers. */
const MOST_OPEN = 64

/** Questions of a connection are answered as their answers come (RFC 7766, 6.2.1.1). Rejects if it cannot listen there. */
export async function listenTcp(address: string, port: number, answer: Answerer, clock: Clock): Promise<Listening> {
  const clients = new Set<Socket>()
  const failed = deferred<Error>()
  const closed = deferred<void>()
  const bound = deferred<void>()
  const server = createServer({ noDelay: true, allowHalfOpen: true }, (socket) => {
    clients.add(socket)
    socket.once('close', () => clients.delete(socket))
    serve(socket, answer, clock)
  })
  server.maxConnections = MOST_CONNECTIONS
  server.on('close', () => closed.resolve())
  server.on('error', (error) => {
    bound.reject(error)
    failed.resolve(error)
    server.close(() => closed.resolve())
  })
  server.listen({ host: address, port, exclusive: true }, () => bound.resolve())
  await bound.promise
  return {
    port: (server.address() as AddressInfo).port,
    failed: failed.promise,
    async [Symbol.asyncDispose]() {
      server.close()
      for (const client of clients) client.destroy()
      await closed.promise
    },
  }
}

function serve(socket: Socket, answer: Answerer, clock: Clock): void {
  const frames = new FrameReader()
  let open = 0
  let ended = false
  let idle: Disposable | null = null
  const rest = () => {
    idle?.[Symbol.dispose]()
    idle = clock.setTimeout(() => socket.destroy(), IDLE, { unref: true })
  }
  const flow = () => {
    if (open >= MOST_OPEN || socket.writableNeedDrain) socket.pause()
    else socket.resume()
  }
  const endIfDone = () => {
    if (ended && open === 0) socket.end()
  }
  const reply = async (message: Uint8Array) => {
    open++
    flow()
    const bytes = await answer(message)
    open--
    if (socket.destroyed) return
    if (bytes) socket.write(framed(bytes))
    flow()
    rest()
    endIfDone()
  }
  rest()
  socket.on('error', () => undefined)
  socket.on('close', () => idle?.[Symbol.dispose]())
  socket.on('data', (chunk) => {
    rest()
    for (const message of frames.push(chunk)) void reply(message)
  })
  socket.on('drain', flow)
  socket.on('end', () => {
    ended = true
    endIfDone()
  })
}
