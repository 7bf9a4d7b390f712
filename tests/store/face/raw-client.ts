/** HTTP/2 as a client may speak it that keeps to no rule: frames by hand. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { expect } from 'vitest'
import { frame, FRAME, FRAME_HEADER, PREFACE, settingsFrame } from '../../../electron/store/etcd/http2/frame.ts'
import { encodeHeaders } from '../../../electron/store/etcd/http2/hpack.ts'

export interface Frame {
  readonly type: number
  readonly flags: number
  readonly stream: number
  readonly payload: Buffer
}

export function requestHeaders(path: string): Buffer {
  return encodeHeaders([
    [':method', 'POST'],
    [':scheme', 'http'],
    [':path', path],
    [':authority', 'localhost'],
    ['content-type', 'application/grpc'],
    ['te', 'trailers'],
  ])
}

export class RawClient implements AsyncDisposable {
  readonly frames: Frame[] = []
  readonly #socket: Socket
  #rest: Buffer = Buffer.alloc(0)
  closed = false

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', (bytes: Buffer) => this.#read(bytes))
    socket.on('error', () => undefined)
    socket.on('close', () => (this.closed = true))
  }

  /** `settings`: what the client says of itself. */
  static async open(url: string, settings: readonly (readonly [number, number])[] = []): Promise<RawClient> {
    const client = await RawClient.silent(url)
    client.send(PREFACE, settingsFrame(settings))
    return client
  }

  /** Has said nothing yet. */
  static async silent(url: string): Promise<RawClient> {
    const socket = connect(Number(new URL(url).port), '127.0.0.1')
    await once(socket, 'connect')
    return new RawClient(socket)
  }

  send(...parts: readonly Uint8Array[]): void {
    this.#socket.write(Buffer.concat(parts))
  }

  /** Reads no more until `resume`. */
  pause(): void {
    this.#socket.pause()
  }

  resume(): void {
    this.#socket.resume()
  }

  async frame(wanted: (frame: Frame) => boolean): Promise<Frame> {
    await expect.poll(() => this.frames.some(wanted), { interval: 5 }).toBe(true)
    return this.frames.find(wanted) as Frame
  }

  /** The code with which the server ends the connection, and that it is closed. */
  async goneAway(): Promise<number> {
    const { payload } = await this.frame(({ type }) => type === FRAME.goAway)
    await expect.poll(() => this.closed, { interval: 5 }).toBe(true)
    return payload.readUInt32BE(4)
  }

  async resetCode(stream: number): Promise<number> {
    return (await this.frame((each) => each.type === FRAME.resetStream && each.stream === stream)).payload.readUInt32BE()
  }

  /** What has come of a stream's body. */
  body(stream: number): Buffer {
    return Buffer.concat(this.frames.filter((each) => each.type === FRAME.data && each.stream === stream).map(({ payload }) => payload))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.destroy()
  }

  #read(bytes: Buffer): void {
    let all = Buffer.concat([this.#rest, bytes])
    while (all.length >= FRAME_HEADER && all.length >= FRAME_HEADER + all.readUIntBE(0, 3)) {
      const end = FRAME_HEADER + all.readUIntBE(0, 3)
      this.frames.push({
        type: all[3] as number,
        flags: all[4] as number,
        stream: all.readUInt32BE(5),
        payload: all.subarray(FRAME_HEADER, end),
      })
      all = all.subarray(end)
    }
    this.#rest = all
  }
}

export { frame }
