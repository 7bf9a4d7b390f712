/** Exec and attach over a WebSocket: a byte for the channel before each message. Source: kubernetes `apimachinery/pkg/util/remotecommand/constants.go`. */
import { PassThrough } from 'node:stream'
import type { Readable } from 'node:stream'
import type { RawData, WebSocket } from 'ws'
import type { EndStatus, StreamPeer, TerminalSize } from './stream-peer.ts'

/** In order of preference. Only v5 can say that input has ended. */
export const CHANNEL_PROTOCOLS = ['v5.channel.k8s.io', 'v4.channel.k8s.io']

export const STDIN = 0
export const STDOUT = 1
export const STDERR = 2
export const ERROR = 3
export const RESIZE = 4
export const CLOSE = 255

/** Bytes that may wait for the client before the command is held up. */
const HIGH_WATER = 1 << 20

export interface PeerStreams {
  readonly stdin: boolean
  readonly stdout: boolean
  readonly stderr: boolean
}

export class WebSocketPeer implements StreamPeer {
  readonly stdin: Readable | null
  readonly hasStdout: boolean
  readonly hasStderr: boolean
  readonly signal: AbortSignal
  readonly #socket: WebSocket
  #onResize: (size: TerminalSize) => void = () => undefined
  #lastSize: TerminalSize | null = null

  constructor(socket: WebSocket, streams: PeerStreams) {
    this.#socket = socket
    this.hasStdout = streams.stdout
    this.hasStderr = streams.stderr
    const input = streams.stdin ? new PassThrough({ highWaterMark: HIGH_WATER }) : null
    this.stdin = input
    const gone = new AbortController()
    this.signal = gone.signal
    socket.on('message', (data) => this.#receive(bytesOf(data), input))
    socket.on('error', () => socket.terminate())
    socket.on('close', () => {
      input?.end()
      gone.abort(new DOMException('the client went away', 'AbortError'))
    })
    input?.on('drain', () => socket.resume())
    // Tells the client that the streams are there.
    void this.#send(streams.stdout ? STDOUT : streams.stderr ? STDERR : ERROR, new Uint8Array())
  }

  onResize(listener: (size: TerminalSize) => void): void {
    this.#onResize = listener
    if (this.#lastSize) listener(this.#lastSize)
  }

  async write(stream: 'stdout' | 'stderr', data: Uint8Array): Promise<void> {
    const sent = this.#send(stream === 'stdout' ? STDOUT : STDERR, data)
    if (this.#socket.bufferedAmount > HIGH_WATER) await sent
  }

  async finish(status: EndStatus): Promise<void> {
    await this.#send(ERROR, Buffer.from(JSON.stringify(status)))
    this.#socket.close(1000)
  }

  #send(channel: number, data: Uint8Array): Promise<void> {
    return new Promise((resolve) => {
      if (this.#socket.readyState !== this.#socket.OPEN) return resolve()
      this.#socket.send(Buffer.concat([Buffer.of(channel), data]), { binary: true }, () => resolve())
    })
  }

  #receive(message: Buffer, input: PassThrough | null): void {
    const data = message.subarray(1)
    switch (message[0]) {
      case STDIN:
        if (data.length && input && !input.writableEnded && !input.write(data)) this.#socket.pause()
        return
      case RESIZE:
        return this.#resize(data)
      case CLOSE:
        if (data[0] === STDIN) input?.end()
        return
      default:
    }
  }

  #resize(data: Buffer): void {
    const size = parseSize(data)
    if (!size) return
    this.#lastSize = size
    this.#onResize(size)
  }
}

export function parseSize(data: Buffer): TerminalSize | null {
  try {
    const { Width: width, Height: height } = JSON.parse(data.toString()) as { Width?: unknown; Height?: unknown }
    if (!Number.isInteger(width) || !Number.isInteger(height) || Number(width) <= 0 || Number(height) <= 0) return null
    return { width: Number(width), height: Number(height) }
  } catch {
    return null
  }
}

export function bytesOf(data: RawData): Buffer {
  if (Array.isArray(data)) return Buffer.concat(data)
  return data instanceof ArrayBuffer ? Buffer.from(data) : data
}
