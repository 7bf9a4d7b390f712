/**
 * Ports of a pod over a WebSocket: for each port a channel for data and one for errors, each of which begins with the port's number.
 * Source: kubernetes `kubelet/pkg/cri/streaming/portforward/websocket.go`.
 */
import type { Duplex } from 'node:stream'
import type { WebSocket } from 'ws'
import { messageOf } from '../../../base/errors.ts'
import { bytesOf } from './websocket-peer.ts'

export const PORT_PROTOCOLS = ['v4.channel.k8s.io']

const HIGH_WATER = 1 << 20

/** Opens a stream to a port of the pod. */
export type PortOpener = (port: number) => Promise<Duplex>

/** Ends when the client or all ports have closed. */
export async function servePortForward(socket: WebSocket, ports: readonly number[], open: PortOpener): Promise<void> {
  const streams = new Map<number, Duplex>()
  const early = new Map<number, Buffer[]>()
  const send = (channel: number, data: Uint8Array) =>
    new Promise<void>((resolve) => {
      if (socket.readyState !== socket.OPEN) return resolve()
      socket.send(Buffer.concat([Buffer.of(channel), data]), { binary: true }, () => resolve())
    })
  socket.on('message', (raw) => {
    const message = bytesOf(raw)
    const channel = message[0] ?? 0
    const stream = streams.get(channel)
    const data = message.subarray(1)
    if (!stream) early.get(channel)?.push(data)
    else if (!stream.write(data)) {
      socket.pause()
      stream.once('drain', () => socket.resume())
    }
  })
  socket.on('error', () => socket.terminate())
  const closed = new Promise<void>((resolve) => {
    socket.once('close', () => {
      for (const stream of streams.values()) stream.destroy()
      resolve()
    })
  })

  const serve = async (port: number, index: number) => {
    const [data, fault] = [index * 2, index * 2 + 1]
    early.set(data, [])
    const number = Buffer.of(port & 0xff, port >> 8)
    await send(data, number)
    await send(fault, number)
    try {
      const stream = await open(port)
      streams.set(data, stream)
      for (const part of early.get(data) ?? []) stream.write(part)
      early.delete(data)
      for await (const part of stream) {
        const sent = send(data, part as Buffer)
        if (socket.bufferedAmount > HIGH_WATER) await sent
      }
    } catch (error) {
      if (socket.readyState === socket.OPEN) await send(fault, Buffer.from(`error forwarding port ${port} to pod: ${messageOf(error)}`))
    }
  }
  await Promise.race([Promise.all(ports.map(serve)), closed])
  socket.close(1000)
}
