/** The runtime's own streaming server, which speaks v4.channel.k8s.io over WebSockets. */
import { Duplex, PassThrough } from 'node:stream'
import { WebSocket } from 'ws'
import { deferred } from '../../../base/async.ts'
import type { Cri } from '../../runtime/cri.ts'
import { bytesOf } from './websocket-peer.ts'

const PROTOCOL = 'v4.channel.k8s.io'
const HIGH_WATER = 1 << 20

/** Opens a URL that the runtime gave; the socket is paused until somebody resumes it. Rejects with the runtime's answer. */
export async function openCriSocket(url: string): Promise<WebSocket> {
  const opened = deferred<WebSocket>()
  const socket = new WebSocket(url.replace(/^http/, 'ws'), [PROTOCOL], { perMessageDeflate: false })
  socket.once('open', () => {
    // The first messages may come with the answer, before anybody listens.
    socket.pause()
    opened.resolve(socket)
  })
  socket.on('error', (error) => opened.reject(error))
  socket.once('unexpected-response', (_request, response) => {
    opened.reject(new Error(`the container runtime answered ${response.statusCode}`))
    socket.terminate()
  })
  return opened.promise
}

const DATA = 0
const FAULT = 1
const PORT_BYTES = 2

/** A stream to a port in the pod's network, where what listens on its loopback is reached too. */
export async function connectPort(cri: Cri, sandboxId: string, port: number): Promise<Duplex> {
  const socket = await openCriSocket(await cri.portForwardUrl(sandboxId, port))
  const incoming = new PassThrough({ highWaterMark: HIGH_WATER })
  const skipped = [0, 0]
  socket.on('message', (raw) => {
    const message = bytesOf(raw)
    const channel = message[0] ?? DATA
    // Each channel begins with the number of the port.
    const missing = Math.min(PORT_BYTES - (skipped[channel] ?? PORT_BYTES), message.length - 1)
    skipped[channel] = (skipped[channel] ?? 0) + missing
    const data = message.subarray(1 + missing)
    if (!data.length) return
    if (channel === FAULT) incoming.destroy(new Error(data.toString()))
    else if (!incoming.write(data)) socket.pause()
  })
  incoming.on('drain', () => socket.resume())
  socket.on('close', () => incoming.end())
  socket.on('error', (error) => incoming.destroy(error))
  socket.resume()
  const stream = Duplex.from({
    readable: incoming,
    writable: async (source: AsyncIterable<Uint8Array>) => {
      for await (const part of source) {
        await new Promise<void>((resolve) => socket.send(Buffer.concat([Buffer.of(DATA), part]), { binary: true }, () => resolve()))
      }
    },
  })
  stream.once('close', () => socket.close())
  return stream
}
