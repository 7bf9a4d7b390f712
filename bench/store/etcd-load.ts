/**
 * Loads an etcd over its gRPC: `node etcd-load.ts PORT WRITERS SECONDS` prints a LoadResult as JSON. The client writes gRPC frames onto
 * HTTP/2 by hand, because a complete gRPC library costs several times the CPU, which the server would miss on a small machine.
 */
import { connect, type ClientHttp2Session } from 'node:http2'
import { load, type Put } from './load.ts'

const WRITERS_A_CONNECTION = 128

/** etcdserverpb.PutRequest: key = 1, value = 2, both bytes; with gRPC's prefix of a flag and a length. */
function putRequest(key: string, value: Uint8Array): Buffer {
  const message = Buffer.concat([field(1, Buffer.from(key, 'latin1')), field(2, value)])
  const prefix = Buffer.alloc(5)
  prefix.writeUInt32BE(message.length, 1)
  return Buffer.concat([prefix, message])
}

function field(number: number, bytes: Uint8Array): Buffer {
  const size: number[] = []
  for (let rest = bytes.byteLength; ; rest >>>= 7) {
    if (rest < 0x80) {
      size.push(rest)
      break
    }
    size.push((rest & 0x7f) | 0x80)
  }
  return Buffer.concat([Uint8Array.from([(number << 3) | 2, ...size]), bytes])
}

function putOver(session: ClientHttp2Session, authority: string): Put {
  const headers = {
    ':method': 'POST',
    ':scheme': 'http',
    ':authority': authority,
    ':path': '/etcdserverpb.KV/Put',
    'content-type': 'application/grpc',
    te: 'trailers',
  }
  return (key, value) =>
    new Promise((resolve, reject) => {
      const stream = session.request(headers)
      let status: unknown
      stream.on('trailers', (trailers) => (status = trailers['grpc-status']))
      stream.on('error', reject)
      stream.on('close', () => (status === '0' ? resolve(undefined) : reject(new Error(`etcd answered with status ${String(status)}`))))
      stream.resume()
      stream.end(putRequest(key, value))
    })
}

const [port, writers, seconds] = process.argv.slice(2)
const authority = `127.0.0.1:${port}`
const count = Math.ceil(Number(writers) / WRITERS_A_CONNECTION)
const sessions = Array.from({ length: count }, () => connect(`http://${authority}`))
const puts = sessions.map((session) => putOver(session, authority))
let next = 0
const result = await load((key, value) => (puts[next++ % count] as Put)(key, value), Number(writers), Number(seconds))
process.stdout.write(JSON.stringify(result))
for (const session of sessions) session.close()
