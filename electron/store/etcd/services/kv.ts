import { KV } from '../../wire/gen/etcd_pb.js'
import type { OpResponse } from '../../store.ts'
import { deleteMessage, putMessage, rangeMessage, txnMessage } from '../codec/kv-response.ts'
import { readDelete, readPut, readRange, readTxn } from '../codec/kv-request.ts'
import { WireReader } from '../codec/reader.ts'
import { REFUSAL } from '../errors.ts'
import type { Unary } from '../grpc/call.ts'
import { newestRevision, pathOf, type Service, type ServiceDeps, unary } from './service.ts'

/** Of a request that may write, in bytes, as etcd's --max-request-bytes has it by default. */
const MAX_REQUEST = 1.5 * 1024 * 1024

/** etcd's KV service. Its requests are read and its answers written by hand, because they are nearly all that there are. */
export function kvService({ store, headers }: ServiceDeps): Service {
  const range: Unary = (bytes) => store.range(readRange(new WireReader(bytes))).then((response) => rangeMessage(headers, response))
  const put: Unary = (bytes) => {
    checkSize(bytes)
    const op = readPut(new WireReader(bytes))
    return store.txn({ success: [op] }).then(({ revision, responses }) => putMessage(headers, revision, only(responses, 'put')))
  }
  const remove: Unary = (bytes) => {
    checkSize(bytes)
    const op = readDelete(new WireReader(bytes))
    return store.txn({ success: [op] }).then(({ revision, responses }) => deleteMessage(headers, revision, only(responses, 'delete')))
  }
  const txn: Unary = (bytes) => {
    checkSize(bytes)
    return store.txn(readTxn(new WireReader(bytes))).then((response) => txnMessage(headers, response))
  }
  return [
    [pathOf(KV.method.range), { kind: 'unary', handle: range }],
    [pathOf(KV.method.put), { kind: 'unary', handle: put }],
    [pathOf(KV.method.deleteRange), { kind: 'unary', handle: remove }],
    [pathOf(KV.method.txn), { kind: 'unary', handle: txn }],
    unary(KV.method.compact, async ({ revision }) => {
      await store.compact(Math.max(0, Number(revision)))
      return { header: headers.at(await newestRevision(store)) }
    }),
  ]
}

function checkSize(bytes: Buffer): void {
  if (bytes.length > MAX_REQUEST) throw REFUSAL.requestTooLarge()
}

function only<T extends OpResponse['type']>(responses: readonly OpResponse[], type: T): Extract<OpResponse, { type: T }> {
  const [response] = responses
  if (response?.type !== type) throw new Error(`the store gave no answer to a ${type}`)
  return response as Extract<OpResponse, { type: T }>
}
