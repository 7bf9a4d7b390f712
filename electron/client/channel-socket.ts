import { WebSocket, type RawData } from 'ws'
import { AsyncQueue } from '../base/async.ts'
import { unavailable } from '../machinery/status.ts'
import type { ChannelSocket } from './client.ts'

/** Bytes that may wait unread before the peer is made to wait. */
const HIGH_WATER = 1 << 20

/** Ends of a conversation that are no fault: done, going away, no code given (RFC 6455, 7.4.1). */
const NORMAL = new Set([1000, 1001, 1005])

/**
 * An open `ws` socket as a ChannelSocket. Reads stop at the socket while a consumer lags, `send` resolves when the bytes left this
 * process, and disposing ends both ends.
 */
export function channelSocket(socket: WebSocket, what: string): ChannelSocket {
  const queue = new AsyncQueue<Uint8Array>()
  let waiting = 0
  socket.on('message', (data) => {
    const message = bytesOf(data)
    waiting += message.byteLength
    queue.push(message)
    if (waiting > HIGH_WATER) socket.pause()
  })
  socket.on('error', (error) => queue.fail(unavailable(`${what}: ${error.message}`)))
  socket.on('close', (code, reason) => {
    if (NORMAL.has(code)) queue.end()
    else queue.fail(unavailable(`${what}: the connection closed (${code}${reason.length ? `, ${reason.toString('utf8')}` : ''})`))
  })

  async function* messages(): AsyncGenerator<Uint8Array, void, void> {
    for await (const message of queue) {
      waiting -= message.byteLength
      if (waiting <= HIGH_WATER / 2 && socket.isPaused) socket.resume()
      yield message
    }
  }

  return {
    protocol: socket.protocol,
    messages: messages(),
    send: (message) =>
      new Promise((resolve, reject) => {
        socket.send(message, { binary: true }, (error) => (error ? reject(unavailable(`${what}: ${error.message}`)) : resolve()))
      }),
    async [Symbol.asyncDispose]() {
      queue[Symbol.dispose]()
      if (socket.readyState === WebSocket.CLOSED) return
      const closed = new Promise<void>((resolve) => void socket.once('close', () => resolve()))
      socket.resume()
      socket.close(1000)
      await closed
    },
  }
}

function bytesOf(data: RawData): Uint8Array {
  if (Array.isArray(data)) return Buffer.concat(data)
  return data instanceof ArrayBuffer ? new Uint8Array(data) : data
}
