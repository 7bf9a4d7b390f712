/** Requests for another protocol on their connection: exec, attach, port-forward, and watches over WebSockets. */
import type { Duplex } from 'node:stream'
import type { Logger } from '../../base/logger.ts'
import type { Pipeline } from '../pipeline.ts'
import { WatchStream } from '../endpoints/watch-stream.ts'
import { answerUpgrade } from '../streaming/refusal.ts'
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
    answerUpgrade(socket, failureResponse(error))
  }
}

async function watch(service: HttpService, pipeline: Pipeline, request: HttpRequest, socket: Duplex, head: Buffer): Promise<void> {
  const response = await pipeline.handle(request)
  const { body } = response
  if (!(body instanceof WatchStream)) return answerUpgrade(socket, response)
  service.follow(body)
  await watchOverWebSocket(body, String(response.headers['content-type']), request, socket, head)
}
