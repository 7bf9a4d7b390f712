/** Loads an etcd with puts over its gRPC: `node etcd-load.ts PORT WRITERS SECONDS` prints a LoadResult as JSON. */
import { type GrpcSession, openSession } from './grpc-client.ts'
import { load } from './load.ts'

const WRITERS_A_CONNECTION = 128

/** etcdserverpb.PutRequest: key = 1, value = 2, both bytes. */
function putRequest(key: string, value: Uint8Array): Buffer {
  return Buffer.concat([field(1, Buffer.from(key, 'latin1')), field(2, value)])
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

const [port, writers, seconds] = process.argv.slice(2)
const count = Math.ceil(Number(writers) / WRITERS_A_CONNECTION)
const sessions = Array.from({ length: count }, () => openSession(Number(port)))
let next = 0
const put = (key: string, value: Uint8Array) =>
  (sessions[next++ % count] as GrpcSession).call('/etcdserverpb.KV/Put', putRequest(key, value))
process.stdout.write(JSON.stringify(await load(put, Number(writers), Number(seconds))))
for (const session of sessions) session[Symbol.dispose]()
