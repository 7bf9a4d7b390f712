import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { WebSocketServer } from 'ws'
import type { WebSocket } from 'ws'
import { HttpError } from '../http-error.ts'

export interface Upgrade {
  readonly message: IncomingMessage
  readonly socket: Duplex
  readonly head: Buffer
}

/** Takes the first of `protocols` that the client offers. Throws HttpError 400 if it offers none of them, or is no WebSocket. */
export function acceptWebSocket(protocols: readonly string[], { message, socket, head }: Upgrade): Promise<WebSocket> {
  const { upgrade = 'nothing' } = message.headers
  if (upgrade.toLowerCase() !== 'websocket')
    throw new HttpError(400, `this node speaks ${protocols.join(' and ')} over WebSocket, not ${upgrade}`)
  const offered = (message.headers['sec-websocket-protocol'] ?? '').split(',').map((one) => one.trim())
  const chosen = protocols.find((protocol) => offered.includes(protocol))
  if (chosen === undefined) {
    throw new HttpError(400, `this node speaks ${protocols.join(' and ')}, not ${offered.join(', ') || 'a WebSocket without a protocol'}`)
  }
  const server = new WebSocketServer({ noServer: true, perMessageDeflate: false, handleProtocols: () => chosen })
  return new Promise((resolve, reject) => {
    socket.once('close', () => reject(new HttpError(400, 'the client went away')))
    server.handleUpgrade(message, socket, head, resolve)
  })
}
