/** A watch over a WebSocket, each event a message: text for JSON, binary for what is not. Source: apiserver `endpoints/handlers/watch.go`. */
import type { Duplex } from 'node:stream'
import type { WebSocket } from 'ws'
import type { Sink, WatchStream } from '../endpoints/watch-stream.ts'
import { requestInfo } from '../request-info.ts'
import type { ApiRequest } from '../types.ts'
import { JSON_TYPE } from './response.ts'
import { acceptWebSocket } from './websocket.ts'

/** Above so many bytes that the client has not taken, events wait. */
const FULL = 1 << 20
/** Of a message that is not JSON: what gives its length in a stream, and has no place in a message. */
const LENGTH_PREFIX = 4

export function isWebSocketWatch({ method, path, query, headers }: ApiRequest): boolean {
  return headers['upgrade']?.toLowerCase() === 'websocket' && requestInfo(method, path, query).verb === 'watch'
}

/** Resolves when the watch is over. */
export async function watchOverWebSocket(
  body: WatchStream,
  contentType: string,
  request: ApiRequest,
  socket: Duplex,
  head: Uint8Array,
): Promise<void> {
  const over = new Promise<void>((resolve) => body.onClose(resolve))
  request.signal.addEventListener('abort', () => body.close(), { once: true })
  const webSocket = await acceptWebSocket(request, socket, head, []).catch((error: unknown) => {
    body.close()
    throw error
  })
  webSocket.on('error', () => webSocket.terminate())
  webSocket.on('close', () => body.close())
  body.pump(messages(webSocket, contentType.startsWith(JSON_TYPE)), 0)
  await over
}

function messages(webSocket: WebSocket, text: boolean): Sink {
  return {
    write(bytes, drained) {
      const full = webSocket.bufferedAmount > FULL
      const sent = full ? drained : undefined
      if (text) webSocket.send(bytes, { binary: false }, sent)
      else webSocket.send(bytes.subarray(LENGTH_PREFIX), { binary: true }, sent)
      return !full
    },
    end: () => webSocket.close(1000),
  }
}
