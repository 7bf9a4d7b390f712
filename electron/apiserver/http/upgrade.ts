/** Requests for another protocol on their connection: exec, attach, port-forward, and watches over WebSockets. */
import type { Duplex } from 'node:stream'
import { STATUS_CODES } from 'node:http'
import type { Logger } from '../../base/logger.ts'
import type { Pipeline } from '../pipeline.ts'
import { WatchStream } from '../endpoints/watch-stream.ts'
import type { ApiResponse } from '../types.ts'
import type { HttpService, Incoming } from './exchange.ts'
import type { HttpRequest } from './http-request.ts'
import { failureResponse } from './response.ts'
import { isWebSocketWatch, watchOverWebSocket } from './websocket-watch.ts'

/** Finds who takes the socket over; refuses with a Status if nobody may. */
export function upgrader(service: HttpService, pipeline: Pipeline, logger: Logger) {
  return (incoming: Incoming, socket: Duplex, head: Buffer): void => {
    const failed = (error: unknown) => logger.warn('an upgraded connection failed', { error, path: incoming.target })
    void upgrade(service, pipeline, incoming, socket, head).catch(failed)
  }
}

/** The status of an answer that changes the protocol. */
const SWITCHING = 101

async function upgrade(service: HttpService, pipeline: Pipeline, incoming: Incoming, socket: Duplex, head: Buffer): Promise<void> {
  const onError = () => socket.destroy()
  socket.on('error', onError)
  let taken = false
  try {
    const made = await service.authenticated(incoming)
    socket.once('close', () => made.abort())
    if (isWebSocketWatch(made)) return await watch(service, pipeline, made, socket, head)
    const { connector, target, request, info, trail } = await pipeline.connect(made)
    taken = true
    trail?.started(SWITCHING)
    using _counted = pipeline.connected(info)
    try {
      await connector.upgrade(request, target, socket, head)
    } finally {
      trail?.answered(SWITCHING, null)
    }
  } catch (error) {
    if (taken) {
      socket.destroy()
      throw error
    }
    answer(socket, failureResponse(error))
  }
}

async function watch(service: HttpService, pipeline: Pipeline, request: HttpRequest, socket: Duplex, head: Buffer): Promise<void> {
  const response = await pipeline.handle(request)
  const { body } = response
  if (!(body instanceof WatchStream)) return answer(socket, response)
  service.follow(body)
  await watchOverWebSocket(body, String(response.headers['content-type']), request, socket, head)
}

/** The answer of who does not change the protocol. */
function answer(socket: Duplex, { status, headers, body }: ApiResponse): void {
  const lines = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${String(value)}`),
    `content-length: ${(body as Uint8Array).length}`,
    'connection: close',
  ]
  socket.write(`${lines.join('\r\n')}\r\n\r\n`)
  socket.end(body)
}
