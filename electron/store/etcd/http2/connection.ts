import type { Socket } from 'node:net'
import type { Clock } from '../../../base/clock.ts'
import {
  CODE,
  ConnectionError,
  DEFAULT_WINDOW,
  type ErrorCode,
  FLAG,
  FRAME,
  frame,
  FRAME_HEADER,
  goAwayFrame,
  MAX_FRAME,
  MAX_WINDOW,
  resetFrame,
  SETTING,
  settingsFrame,
  windowUpdateFrame,
  writeFrameHeader,
} from './frame.ts'
import { FrameReader, unpad } from './frame-reader.ts'
import { type HeaderBlock, HeaderBlocks } from './header-blocks.ts'
import { HpackDecoder, wellFormed } from './hpack.ts'
import { HpackError } from './hpack-error.ts'
import { Outbox } from './outbox.ts'
import { initialWindowIn } from './peer-settings.ts'
import { Pings } from './pings.ts'
import { type Accept, ServerStream, type StreamOwner } from './stream.ts'

export const MAX_STREAMS = 10_000
/** What a client may send on a stream, and on all of them, before it is told that there is room. */
const STREAM_WINDOW = 1024 * 1024
const CONNECTION_WINDOW = 16 * 1024 * 1024
/** Of a request's header fields, in bytes as HPACK counts them. */
const MAX_HEADERS = 32 * 1024
const LAST_OF_ALL = 0x7fffffff

export interface ConnectionDeps {
  readonly clock: Clock
  readonly accept: Accept
  /** Called once, when the connection is gone. */
  readonly onClose: (connection: Http2Connection) => void
}

/**
 * The server's end of an HTTP/2 connection (RFC 9113), made for many small requests: an answer that fits the windows is one buffer, and
 * all that is sent within one turn of the event loop is one write.
 */
export class Http2Connection implements StreamOwner {
  readonly #socket: Socket
  readonly #accept: Accept
  readonly #onClose: (connection: Http2Connection) => void
  readonly #out: Outbox
  readonly #hpack = new HpackDecoder(MAX_HEADERS)
  readonly #streams = new Map<number, ServerStream>()
  /** Whose queue waits for a window or for the socket. */
  readonly #blocked = new Set<ServerStream>()
  readonly #frames = new FrameReader((type, flags, id, bytes, start, end) => this.#onFrame(type, flags, id, bytes, start, end))
  readonly #blocks = new HeaderBlocks()
  readonly #pings: Pings
  #closed = false
  #lastStream = 0
  /** No stream after this one is served. */
  #lastAccepted = LAST_OF_ALL
  #sendWindow = DEFAULT_WINDOW
  #initialWindow = DEFAULT_WINDOW
  #received = 0
  /** Streams that the client gave up while they are still worked on: they count, so that giving up is no way round the limit. */
  #abandoned = 0

