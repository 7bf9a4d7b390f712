/**
 * The server's end of a SPDY/3.1 connection as Kubernetes' clients use it (github.com/moby/spdystream): streams are opened by the client,
 * and nobody counts windows. Source: SPDY/3.1 draft; kubernetes `apimachinery/pkg/util/httpstream`.
 */
import { Duplex } from 'node:stream'
import { AsyncQueue } from '../../../base/async.ts'
import { controlFrame, dataFrame, FIN, GOAWAY, PING, readFrames, RST_STREAM, SYN_REPLY, SYN_STREAM, word } from './frames.ts'
import type { Frame } from './frames.ts'
import { HeaderBlocks } from './header-blocks.ts'
import type { Headers } from './header-blocks.ts'

export interface SpdyStream {
  readonly id: number
  readonly headers: Headers
  /** Ends when the client half-closes; ending it half-closes towards the client. */
  readonly channel: Duplex
}

/** So much of a stream's input may wait before the connection is read no further. */
const HIGH_WATER = 1 << 20
const CANCEL = 5

export class SpdySession implements AsyncDisposable {
  /** Streams as the client opens them; ends with the connection. */
  readonly opened = new AsyncQueue<SpdyStream>()
  readonly #connection: Duplex
  readonly #headers = new HeaderBlocks()
  readonly #channels = new Map<number, Duplex>()
  readonly #done: Promise<void>
  #lastStream = 0

  constructor(connection: Duplex) {
    this.#connection = connection
    connection.on('error', () => undefined)
    this.#done = this.#read()
  }

  /** Says good-bye and closes the connection once what was written has left. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#connection.destroyed) {
      await this.#write(controlFrame(GOAWAY, 0, word(this.#lastStream), word(0)))
      this.#connection.end()
    }
    await this.#done
  }

  async #read(): Promise<void> {
    try {
      for await (const frame of readFrames(this.#connection)) await this.#receive(frame)
    } catch {
      // A broken connection ends all that is on it.
    } finally {
      this.opened.end()
      for (const channel of this.#channels.values()) channel.destroy()
      this.#connection.destroy()
    }
  }

  async #receive(frame: Frame): Promise<void> {
    if (frame.kind === 'data') return this.#receiveData(frame.stream, frame.data, frame.fin)
    const { type, flags, data } = frame
    if (type === SYN_STREAM) return this.#open(data.readUInt32BE(0) & 0x7fffffff, data.subarray(10), (flags & FIN) !== 0)
    if (type === PING) return this.#write(controlFrame(PING, 0, data.subarray(0, 4)))
    if (type === RST_STREAM) this.#channels.get(data.readUInt32BE(0) & 0x7fffffff)?.destroy()
    // Settings, windows and further headers change nothing here.
  }

  async #open(id: number, block: Buffer, fin: boolean): Promise<void> {
    const headers = await this.#headers.decode(block)
    this.#lastStream = id
    const channel = this.#channel(id)
    this.#channels.set(id, channel)
    await this.#write(controlFrame(SYN_REPLY, 0, word(id), await this.#headers.encode({})))
    if (fin) channel.push(null)
    this.opened.push({ id, headers, channel })
  }

  async #receiveData(id: number, data: Buffer, fin: boolean): Promise<void> {
    const channel = this.#channels.get(id)
    if (!channel || channel.destroyed) return
    // The connection is shared: it waits for the slowest of its streams.
    if (data.length && !channel.push(Buffer.from(data))) await drained(channel)
    if (fin) channel.push(null)
  }

  #channel(id: number): Duplex {
    const channel: Duplex = new Duplex({
      readableHighWaterMark: HIGH_WATER,
      allowHalfOpen: true,
      read: () => void channel.emit('wanted'),
      write: (data: Buffer, _encoding, done) => this.#send(dataFrame(id, data, false), done),
      final: (done) => this.#send(dataFrame(id, new Uint8Array(), true), done),
      destroy: (error, done) => {
        this.#channels.delete(id)
        channel.emit('wanted')
        const cut = !channel.writableFinished && !this.#connection.destroyed
        if (cut) this.#send(controlFrame(RST_STREAM, 0, word(id), word(CANCEL)), () => done(error))
        else done(error)
      },
    })
    channel.on('error', () => undefined)
    return channel
  }

  #write(frame: Buffer): Promise<void> {
    return new Promise((resolve) => this.#send(frame, () => resolve()))
  }

  /** What cannot be sent any more counts as sent. */
  #send(frame: Buffer, done: () => void): void {
    if (this.#connection.destroyed || this.#connection.writableEnded) done()
    else this.#connection.write(frame, () => done())
  }
}

function drained(channel: Duplex): Promise<void> {
  return new Promise((resolve) => channel.once('wanted', () => resolve()))
}
