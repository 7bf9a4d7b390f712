import { encodeHeaders } from '../http2/hpack.ts'
import type { ServerStream, StreamHandler } from '../http2/stream.ts'
import { MessageReader } from './message.ts'
import { GrpcError, STATUS, type StatusCode } from './status.ts'

/** A call that may take long, as whoever answers it sees it. */
export interface CallContext {
  /** Aborts when the client gives up or is gone. */
  readonly signal: AbortSignal
}

/** Takes a message, gives a prefixed one. Rejects with what becomes of it a GrpcError. The message is only there until it returns. */
export type Unary = (message: Buffer, call: CallContext) => Promise<Buffer>

/** The server's end of a stream of messages. */
export interface StreamCall extends CallContext {
  /** `message` is prefixed. */
  send(message: Buffer): void
  /** What was sent waits for the client to make room. */
  readonly blocked: boolean
  /** Resolves when the client has room for more: to be waited for between messages. */
  drained(): Promise<void>
  /** Ends it; well, without an error. */
  finish(error?: GrpcError): void
}

/** What is done with the client's messages. */
export interface StreamReceiver {
  /** Throwing GrpcError ends the call. */
  message(bytes: Buffer): void
  /** The client has said all. */
  end(): void
}

export type Stream = (call: StreamCall) => StreamReceiver

export type Method = { readonly kind: 'unary'; readonly handle: Unary } | { readonly kind: 'stream'; readonly open: Stream }

const OK_HEAD = encodeHeaders([
  [':status', '200'],
  ['content-type', 'application/grpc'],
])
const OK_TAIL = encodeHeaders([['grpc-status', '0']])

export function refuse(stream: ServerStream, { code, message }: GrpcError): void {
  stream.headersOnly(encodeHeaders([[':status', '200'], ['content-type', 'application/grpc'], ...statusFields(code, message)]))
}

function statusFields(code: StatusCode, message: string): [string, string][] {
  return [
    ['grpc-status', String(code)],
    ['grpc-message', percentEncoded(message)],
  ]
}

