import { encodeHeaders, type HeaderField } from '../http2/hpack.ts'
import type { Accept, ServerStream, StreamHandler } from '../http2/stream.ts'
import { type CallDeps, Intake, type Method, refuse, StreamingCall, UnaryCall } from './call.ts'
import { GrpcError, STATUS } from './status.ts'

/** Of messages that are not complete, of all calls together. */
const MAX_INTAKE = 256 * 1024 * 1024

/** An answer to a request that is not gRPC. */
export interface PlainAnswer {
  readonly status: number
  readonly type: string
  readonly body: string
}

/** Methods by their path: "/etcdserverpb.KV/Put". */
export type Methods = ReadonlyMap<string, Method>

/** What hears a stream that has been answered already. */
const DEAF: StreamHandler = { data() {}, end() {}, closed() {}, leave() {} }

/** For clients that may do nothing. */
export const denyAll: Accept = (stream) => {
  refuse(stream, new GrpcError(STATUS.permissionDenied, 'etcdserver: permission denied'))
  return DEAF
}

/** Finds who answers a request. `plain` answers what is not gRPC. */
export function route(
  methods: Methods,
  errors: Pick<CallDeps, 'toError' | 'stopped'>,
  plain: (method: string, path: string) => Promise<PlainAnswer>,
): Accept {
  const deps: CallDeps = { ...errors, intake: new Intake(MAX_INTAKE) }
  const services = new Set([...methods.keys()].map((path) => path.split('/')[1]))
  return (stream, fields) => {
    let path = ''
    let verb = ''
    let type = ''
    for (const { name, value } of fields) {
      if (name === ':path') path = value
      else if (name === ':method') verb = value
      else if (name === 'content-type') type = value
    }
    if (!type.startsWith('application/grpc')) return answerPlainly(stream, plain(verb, path))
    const method = methods.get(path)
    if (!method || verb !== 'POST') {
      refuse(stream, unknown(path, services))
      return DEAF
    }
    if (method.kind === 'unary') return new UnaryCall(stream, method.handle, deps)
    return new StreamingCall(stream, method.open, deps)
  }
}

function answerPlainly(stream: ServerStream, answer: Promise<PlainAnswer>): StreamHandler {
  const send = ({ status, type, body }: PlainAnswer) => {
    const head: HeaderField[] = [
      { name: ':status', value: String(status) },
      { name: 'content-type', value: type },
    ]
    stream.respond(encodeHeaders(head.map(({ name, value }) => [name, value])), Buffer.from(body), encodeHeaders([]))
  }
  void answer.then(send)
  return DEAF
}

function unknown(path: string, services: ReadonlySet<string | undefined>): GrpcError {
  const [, service = '', method = ''] = path.split('/')
  if (services.has(service)) return new GrpcError(STATUS.unimplemented, `unknown method ${method} for service ${service}`)
  return new GrpcError(STATUS.unimplemented, `unknown service ${service}`)
}
