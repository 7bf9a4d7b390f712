/**
 * A gRPC client that costs little: frames onto Node's HTTP/2 by hand, because a complete gRPC library costs several times the CPU, which
 * the server would miss on a small machine.
 */
import { connect } from 'node:http2'

/** Of gRPC's prefix: a flag and a length. */
const PREFIX = 5
/** Of a stream and of a connection, in bytes: what gRPC's own clients come to by themselves on a fast line. */
const STREAM_WINDOW = 1024 * 1024
const CONNECTION_WINDOW = 16 * 1024 * 1024

export interface GrpcSession extends Disposable {
  /** Resolves when the call ended well; `onMessage` is given each message of the answer. Rejects with the status. */
  call(path: string, message: Buffer, onMessage?: (message: Buffer) => void): Promise<void>
  /** As `call`, but the request stays open, and with it the answer. Nothing is heard of its end. */
  open(path: string, message: Buffer, onMessage: (message: Buffer) => void): void
}

export function openSession(port: number): GrpcSession {
  const authority = `127.0.0.1:${port}`
  const session = connect(`http://${authority}`, { settings: { initialWindowSize: STREAM_WINDOW, enablePush: false } })
  session.once('connect', () => session.setLocalWindowSize(CONNECTION_WINDOW))
  const begin = (path: string, onMessage?: (message: Buffer) => void) => {
    const stream = session.request({
      ':method': 'POST',
      ':scheme': 'http',
      ':authority': authority,
      ':path': path,
      'content-type': 'application/grpc',
      te: 'trailers',
    })
    if (onMessage) stream.on('data', reader(onMessage))
    else stream.resume()
    return stream
  }
  return {
    call: (path, message, onMessage) =>
      new Promise((resolve, reject) => {
        const stream = begin(path, onMessage)
        let status: unknown
        stream.on('trailers', (trailers) => (status = trailers['grpc-status']))
        stream.on('error', reject)
        stream.on('close', () => (status === '0' ? resolve() : reject(new Error(`${path} ended with status ${String(status)}`))))
        stream.end(prefixed(message))
      }),
    open(path, message, onMessage) {
      const stream = begin(path, onMessage)
      stream.on('error', () => undefined)
      stream.write(prefixed(message))
    },
    [Symbol.dispose]: () => session.destroy(),
  }
}

function prefixed(message: Buffer): Buffer {
  const prefix = Buffer.alloc(PREFIX)
  prefix.writeUInt32BE(message.length, 1)
  return Buffer.concat([prefix, message])
}

function reader(onMessage: (message: Buffer) => void): (bytes: Buffer) => void {
  let held: Buffer = Buffer.alloc(0)
  return (bytes) => {
    held = held.length === 0 ? bytes : Buffer.concat([held, bytes])
    let at = 0
    while (held.length - at >= PREFIX) {
      const end = at + PREFIX + held.readUInt32BE(at + 1)
      if (end > held.length) break
      onMessage(held.subarray(at + PREFIX, end))
      at = end
    }
    held = held.subarray(at)
  }
}
