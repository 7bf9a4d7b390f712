import { AsyncQueue, deferred, type Deferred } from '../base/async.ts'
import { CREDIT, type Message, type Port } from './protocol.ts'

/** One message of a stream: a value of the channel's schema and, where the channel carries them, bytes. */
export interface Packet<T> {
  readonly value: T
  readonly bytes?: Uint8Array
}

/** One end of a stream. Iterating grants the peer credit; `send` waits while there is none. */
export interface Duplex<In, Out> extends AsyncIterable<Packet<In>> {
  send(value: Out, bytes?: Uint8Array): Promise<void>
  /** No more from this end. */
  end(): void
  /** Aborts when the stream is over for any reason. */
  readonly signal: AbortSignal
}

/** The state machine of one stream, the same at both ends. */
export class DuplexEnd<In, Out> implements Duplex<In, Out> {
  readonly #id: number
  readonly #port: Port
  readonly #check: (value: unknown) => In
  readonly #onOver: () => void
  readonly #peerEndIsFinal: boolean
  readonly #incoming = new AsyncQueue<Packet<In>>({
    limit: CREDIT * 2,
    overflow: () => new Error('the peer sent more than it was granted'),
  })
  readonly #over = new AbortController()
  #credit = CREDIT
  #granted = 0
  #waiting: Deferred<void>[] = []
  #sentEnd = false

  constructor(options: { id: number; port: Port; check: (value: unknown) => In; onOver?: () => void; peerEndIsFinal: boolean }) {
    this.#id = options.id
    this.#port = options.port
    this.#check = options.check
    this.#onOver = options.onOver ?? (() => undefined)
    this.#peerEndIsFinal = options.peerEndIsFinal
  }

  get signal(): AbortSignal {
    return this.#over.signal
  }

  async send(value: Out, bytes?: Uint8Array): Promise<void> {
    while (this.#credit === 0 && !this.#over.signal.aborted) {
      const turn = deferred<void>()
      this.#waiting.push(turn)
      await turn.promise
    }
    if (this.#over.signal.aborted) throw this.#over.signal.reason as Error
    if (this.#sentEnd) throw new Error('send after end')
    this.#credit--
    this.#port.post(bytes ? { t: 'data', id: this.#id, value, bytes } : { t: 'data', id: this.#id, value })
  }

  end(): void {
    if (this.#sentEnd || this.#over.signal.aborted) return
    this.#sentEnd = true
    this.#port.post({ t: 'end', id: this.#id })
  }

  async *[Symbol.asyncIterator](): AsyncIterator<Packet<In>> {
    for await (const packet of this.#incoming) {
      yield packet
      this.#granted++
      if (this.#granted < CREDIT / 2 || this.#over.signal.aborted) continue
      this.#port.post({ t: 'credit', id: this.#id, n: this.#granted })
      this.#granted = 0
    }
  }

  /** Takes a message of this stream from the port. */
  accept(message: Message): void {
    if (message.t === 'data') {
      try {
        const value = this.#check(message.value)
        this.#incoming.push(message.bytes ? { value, bytes: message.bytes } : { value })
      } catch (error) {
        this.close(error)
      }
    } else if (message.t === 'credit') {
      this.#credit += message.n
      const waiting = this.#waiting
      this.#waiting = []
      for (const turn of waiting) turn.resolve()
    } else if (message.t === 'end') {
      this.#incoming.end()
      if (this.#peerEndIsFinal) this.#finish(new DOMException('the stream has ended', 'AbortError'))
    }
  }

  /** Ends both directions at this end; telling the peer is the owner's part. */
  close(reason: unknown): void {
    if (this.#over.signal.aborted) return
    this.#incoming.fail(reason)
    this.#finish(reason)
  }

  #finish(reason: unknown): void {
    this.#over.abort(reason)
    for (const turn of this.#waiting) turn.resolve()
    this.#waiting = []
    this.#onOver()
  }
}
