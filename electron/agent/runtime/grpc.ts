/** gRPC over a unix socket with generated messages: deadlines, cancellation, and errors as RuntimeError. */
import { create, fromBinary, toBinary } from '@bufbuild/protobuf'
import type {
  DescMessage,
  DescMethod,
  DescMethodServerStreaming,
  DescMethodUnary,
  MessageInitShape,
  MessageShape,
} from '@bufbuild/protobuf'
import { Client, Metadata, credentials } from '@grpc/grpc-js'
import type { ServiceError } from '@grpc/grpc-js'
import type { Clock } from '../../base/clock.ts'
import { RuntimeError, fromGrpcCode } from './runtime-error.ts'

export interface CallOptions {
  /** Milliseconds; absent: no deadline. */
  readonly timeout?: number | undefined
  readonly signal?: AbortSignal | undefined
}

const MAX_MESSAGE = 32 << 20

export class GrpcConnection implements Disposable {
  readonly #client: Client
  readonly #clock: Clock
  readonly #metadata: Metadata

  /** `address` as gRPC names it: "unix:///run/x.sock" or "10.0.0.1:5000". `headers` go with every call. */
  constructor(address: string, clock: Clock, headers: Readonly<Record<string, string>> = {}) {
    this.#clock = clock
    this.#client = new Client(address, credentials.createInsecure(), {
      'grpc.max_receive_message_length': MAX_MESSAGE,
      'grpc.max_send_message_length': MAX_MESSAGE,
      'grpc.initial_reconnect_backoff_ms': 100,
      'grpc.max_reconnect_backoff_ms': 2000,
      'grpc.enable_http_proxy': 0,
    })
    this.#metadata = new Metadata()
    for (const [name, value] of Object.entries(headers)) this.#metadata.set(name, value)
  }

  unary<I extends DescMessage, O extends DescMessage>(
    method: DescMethodUnary<I, O>,
    input: MessageInitShape<I>,
    options: CallOptions = {},
  ): Promise<MessageShape<O>> {
    return new Promise((resolve, reject) => {
      const { signal } = options
      if (signal?.aborted) return reject(signal.reason as Error)
      const onAbort = () => call.cancel()
      const call = this.#client.makeUnaryRequest<MessageShape<I>, MessageShape<O>>(
        pathOf(method),
        (message) => Buffer.from(toBinary(method.input, message)),
        (bytes) => fromBinary(method.output, bytes),
        create(method.input, input),
        this.#metadata,
        this.#callOptions(options),
        (error, value) => {
          signal?.removeEventListener('abort', onAbort)
          if (error) reject(signal?.aborted ? (signal.reason as Error) : toRuntimeError(error))
          else if (value === undefined) reject(new RuntimeError('Internal', `${method.name} ended without an answer`))
          else resolve(value)
        },
      )
      signal?.addEventListener('abort', onAbort, { once: true })
    })
  }

  /** Ends when the server does; throws RuntimeError when the stream breaks, and the signal's reason when aborted. */
  async *stream<I extends DescMessage, O extends DescMessage>(
    method: DescMethodServerStreaming<I, O>,
    input: MessageInitShape<I>,
    options: CallOptions = {},
  ): AsyncGenerator<MessageShape<O>, void> {
    const { signal } = options
    signal?.throwIfAborted()
    const call = this.#client.makeServerStreamRequest<MessageShape<I>, MessageShape<O>>(
      pathOf(method),
      (message) => Buffer.from(toBinary(method.input, message)),
      (bytes) => fromBinary(method.output, bytes),
      create(method.input, input),
      this.#metadata,
      this.#callOptions(options),
    )
    const onAbort = () => call.cancel()
    signal?.addEventListener('abort', onAbort, { once: true })
    try {
      for await (const message of call) yield message as MessageShape<O>
    } catch (error) {
      throw signal?.aborted ? signal.reason : toRuntimeError(error)
    } finally {
      signal?.removeEventListener('abort', onAbort)
      call.cancel()
    }
  }

  [Symbol.dispose](): void {
    this.#client.close()
  }

  #callOptions(options: CallOptions): { deadline?: number } {
    return options.timeout === undefined ? {} : { deadline: this.#clock.now() + options.timeout }
  }
}

function pathOf(method: DescMethod): string {
  return `/${method.parent.typeName}/${method.name}`
}

function toRuntimeError(error: unknown): unknown {
  if (!isServiceError(error)) return error
  return new RuntimeError(fromGrpcCode(error.code), error.details || error.message, { cause: error })
}

function isServiceError(error: unknown): error is ServiceError {
  return error instanceof Error && 'code' in error && typeof error.code === 'number' && 'details' in error
}
