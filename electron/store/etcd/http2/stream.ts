import type { ErrorCode } from './frame.ts'
import type { HeaderField } from './hpack.ts'

/** What is done with a request. All is called in the order of the stream; nothing after `closed`. */
export interface StreamHandler {
  /** A piece of the body, which is the connection's: what is to be kept must be copied. */
  data(bytes: Buffer): void
  /** The body is complete. */
  end(): void
  /** The client gave the request up, or is gone. Whatever is sent from now on is dropped. */
  closed(): void
  /** The server is about to stop: what would go on for as long as the client likes ends now. */
  leave(): void
}

/** Begins a request. `complete`: it has no body. */
export type Accept = (stream: ServerStream, fields: readonly HeaderField[], complete: boolean) => StreamHandler

/** What a stream needs of its connection. */
export interface StreamOwner {
  /** Sends headers, body and trailers in one piece; false if that cannot be done now. */
  whole(stream: ServerStream, head: Buffer, body: Buffer, tail: Buffer): boolean
  headers(stream: ServerStream, block: Buffer, last: boolean): void
  /** Sends of the stream's queue what the windows allow. */
  pump(stream: ServerStream): void
  reset(stream: ServerStream, code: ErrorCode): void
  /** Nobody works on it any more. */
  released(stream: ServerStream): void
}

/** A request and its answer, as the server sees it. Header blocks come encoded, without any use of the dynamic table. */
export class ServerStream {
  readonly id: number
  readonly #owner: StreamOwner
  handler: StreamHandler | null = null
  /** How much the client lets be sent; may be below 0 after it changed its mind. */
  sendWindow: number
  /** What was received since the client was last told that there is room again. */
  received = 0
  /** The client has said all. */
  remoteEnded = false
  /** This end has said all, or may not say any more. */
  localEnded = false
  /** The client gave it up while it was worked on. */
  abandoned = false
  /** What waits to be sent. */
  readonly queue: Buffer[] = []
  /** Bytes of `queue`. */
  waiting = 0
  /** Comes after the queue. */
  trailers: Buffer | null = null
  #drained: (() => void) | null = null

  constructor(owner: StreamOwner, id: number, sendWindow: number) {
    this.#owner = owner
    this.id = id
    this.sendWindow = sendWindow
  }

  /** The whole answer at once. */
  respond(head: Buffer, body: Buffer, trailers: Buffer): void {
    if (this.localEnded) return this.#release()
    if (this.#owner.whole(this, head, body, trailers)) return
    this.#owner.headers(this, head, false)
    this.send(body)
    this.end(trailers)
  }

  headers(block: Buffer): void {
    if (!this.localEnded) this.#owner.headers(this, block, false)
  }

  /** The whole answer, which has no body. */
  headersOnly(block: Buffer): void {
    if (this.localEnded) return this.#release()
    this.#owner.headers(this, block, true)
  }

  send(bytes: Buffer): void {
    if (this.localEnded || bytes.length === 0) return
    this.queue.push(bytes)
    this.waiting += bytes.length
    this.#owner.pump(this)
  }

  end(trailers: Buffer): void {
    if (this.localEnded) return this.#release()
    this.trailers = trailers
    this.#owner.pump(this)
  }

  reset(code: ErrorCode): void {
    if (this.localEnded) return this.#release()
    this.#owner.reset(this, code)
  }

  /** Resolves when all that was sent so far is on its way, or never will be. */
  drained(): Promise<void> {
    if (this.waiting === 0 || this.localEnded) return Promise.resolve()
    return new Promise((resolve) => {
      const before = this.#drained
      this.#drained = () => {
        before?.()
        resolve()
      }
    })
  }

  /** For the connection: whoever waits for room is told. */
  tellDrained(): void {
    const tell = this.#drained
    this.#drained = null
    tell?.()
  }

  #release(): void {
    if (!this.abandoned) return
    this.abandoned = false
    this.#owner.released(this)
  }
}
