/** Joins a client to a container's first process, through the runtime. */
import { messageOf } from '../../../base/errors.ts'
import type { Cri } from '../../runtime/cri.ts'
import { detailOf } from '../../runtime/runtime-error.ts'
import { openCriSocket } from './cri-channels.ts'
import { failureStatus, SUCCESS } from './stream-peer.ts'
import type { EndStatus, StreamPeer } from './stream-peer.ts'
import { bytesOf, ERROR, RESIZE, STDERR, STDIN, STDOUT } from './websocket-peer.ts'

/** Ends with the container, or when the client went away, which leaves the container running. */
export async function serveAttach(peer: StreamPeer, cri: Cri, containerId: string, tty: boolean): Promise<void> {
  let socket
  try {
    const streams = { stdin: peer.stdin !== null, stdout: peer.hasStdout, stderr: peer.hasStderr && !tty, tty }
    socket = await openCriSocket(await cri.attachUrl(containerId, streams))
  } catch (error) {
    return peer.finish(failureStatus(`error attaching to container: ${detailOf(error)}`))
  }
  const runtime = socket
  const send = (channel: number, data: Uint8Array) =>
    new Promise<void>((resolve) => runtime.send(Buffer.concat([Buffer.of(channel), data]), { binary: true }, () => resolve()))
  let status: EndStatus = SUCCESS
  let delivered: Promise<void> = Promise.resolve()
  runtime.on('message', (raw) => {
    const message = bytesOf(raw)
    const data = message.subarray(1)
    if (!data.length) return
    if (message[0] === ERROR) status = parseStatus(data)
    if (message[0] !== STDOUT && message[0] !== STDERR) return
    const stream = message[0] === STDOUT ? 'stdout' : 'stderr'
    runtime.pause()
    delivered = delivered.then(() => peer.write(stream, data)).finally(() => runtime.resume())
  })
  runtime.resume()
  peer.onResize(({ width, height }) => void send(RESIZE, Buffer.from(JSON.stringify({ Width: width, Height: height }))))
  const input = async () => {
    for await (const part of peer.stdin ?? []) await send(STDIN, part as Buffer)
  }
  void input().catch(() => undefined)
  const over = new Promise<void>((resolve) => runtime.once('close', () => resolve()))
  peer.signal.addEventListener('abort', () => runtime.close(), { once: true })
  if (peer.signal.aborted) runtime.close()
  await over
  await delivered.catch(() => undefined)
  await peer.finish(status)
}

function parseStatus(data: Buffer): EndStatus {
  try {
    return JSON.parse(data.toString()) as EndStatus
  } catch (error) {
    return failureStatus(`${messageOf(error)}: ${data.toString()}`)
  }
}
