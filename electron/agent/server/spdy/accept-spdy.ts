/** The ways by which SPDY reaches this node: as an upgrade of its own, or inside of a WebSocket. Source: KEP-4006. */
import { createWebSocketStream } from 'ws'
import { HttpError } from '../http-error.ts'
import { acceptWebSocket } from '../streams/accept-websocket.ts'
import type { Upgrade } from '../streams/accept-websocket.ts'
import { SpdySession } from './session.ts'

const SPDY = 'SPDY/3.1'

export function isSpdy({ message }: Upgrade): boolean {
  return message.headers.upgrade?.toLowerCase() === SPDY.toLowerCase()
}

/** Whether SPDY is offered inside of a WebSocket for this protocol: "SPDY/3.1+portforward.k8s.io". */
export function isTunnel({ message }: Upgrade, protocol: string): boolean {
  return (message.headers['sec-websocket-protocol'] ?? '').includes(`${SPDY}+${protocol}`)
}

/** Takes the first of `protocols` that the client offers. Throws HttpError if it offers none. */
export function acceptSpdy(protocols: readonly string[], { message, socket, head }: Upgrade): SpdySession {
  const header = message.headers['x-stream-protocol-version'] ?? ''
  const offered = [header]
    .flat()
    .join(',')
    .split(',')
    .map((one) => one.trim())
  const protocol = protocols.find((one) => offered.includes(one))
  if (protocol === undefined) throw new HttpError(403, `this node speaks ${protocols.join(' and ')} over SPDY, not ${offered.join(', ')}`)
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${SPDY}\r\nX-Stream-Protocol-Version: ${protocol}\r\n\r\n`,
  )
  if (head.length) socket.unshift(head)
  return new SpdySession(socket)
}

export async function acceptTunnel(protocol: string, upgrade: Upgrade): Promise<SpdySession> {
  const socket = await acceptWebSocket([`${SPDY}+${protocol}`], upgrade)
  return new SpdySession(createWebSocketStream(socket))
}
