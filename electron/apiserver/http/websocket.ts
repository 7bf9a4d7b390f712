import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { WebSocketServer, type WebSocket } from 'ws'
import type { ApiRequest } from '../types.ts'

/** Makes a connection the WebSocket that the request asks for, with the first of these protocols that is offered. Rejects if the client leaves. */
export function acceptWebSocket(
  request: Pick<ApiRequest, 'path' | 'headers'>,
  socket: Duplex,
  head: Uint8Array,
  protocols: readonly string[],
): Promise<WebSocket> {
  const server = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    handleProtocols: (offered) => [...offered].find((one) => protocols.includes(one)) ?? false,
  })
  return new Promise((resolve, reject) => {
    socket.once('close', () => reject(new Error('the client went away')))
    const asked = { method: 'GET', url: request.path, headers: request.headers } as unknown as IncomingMessage
    server.handleUpgrade(asked, socket, Buffer.from(head), resolve)
  })
}
