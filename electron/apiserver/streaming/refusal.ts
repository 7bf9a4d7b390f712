import { STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import { toStatusError } from '../../machinery/status.ts'
import { failureResponse } from '../http/response.ts'
import type { ApiResponse } from '../types.ts'

/** Answers a request to upgrade with a Status instead, and closes the connection. */
export function refuseUpgrade(socket: Duplex, error: unknown): void {
  answerUpgrade(socket, failureResponse(toStatusError(error)))
}

/** Answers a request to upgrade without an upgrade, and closes the connection. */
export function answerUpgrade(socket: Duplex, { status, headers, body }: ApiResponse): void {
  if (socket.destroyed || socket.writableEnded) return
  const bytes = body as Uint8Array
  const lines = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${String(value)}`),
    `content-length: ${bytes.length}`,
    'connection: close',
  ]
  socket.on('error', () => socket.destroy())
  socket.write(`${lines.join('\r\n')}\r\n\r\n`)
  socket.end(bytes)
  // Clients that did not wait for the answer have sent more. As long as that is not read, nobody notices that they left.
  socket.resume()
}
