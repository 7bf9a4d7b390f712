/**
 * Loads an etcd over its gRPC: `node work-load.ts PORT WORK WORKERS SECONDS` prints a LoadResult as JSON, in which a `write` is one
 * operation. WORK is `fill` (what the reads need), `txn`, `get`, `list`, or `watch` (an operation is an event that reached one of the
 * watchers, its latency the time since its put was sent).
 */
import { create, toBinary } from '@bufbuild/protobuf'
import { WIRE, WireReader } from '../../electron/store/etcd/codec/reader.ts'
import {
  Compare_CompareResult,
  Compare_CompareTarget,
  PutRequestSchema,
  RangeRequestSchema,
  TxnRequestSchema,
  WatchRequestSchema,
} from '../../electron/store/wire/gen/etcd_pb.js'
import { type GrpcSession, openSession } from '../store/grpc-client.ts'
import { type LoadResult, loadWith, quantiles } from '../store/load.ts'

const SESSIONS = 8
const KEYS = 10_000
const NAMESPACES = 20
const VALUE = Buffer.alloc(1024, 'an object')
/** Of what watchers are told: the time, and about what an object's status has. */
const EVENT_SIZE = 256
const WRITERS = 8

const [port, work, workers, seconds] = process.argv.slice(2)
const sessions = Array.from({ length: SESSIONS }, () => openSession(Number(port)))
const sessionOf = (worker: number) => sessions[worker % SESSIONS] as GrpcSession
const bytes = (text: string) => Buffer.from(text, 'latin1')
const keyOf = (i: number) => `/registry/pods/namespace-${i % NAMESPACES}/pod-${i}`

/** What a field of a message is: its messages, one after the other. */
function* messagesOf(reader: WireReader, field: number): Generator<WireReader> {
  while (reader.next()) {
    if (reader.field === field && reader.is(WIRE.bytes)) yield reader.message()
    else if (reader.field !== field) reader.skip()
  }
}

/** Of a response's header (field 1): etcdserverpb.ResponseHeader.revision = 3. */
function revisionIn(message: Buffer): number {
  for (const header of messagesOf(new WireReader(message), 1)) {
    while (header.next()) {
      if (header.field === 3) return header.int()
      header.skip()
    }
  }
  throw new Error('an answer without a revision')
}

function put(worker: number, key: string, value: Uint8Array): Promise<void> {
  const request = toBinary(PutRequestSchema, create(PutRequestSchema, { key: bytes(key), value }))
  return sessionOf(worker).call('/etcdserverpb.KV/Put', Buffer.from(request))
}

async function fill(): Promise<LoadResult> {
  let next = 0
  const goOn = async (worker: number) => {
    while (next < KEYS) await put(worker, keyOf(next++), VALUE)
  }
  await Promise.all(Array.from({ length: 64 }, (_, worker) => goOn(worker)))
  return { writes: KEYS, seconds: 0, p50: 0, p99: 0 }
}

/** As the API server of Kubernetes updates an object: put if it is as it was read, else read it. */
function transactions(): Promise<LoadResult> {
  const revisions: number[] = []
  return loadWith(
    async (worker) => {
      const key = bytes(`/registry/leases/${process.pid}-${worker}`)
      const modRevision = BigInt(revisions[worker] ?? 0)
      const request = create(TxnRequestSchema, {
        compare: [
          {
            key,
            target: Compare_CompareTarget.MOD,
            result: Compare_CompareResult.EQUAL,
            targetUnion: { case: 'modRevision', value: modRevision },
          },
        ],
        success: [{ request: { case: 'requestPut', value: { key, value: VALUE } } }],
        failure: [{ request: { case: 'requestRange', value: { key } } }],
      })
      const message = Buffer.from(toBinary(TxnRequestSchema, request))
      await sessionOf(worker).call('/etcdserverpb.KV/Txn', message, (answer) => (revisions[worker] = revisionIn(answer)))
    },
    Number(workers),
    Number(seconds),
  )
}

/** `list`: one namespace of twenty, else one key. Throws if not all is there. */
function ranges(list: boolean): Promise<LoadResult> {
  return loadWith(
    async (worker, turn) => {
      const i = (worker * 7919 + turn * 104_729) % KEYS
      const prefix = `/registry/pods/namespace-${i % NAMESPACES}`
      const range = list ? { key: bytes(`${prefix}/`), rangeEnd: bytes(`${prefix}0`), limit: 500n } : { key: bytes(keyOf(i)) }
      let found = 0
      await sessionOf(worker).call(
        '/etcdserverpb.KV/Range',
        Buffer.from(toBinary(RangeRequestSchema, create(RangeRequestSchema, range))),
        (answer) => (found = [...messagesOf(new WireReader(answer), 2)].length),
      )
      if (found !== (list ? KEYS / NAMESPACES : 1)) throw new Error(`${found} keys were found`)
    },
    Number(workers),
    Number(seconds),
  )
}

/** `workers` watchers of all that eight writers write, each with the time in it. */
async function watch(): Promise<LoadResult> {
  const prefix = `/registry/events/${process.pid}-`
  const latencies: number[] = []
  let created = 0
  const ready = Promise.withResolvers<void>()
  const range = { key: bytes(prefix), rangeEnd: bytes(prefix.replace(/-$/, '.')) }
  const request = create(WatchRequestSchema, { requestUnion: { case: 'createRequest', value: range } })
  const message = Buffer.from(toBinary(WatchRequestSchema, request))
  const onMessage = (response: Buffer) => {
    const at = performance.now()
    let events = 0
    // etcdserverpb.WatchResponse.events = 11, mvccpb.Event.kv = 2, mvccpb.KeyValue.value = 5.
    for (const event of messagesOf(new WireReader(response), 11)) {
      for (const kv of messagesOf(event, 2)) {
        while (kv.next()) {
          if (kv.field === 5) latencies.push(at - Buffer.from(kv.bytes()).readDoubleLE())
          else kv.skip()
        }
      }
      events++
    }
    if (events === 0 && ++created === Number(workers)) ready.resolve()
  }
  for (let i = 0; i < Number(workers); i++) sessionOf(i).open('/etcdserverpb.Watch/Watch', message, onMessage)
  await ready.promise
  const { writes, seconds: took } = await loadWith(
    (worker, turn) => {
      const value = Buffer.alloc(EVENT_SIZE)
      value.writeDoubleLE(performance.now())
      return put(worker, `${prefix}${worker}-${turn % 10}`, value)
    },
    WRITERS,
    Number(seconds),
  )
  while (latencies.length < writes * Number(workers)) await new Promise((resolve) => setTimeout(resolve, 5))
  return { writes: writes * Number(workers), seconds: took, ...quantiles(latencies) }
}

const works: Record<string, () => Promise<LoadResult>> = {
  fill,
  txn: transactions,
  get: () => ranges(false),
  list: () => ranges(true),
  watch,
}
const run = works[work ?? '']
if (!run) throw new Error(`there is no work called ${work}`)
process.stdout.write(JSON.stringify(await run()))
for (const session of sessions) session[Symbol.dispose]()