/** gRPC over HTTP/2, "Percent-Encoded". */
function percentEncoded(text: string): string {
  return Buffer.from(text, 'utf8')
    .toString('latin1')
    .replace(/[^ -$&-~]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`)
}

/** Bytes of messages that are not complete yet, of all calls; above the limit calls are refused. */
export class Intake {
  readonly #limit: number
  #bytes = 0

  constructor(limit: number) {
    this.#limit = limit
  }

  /** Throws GrpcError if there is no room; counted it is all the same. */
  change(by: number): void {
    this.#bytes += by
    if (by > 0 && this.#bytes > this.#limit) throw new GrpcError(STATUS.resourceExhausted, 'etcdserver: too many requests')
  }
}

export interface CallDeps {
  readonly intake: Intake
  readonly toError: (error: unknown) => GrpcError
  /** What calls end with that the server's stop cuts off. */
  readonly stopped: () => GrpcError
}

/** The messages of one call, and their share of the intake. */
class Incoming {
  readonly #intake: Intake
  readonly #reader = new MessageReader()
  #held = 0

  constructor(intake: Intake) {
    this.#intake = intake
  }

  get waiting(): number {
    return this.#reader.waiting
  }

  /** Throws GrpcError. */
  push(bytes: Buffer): Buffer[] {
    const messages = this.#reader.push(bytes)
    const change = this.#reader.waiting - this.#held
    this.#held += change
    if (change !== 0) this.#intake.change(change)
    return messages
  }

  drop(): void {
    this.#intake.change(-this.#held)
    this.#held = 0
  }
}

/** One message, one answer. */
export class UnaryCall implements StreamHandler, CallContext {
  readonly #stream: ServerStream
  readonly #handle: Unary
  readonly #toError: (error: unknown) => GrpcError
  readonly #incoming: Incoming
  #message: Buffer | null = null
  #controller: AbortController | null = null
  #settled = false
  #gone = false

  constructor(stream: ServerStream, handle: Unary, deps: CallDeps) {
    this.#stream = stream
    this.#handle = handle
    this.#toError = deps.toError
    this.#incoming = new Incoming(deps.intake)
  }

  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController()
      if (this.#gone) this.#controller.abort()
    }
    return this.#controller.signal
  }

  data(bytes: Buffer): void {
    if (this.#settled) return
    try {
      const messages = this.#incoming.push(bytes)
      const [message] = messages
      if (!message) return
      if (messages.length > 1 || this.#message) throw new GrpcError(STATUS.internal, 'grpc: a unary call has one message')
      // It must outlive this turn unless the call can begin in it.
      this.#message = this.#stream.remoteEnded ? message : Buffer.from(message)
    } catch (error) {
      this.#fail(this.#toError(error))
    }
  }

  end(): void {
    if (this.#settled) return
    const message = this.#message
    if (!message || this.#incoming.waiting > 0) {
      return this.#fail(new GrpcError(STATUS.internal, 'grpc: the message of a unary call is missing or cut off'))
    }
    this.#settled = true
    this.#message = null
    this.#run(message).then(
      (answer) => this.#stream.respond(OK_HEAD, answer, OK_TAIL),
      (error: unknown) => refuse(this.#stream, this.#toError(error)),
    )
  }

  closed(): void {
    this.#gone = true
    this.#controller?.abort()
    if (!this.#settled) this.#fail(new GrpcError(STATUS.cancelled, 'the client gave up'))
  }

  /** Only what waits for something listens to the signal. */
  leave(): void {
    this.#controller?.abort()
  }

  #run(message: Buffer): Promise<Buffer> {
    try {
      return this.#handle(message, this)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  #fail(error: GrpcError): void {
    this.#settled = true
    this.#message = null
    this.#incoming.drop()
    refuse(this.#stream, error)
  }
}

/** Any number of messages, one way or both ways. */
export class StreamingCall implements StreamHandler, StreamCall {
  readonly #stream: ServerStream
  readonly #deps: CallDeps
  readonly #incoming: Incoming
  readonly #controller = new AbortController()
  readonly #receiver: StreamReceiver
  #begun = false
  #ended = false

  constructor(stream: ServerStream, open: Stream, deps: CallDeps) {
    this.#stream = stream
    this.#deps = deps
    this.#incoming = new Incoming(deps.intake)
    this.#receiver = open(this)
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  send(message: Buffer): void {
    if (this.#ended) return
    this.#begin()
    this.#stream.send(message)
  }

  get blocked(): boolean {
    return this.#stream.waiting > 0
  }

  drained(): Promise<void> {
    return this.#stream.drained()
  }

  finish(error?: GrpcError): void {
    if (this.#ended) return
    this.#stop()
    if (error && !this.#begun) return refuse(this.#stream, error)
    this.#begin()
    this.#stream.end(error ? encodeHeaders(statusFields(error.code, error.message)) : OK_TAIL)
  }

  data(bytes: Buffer): void {
    if (this.#ended) return
    try {
      for (const message of this.#incoming.push(bytes)) if (!this.#ended) this.#receiver.message(message)
    } catch (error) {
      this.finish(this.#deps.toError(error))
    }
  }

  end(): void {
    if (!this.#ended) this.#receiver.end()
  }

  closed(): void {
    if (!this.#ended) this.#stop()
    // Nothing is sent any more; the connection learns that nobody works on it.
    this.#stream.end(OK_TAIL)
  }

  leave(): void {
    this.finish(this.#deps.stopped())
  }

  #begin(): void {
    if (this.#begun) return
    this.#begun = true
    this.#stream.headers(OK_HEAD)
  }

  #stop(): void {
    this.#ended = true
    this.#incoming.drop()
    this.#controller.abort()
  }
}
