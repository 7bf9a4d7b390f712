import { create, fromBinary, toBinary } from '@bufbuild/protobuf'
import type {
  DescMessage,
  DescMethod,
  DescMethodBiDiStreaming,
  DescMethodServerStreaming,
  DescMethodUnary,
  MessageInitShape,
  MessageShape,
} from '@bufbuild/protobuf'
import { connectivityState, Metadata } from '@grpc/grpc-js'
import { type Clock, sleep } from '../../base/clock.ts'
import { messageOf } from '../../base/errors.ts'
import type { Logger } from '../../base/logger.ts'
import { StoreError } from '../store.ts'
import { type Endpoint } from './endpoint.ts'
import { failureOf, isServiceError, reasonIn } from './etcd-error.ts'
import { Maintenance } from '../wire/gen/etcd_pb.js'

/** How long a request looks for a member that serves it, in milliseconds. */
const PATIENCE = 10_000
/** How long one member may take to answer, in milliseconds. A member that is gone is noticed earlier, by its connection. */
const ANSWER = 30_000
/** Between a member's refusal to serve and the next try, in milliseconds. */
const PAUSE = 100
/** How long finding out why a member does not answer may take, in milliseconds. */
const DIAGNOSIS = 500

export interface CallOptions {
  /** Carrying it out twice does no harm, so that it is tried again when nobody knows whether it was. */
  readonly repeatable: boolean
  /** Milliseconds for the answer of one member. */
  readonly timeout?: number
}

/** A two-way stream to one member. Reading it throws StoreError, `unavailable` when the stream broke. */
export interface Duplex<I, O> extends AsyncIterable<O> {
  send(message: I): void
  cancel(): void
}

/** The cluster as one peer: each request goes to a member that can serve it, the same one as long as it can. */
export class EtcdConnection implements Disposable {
  readonly #endpoints: readonly Endpoint[]
  readonly #clock: Clock
  readonly #logger: Logger
  /** Members without a leader refuse at once then, instead of waiting for one. */
  readonly #metadata = new Metadata()
  #current = 0
  #closed = false

  constructor(deps: { endpoints: readonly Endpoint[]; clock: Clock; logger: Logger }) {
    this.#endpoints = deps.endpoints
    this.#clock = deps.clock
    this.#logger = deps.logger
    this.#metadata.set('hasleader', 'true')
  }

