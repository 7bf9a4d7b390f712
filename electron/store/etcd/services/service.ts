import {
  create,
  type DescMethod,
  type DescMethodUnary,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from '@bufbuild/protobuf'
import type { DescMessage } from '@bufbuild/protobuf'
import type { Clock } from '../../../base/clock.ts'
import type { Logger } from '../../../base/logger.ts'
import { type Store } from '../../store.ts'
import type { HeaderCodec, Identity } from '../codec/header.ts'
import type { CallContext, Method } from '../grpc/call.ts'
import { prefixed } from '../grpc/message.ts'
import { GrpcError, STATUS } from '../grpc/status.ts'

/** What etcd's services work with. */
export interface ServiceDeps {
  readonly store: Store
  readonly clock: Clock
  readonly logger: Logger
  readonly identity: Identity
  readonly headers: HeaderCodec
  /** Where clients reach this server: "https://127.0.0.1:2379". */
  readonly clientUrls: () => readonly string[]
}

export type Service = readonly (readonly [path: string, method: Method])[]

export function pathOf(method: DescMethod): string {
  return `/${method.parent.typeName}/${method.name}`
}

/** Throws GrpcError. */
export function parse<T extends DescMessage>(schema: T, bytes: Uint8Array): MessageShape<T> {
  try {
    return fromBinary(schema, bytes)
  } catch (error) {
    throw new GrpcError(STATUS.internal, `grpc: error unmarshalling request: ${String(error)}`, { cause: error })
  }
}

export function serialize<T extends DescMessage>(schema: T, message: MessageInitShape<T>): Buffer {
  return prefixed(toBinary(schema, create(schema, message)))
}

/** A method whose messages the generated code reads and writes. */
export function unary<I extends DescMessage, O extends DescMessage>(
  method: DescMethodUnary<I, O>,
  handle: (request: MessageShape<I>, call: CallContext) => Promise<MessageInitShape<O>>,
): Service[number] {
  return [
    pathOf(method),
    {
      kind: 'unary',
      // The request is read at once: its bytes are only there until this returns.
      handle: (bytes, call) => handle(parse(method.input, bytes), call).then((answer) => serialize(method.output, answer)),
    },
  ]
}

/** A method that is known and refused. */
export function refused(method: DescMethod, error: () => GrpcError): Service[number] {
  return [pathOf(method), { kind: 'unary', handle: () => Promise.reject(error()) }]
}

/** The store's newest revision, by a linearizable read. */
export async function newestRevision(store: Store): Promise<number> {
  return (await store.range({ key: '\0', countOnly: true })).revision
}
