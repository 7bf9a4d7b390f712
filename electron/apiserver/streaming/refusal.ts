import { STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import { toStatusError } from '../../machinery/status.ts'

/** Answers a request to upgrade with a Status instead, and closes the connection. */
export function refuseUpgrade(socket: Duplex, error: unknown): void {
  if (socket.destroyed || socket.writableEnded) return
  const { status, code } = toStatusError(error)
  const body = JSON.stringify(status)
  const head = [
    `HTTP/1.1 ${code} ${STATUS_CODES[code] ?? ''}`,
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
  ]
  socket.on('error', () => socket.destroy())
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy())
}