  /**
   * Throws StoreError: what etcd refused, or `unavailable` when no member answered in time, or one broke off in the middle of what
   * cannot be repeated.
   */
  async unary<I extends DescMessage, O extends DescMessage>(
    method: DescMethodUnary<I, O>,
    input: MessageInitShape<I>,
    options: CallOptions,
  ): Promise<MessageShape<O>> {
    const until = this.#clock.monotonic() + PATIENCE
    for (;;) {
      const endpoint = await this.#pick(until)
      try {
        return await this.#call(endpoint, method, input, options.timeout ?? ANSWER)
      } catch (error) {
        const failure = failureOf(error)
        if (this.#closed) throw closed()
        if (failure.kind === 'refused') throw failure.error
        this.#moveOn(endpoint, failure.why)
        if (failure.begun && !options.repeatable) {
          const message = `${method.name} may or may not have been carried out: the etcd member ${endpoint.url} broke off (${failure.why})`
          throw new StoreError('unavailable', message, { cause: error })
        }
        if (this.#clock.monotonic() >= until) {
          throw new StoreError('unavailable', `the etcd member ${endpoint.url} did not serve ${method.name}: ${failure.why}`, {
            cause: error,
          })
        }
        await sleep(this.#clock, PAUSE)
      }
    }
  }

  async duplex<I extends DescMessage, O extends DescMessage>(
    method: DescMethodBiDiStreaming<I, O>,
  ): Promise<Duplex<MessageInitShape<I>, MessageShape<O>>> {
    const endpoint = await this.#pick(this.#clock.monotonic() + PATIENCE)
    const call = endpoint.client.makeBidiStreamRequest<MessageInitShape<I>, MessageShape<O>>(
      pathOf(method),
      (message) => Buffer.from(toBinary(method.input, create(method.input, message))),
      (bytes) => fromBinary(method.output, bytes),
      this.#metadata,
    )
    // A stream that is cancelled while nobody reads it has no one to tell.
    call.on('error', () => undefined)
    return {
      send: (message) => void call.write(message),
      // A call that is cancelled in the turn in which it was made would stay open at the member: its stream begins all the same.
      cancel: () => void setImmediate(() => call.cancel()),
      [Symbol.asyncIterator]: () => this.#read(endpoint, call),
    }
  }

  /** What one member streams. Reading it throws StoreError, `unavailable` when the stream broke; leaving off cancels it. */
  async stream<I extends DescMessage, O extends DescMessage>(
    method: DescMethodServerStreaming<I, O>,
    input: MessageInitShape<I>,
  ): Promise<AsyncGenerator<MessageShape<O>, void>> {
    const endpoint = await this.#pick(this.#clock.monotonic() + PATIENCE)
    const call = endpoint.client.makeServerStreamRequest<MessageInitShape<I>, MessageShape<O>>(
      pathOf(method),
      (message) => Buffer.from(toBinary(method.input, create(method.input, message))),
      (bytes) => fromBinary(method.output, bytes),
      input,
      this.#metadata,
    )
    call.on('error', () => undefined)
    return this.#read(endpoint, call)
  }

  /** Asks every member, one after the other, once; those that are not connected are waited for. Throws StoreError with the member's name when one does not answer. */
  async each<I extends DescMessage, O extends DescMessage>(
    method: DescMethodUnary<I, O>,
    input: MessageInitShape<I>,
    timeout: number,
  ): Promise<{ readonly url: string; readonly answer: MessageShape<O> }[]> {
    const answers: { url: string; answer: MessageShape<O> }[] = []
    for (const endpoint of this.#endpoints) {
      try {
        await this.#connected(endpoint)
        answers.push({ url: endpoint.url, answer: await this.#call(endpoint, method, input, timeout) })
      } catch (error) {
        if (this.#closed) throw closed()
        const failure = failureOf(error)
        if (failure.kind === 'refused') throw failure.error
        throw new StoreError('unavailable', `the etcd member ${endpoint.url} did not serve ${method.name}: ${failure.why}`, {
          cause: error,
        })
      }
    }
    return answers
  }

  [Symbol.dispose](): void {
    this.#closed = true
    for (const { client } of this.#endpoints) client.close()
  }

  async *#read<T>(endpoint: Endpoint, call: AsyncIterable<unknown> & { cancel(): void }): AsyncGenerator<T, void> {
    try {
      for await (const message of call) yield message as T
    } catch (error) {
      if (this.#closed) throw closed()
      const failure = failureOf(error)
      if (failure.kind === 'refused') throw failure.error
      this.#moveOn(endpoint, failure.why)
      throw new StoreError('unavailable', `the stream to the etcd member ${endpoint.url} broke: ${failure.why}`, { cause: error })
    } finally {
      call.cancel()
    }
  }

  #call<I extends DescMessage, O extends DescMessage>(
    endpoint: Endpoint,
    method: DescMethodUnary<I, O>,
    input: MessageInitShape<I>,
    timeout: number,
  ): Promise<MessageShape<O>> {
    return new Promise((resolve, reject) => {
      endpoint.client.makeUnaryRequest<MessageInitShape<I>, MessageShape<O>>(
        pathOf(method),
        (message) => Buffer.from(toBinary(method.input, create(method.input, message))),
        (bytes) => fromBinary(method.output, bytes),
        input,
        this.#metadata,
        { deadline: this.#clock.now() + timeout },
        (error, value) => {
          if (error) reject(error)
          else if (value === undefined) reject(new StoreError('unavailable', `etcd ended ${method.name} without an answer`))
          else resolve(value)
        },
      )
    })
  }

  /** A connected member, the current one by preference; waits for whichever connects first. */
  async #pick(until: number): Promise<Endpoint> {
    if (this.#closed) throw closed()
    const all = this.#endpoints.length
    for (let i = 0; i < all; i++) {
      const index = (this.#current + i) % all
      const endpoint = this.#endpoints[index] as Endpoint
      if (endpoint.client.getChannel().getConnectivityState(true) !== connectivityState.READY) continue
      this.#current = index
      return endpoint
    }
    const deadline = this.#clock.now() + Math.max(1, until - this.#clock.monotonic())
    const ready = this.#endpoints.map(
      ({ client }, index) =>
        new Promise<number>((resolve, reject) => {
          client.waitForReady(deadline, (error) => (error ? reject(error) : resolve(index)))
        }),
    )
    try {
      this.#current = await Promise.any(ready)
    } catch (error) {
      if (this.#closed) throw closed()
      throw await this.#unreachable(error)
    }
    return this.#endpoints[this.#current] as Endpoint
  }

  /** A connection that broke is made again with pauses, in which a call would fail at once. */
  #connected({ client }: Endpoint): Promise<void> {
    return new Promise((resolve) => client.waitForReady(this.#clock.now() + PATIENCE, () => resolve()))
  }

  #moveOn(from: Endpoint, why: string): void {
    if (this.#endpoints[this.#current] !== from || this.#endpoints.length === 1) return
    this.#current = (this.#current + 1) % this.#endpoints.length
    this.#logger.warn('an etcd member does not serve; the next one is asked', { member: from.url, why })
  }

  /** Asks each member once more, for the reason. */
  async #unreachable(cause: unknown): Promise<StoreError> {
    const reasons = this.#endpoints.map(async (endpoint) => {
      const why = await this.#call(endpoint, Maintenance.method.status, {}, DIAGNOSIS).then(
        () => 'answered too late',
        (error: unknown) => (isServiceError(error) ? reasonIn(error.details) : messageOf(error)),
      )
      return `${endpoint.url}: ${why}`
    })
    return new StoreError('unavailable', `no etcd member answers (${(await Promise.all(reasons)).join('; ')})`, { cause })
  }
}

function pathOf(method: DescMethod): string {
  return `/${method.parent.typeName}/${method.name}`
}

function closed(): StoreError {
  return new StoreError('closed', 'the store is closed')
}