  constructor(socket: Socket, deps: ConnectionDeps) {
    this.#socket = socket
    this.#pings = new Pings(deps.clock)
    this.#accept = deps.accept
    this.#onClose = deps.onClose
    this.#out = new Outbox(socket, () => this.#resume())
    socket.setNoDelay(true)
    socket.on('data', (bytes) => this.#onData(bytes))
    socket.on('end', () => this.#lost())
    socket.on('error', () => this.#lost())
    socket.on('close', () => this.#lost())
    this.#out.push(
      settingsFrame([
        [SETTING.maxConcurrentStreams, MAX_STREAMS],
        [SETTING.initialWindowSize, STREAM_WINDOW],
        [SETTING.maxHeaderListSize, MAX_HEADERS],
      ]),
    )
    this.#out.push(windowUpdateFrame(0, CONNECTION_WINDOW - DEFAULT_WINDOW))
  }

  /** To be called at a steady pace: asks a silent client whether it is still there, and gives it up if it is not. */
  tick(): void {
    const { ask, gone } = this.#pings.tick()
    if (ask) this.#out.push(ask)
    else if (gone) this.destroy()
  }

  /** No new requests; ends when those under way have been answered. */
  leave(): void {
    if (this.#closed || this.#lastAccepted !== LAST_OF_ALL) return
    this.#lastAccepted = this.#lastStream
    this.#out.push(goAwayFrame(this.#lastStream, CODE.noError, ''))
    for (const { handler } of [...this.#streams.values()]) handler?.leave()
    this.#finishIfIdle()
  }

  /** Takes what was read of the socket before the connection was made. */
  receive(bytes: Buffer): void {
    this.#onData(bytes)
  }

  destroy(): void {
    this.#lost()
  }

  whole(stream: ServerStream, head: Buffer, body: Buffer, tail: Buffer): boolean {
    const { length } = body
    if (length > MAX_FRAME || length > stream.sendWindow || length > this.#sendWindow || this.#out.full) return false
    stream.sendWindow -= length
    this.#sendWindow -= length
    const bytes = Buffer.allocUnsafe(3 * FRAME_HEADER + head.length + length + tail.length)
    let at = writeFrameHeader(bytes, 0, head.length, FRAME.headers, FLAG.endHeaders, stream.id)
    bytes.set(head, at)
    at = writeFrameHeader(bytes, at + head.length, length, FRAME.data, 0, stream.id)
    bytes.set(body, at)
    at = writeFrameHeader(bytes, at + length, tail.length, FRAME.headers, FLAG.endHeaders | FLAG.endStream, stream.id)
    bytes.set(tail, at)
    this.#pings.sent()
    this.#out.push(bytes)
    this.#localEnd(stream)
    return true
  }

  headers(stream: ServerStream, block: Buffer, last: boolean): void {
    this.#pings.sent()
    for (let at = 0; at === 0 || at < block.length; at += MAX_FRAME) {
      const part = block.subarray(at, at + MAX_FRAME)
      const flags = (at + MAX_FRAME >= block.length ? FLAG.endHeaders : 0) | (last && at === 0 ? FLAG.endStream : 0)
      this.#out.push(frame(at === 0 ? FRAME.headers : FRAME.continuation, flags, stream.id, part))
    }
    if (last) this.#localEnd(stream)
  }

  pump(stream: ServerStream): void {
    const { queue } = stream
    while (queue.length > 0) {
      const bytes = queue[0] as Buffer
      const size = Math.min(bytes.length, MAX_FRAME, stream.sendWindow, this.#sendWindow)
      if ((size <= 0 && bytes.length > 0) || this.#out.full) {
        this.#blocked.add(stream)
        return
      }
      stream.sendWindow -= size
      this.#sendWindow -= size
      stream.waiting -= size
      const header = Buffer.allocUnsafe(FRAME_HEADER)
      writeFrameHeader(header, 0, size, FRAME.data, 0, stream.id)
      this.#out.push(header)
      this.#out.push(size === bytes.length ? bytes : bytes.subarray(0, size))
      if (size === bytes.length) queue.shift()
      else queue[0] = bytes.subarray(size)
    }
    this.#pings.sent()
    this.#blocked.delete(stream)
    if (stream.trailers) this.headers(stream, stream.trailers, true)
    stream.tellDrained()
  }

  reset(stream: ServerStream, code: ErrorCode): void {
    this.#out.push(resetFrame(stream.id, code))
    stream.remoteEnded = true
    this.#localEnd(stream)
  }

  released(): void {
    this.#abandoned--
  }

  #onData(bytes: Buffer): void {
    this.#pings.heard()
    if (this.#closed) return
    try {
      this.#frames.push(bytes)
    } catch (error) {
      if (error instanceof ConnectionError) this.#fail(error)
      else if (error instanceof HpackError) this.#fail(new ConnectionError(CODE.compressionError, error.message))
      else throw error
    }
  }

  #onFrame(type: number, flags: number, id: number, bytes: Buffer, start: number, end: number): void {
    this.#blocks.check(type === FRAME.continuation, id)
    switch (type) {
      case FRAME.data:
        return this.#onDataFrame(id, flags, bytes, start, end)
      case FRAME.headers:
        return this.#onBlock(this.#blocks.begin(id, flags, bytes, start, end))
      case FRAME.continuation:
        return this.#onBlock(this.#blocks.continue(flags, bytes.subarray(start, end)))
      case FRAME.windowUpdate:
        return this.#onWindowUpdate(id, bytes.subarray(start, end))
      case FRAME.ping:
        return this.#onPing(id, flags, bytes.subarray(start, end))
      case FRAME.settings:
        return this.#onSettings(id, flags, bytes.subarray(start, end))
      case FRAME.resetStream:
        return this.#onReset(id, end - start)
      case FRAME.priority:
        if (id === 0) throw new ConnectionError(CODE.protocolError, 'a priority of the connection')
        if (end - start !== 5) throw new ConnectionError(CODE.frameSizeError, 'a priority of a wrong size')
        return
      case FRAME.pushPromise:
        throw new ConnectionError(CODE.protocolError, 'clients do not push')
      case FRAME.goAway:
        // The client opens no more streams; it closes the connection itself when the last has ended.
        if (id !== 0) throw new ConnectionError(CODE.protocolError, 'a stream cannot go away')
        return
      default:
        // Unknown frames mean nothing.
        return
    }
  }

  #onDataFrame(id: number, flags: number, bytes: Buffer, start: number, end: number): void {
    const size = end - start
    this.#received += size
    // There is always room: it is given back as soon as half of it is used up.
    if (this.#received >= CONNECTION_WINDOW / 2) {
      this.#out.push(windowUpdateFrame(0, this.#received))
      this.#received = 0
    }
    const stream = this.#open(id)
    if (!stream) return
    if (stream.remoteEnded) return this.reset(stream, CODE.streamClosed)
    stream.received += size
    const last = (flags & FLAG.endStream) !== 0
    if (stream.received >= STREAM_WINDOW / 2 && !last) {
      this.#out.push(windowUpdateFrame(id, stream.received))
      stream.received = 0
    }
    const [from, to] = flags & FLAG.padded ? unpad(bytes, start, end) : [start, end]
    if (last) stream.remoteEnded = true
    if (to > from) stream.handler?.data(bytes.subarray(from, to))
    if (last) this.#remoteEnd(stream)
  }

  #onBlock(block: HeaderBlock | null): void {
    if (!block) return
    const { stream: id, endStream } = block
    const fields = this.#hpack.decode(block.bytes)
    if (id <= this.#lastStream) return this.#onTrailers(id, endStream)
    this.#lastStream = id
    if (id > this.#lastAccepted) return
    const stream = new ServerStream(this, id, this.#initialWindow)
    stream.remoteEnded = endStream
    this.#streams.set(id, stream)
    if (this.#streams.size + this.#abandoned > MAX_STREAMS) return this.reset(stream, CODE.refusedStream)
    if (!fields || !wellFormed(fields)) return this.reset(stream, CODE.protocolError)
    stream.handler = this.#accept(stream, fields, endStream)
    if (endStream) this.#remoteEnd(stream)
  }

  /** Of the client's, which mean nothing in gRPC but the end of its side. */
  #onTrailers(id: number, endStream: boolean): void {
    const stream = this.#streams.get(id)
    if (!stream) return
    if (stream.remoteEnded || !endStream) return this.#drop(stream, stream.remoteEnded ? CODE.streamClosed : CODE.protocolError)
    stream.remoteEnded = true
    this.#remoteEnd(stream)
  }

  #onWindowUpdate(id: number, payload: Buffer): void {
    if (payload.length !== 4) throw new ConnectionError(CODE.frameSizeError, 'a window update of a wrong size')
    const increment = payload.readUInt32BE() & LAST_OF_ALL
    if (id === 0) {
      if (increment === 0) throw new ConnectionError(CODE.protocolError, 'a window update by nothing')
      this.#sendWindow += increment
      if (this.#sendWindow > MAX_WINDOW) throw new ConnectionError(CODE.flowControlError, 'the window is too large')
      return this.#resume()
    }
    const stream = this.#open(id)
    if (!stream) return
    stream.sendWindow += increment
    if (increment === 0) return this.#drop(stream, CODE.protocolError)
    if (stream.sendWindow > MAX_WINDOW) return this.#drop(stream, CODE.flowControlError)
    if (this.#blocked.has(stream)) this.pump(stream)
  }

  #onPing(id: number, flags: number, payload: Buffer): void {
    const answer = this.#pings.received(id, flags, payload)
    if (answer) this.#out.push(answer)
  }

  #onSettings(id: number, flags: number, payload: Buffer): void {
    const window = initialWindowIn(id, flags, payload)
    if (flags & FLAG.ack) return
    if (window !== null) this.#setInitialWindow(window)
    if (this.#out.full) throw new ConnectionError(CODE.enhanceYourCalm, 'settings that nobody reads the answers to')
    this.#out.push(frame(FRAME.settings, FLAG.ack, 0, Buffer.alloc(0)))
  }

  #setInitialWindow(window: number): void {
    const difference = window - this.#initialWindow
    this.#initialWindow = window
    for (const stream of this.#streams.values()) {
      stream.sendWindow += difference
      if (stream.sendWindow > MAX_WINDOW) throw new ConnectionError(CODE.flowControlError, 'the window is too large')
    }
    this.#resume()
  }

  #onReset(id: number, size: number): void {
    if (size !== 4) throw new ConnectionError(CODE.frameSizeError, 'a reset of a wrong size')
    const stream = this.#open(id)
    if (stream) this.#giveUp(stream)
  }

  /** The stream if it is open. Throws if it never was. */
  #open(id: number): ServerStream | undefined {
    const stream = this.#streams.get(id)
    if (!stream && (id === 0 || id > this.#lastStream)) throw new ConnectionError(CODE.protocolError, `stream ${id} was not opened`)
    return stream
  }

  #remoteEnd(stream: ServerStream): void {
    stream.handler?.end()
  }

  #localEnd(stream: ServerStream): void {
    stream.localEnded = true
    stream.trailers = null
    // The client need not send what nobody reads.
    if (!stream.remoteEnded) this.#out.push(resetFrame(stream.id, CODE.noError))
    this.#forget(stream)
  }

  /** Ends a stream on which the client made a mistake. */
  #drop(stream: ServerStream, code: ErrorCode): void {
    this.#out.push(resetFrame(stream.id, code))
    this.#giveUp(stream)
  }

  #giveUp(stream: ServerStream): void {
    const { handler } = stream
    stream.localEnded = true
    stream.remoteEnded = true
    this.#forget(stream)
    if (!handler) return
    stream.abandoned = true
    this.#abandoned++
    handler.closed()
  }

  #forget(stream: ServerStream): void {
    stream.handler = null
    stream.queue.length = 0
    stream.waiting = 0
    this.#streams.delete(stream.id)
    this.#blocked.delete(stream)
    stream.tellDrained()
    this.#finishIfIdle()
  }

  #resume(): void {
    for (const stream of [...this.#blocked]) {
      if (this.#out.full || this.#sendWindow <= 0) return
      this.pump(stream)
    }
  }

  #finishIfIdle(): void {
    if (this.#lastAccepted === LAST_OF_ALL || this.#streams.size > 0 || this.#closed) return
    this.#out.finish()
  }

  #fail(error: ConnectionError): void {
    this.#out.push(goAwayFrame(this.#lastStream, error.code, error.message))
    this.#out.finish(true)
    this.#lost()
  }

  #lost(): void {
    if (this.#closed) return
    this.#closed = true
    for (const stream of [...this.#streams.values()]) this.#giveUp(stream)
    this.#frames.stop()
    if (!this.#socket.writableEnded) this.#socket.destroy()
    this.#onClose(this)
  }
}
