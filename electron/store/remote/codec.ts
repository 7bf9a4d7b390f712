/** Requests as etcd wants them, and its answers as the store's contract has them. */
import type { MessageInitShape } from '@bufbuild/protobuf'
import type {
  Compare,
  CompareResult,
  Key,
  KeyValue,
  Op,
  OpResponse,
  RangeRequest,
  RangeResponse,
  SortTarget,
  StoreEvent,
  TxnRequest,
  TxnResponse,
} from '../store.ts'
import {
  Compare_CompareResult,
  Compare_CompareTarget,
  type CompareSchema,
  type Event,
  Event_EventType,
  type KeyValue as WireKeyValue,
  RangeRequest_SortOrder,
  RangeRequest_SortTarget,
  type RangeRequestSchema,
  type RangeResponse as WireRangeResponse,
  type RequestOpSchema,
  type ResponseOp,
  type TxnRequestSchema,
  type TxnResponse as WireTxnResponse,
} from '../wire/gen/etcd_pb.js'
import { keyBytes, keyOf } from '../wire/keys.ts'

type WireCompare = MessageInitShape<typeof CompareSchema>
type WireOp = MessageInitShape<typeof RequestOpSchema>

const TARGETS: Record<SortTarget, RangeRequest_SortTarget> = {
  key: RangeRequest_SortTarget.KEY,
  version: RangeRequest_SortTarget.VERSION,
  create: RangeRequest_SortTarget.CREATE,
  mod: RangeRequest_SortTarget.MOD,
  value: RangeRequest_SortTarget.VALUE,
}

const RESULTS: Record<CompareResult, Compare_CompareResult> = {
  equal: Compare_CompareResult.EQUAL,
  notEqual: Compare_CompareResult.NOT_EQUAL,
  greater: Compare_CompareResult.GREATER,
  less: Compare_CompareResult.LESS,
}

const endBytes = (end: Key | undefined) => keyBytes(end ?? '')

export function toWireRange(request: RangeRequest): MessageInitShape<typeof RangeRequestSchema> {
  const { sort } = request
  const order = sort?.order === 'descend' ? RangeRequest_SortOrder.DESCEND : RangeRequest_SortOrder.ASCEND
  return {
    key: keyBytes(request.key),
    rangeEnd: endBytes(request.end),
    limit: BigInt(request.limit ?? 0),
    revision: BigInt(request.revision ?? 0),
    keysOnly: request.keysOnly ?? false,
    countOnly: request.countOnly ?? false,
    minModRevision: BigInt(request.minModRevision ?? 0),
    maxModRevision: BigInt(request.maxModRevision ?? 0),
    minCreateRevision: BigInt(request.minCreateRevision ?? 0),
    maxCreateRevision: BigInt(request.maxCreateRevision ?? 0),
    ...(sort ? { sortOrder: order, sortTarget: TARGETS[sort.target] } : {}),
  }
}

export function toWireTxn(request: TxnRequest): MessageInitShape<typeof TxnRequestSchema> {
  return {
    compare: (request.compare ?? []).map(toWireCompare),
    success: request.success.map(toWireOp),
    failure: (request.failure ?? []).map(toWireOp),
  }
}

function toWireCompare(compare: Compare): WireCompare {
  const keys = { key: keyBytes(compare.key), rangeEnd: endBytes(compare.end), result: RESULTS[compare.result] }
  switch (compare.target) {
    case 'version':
      return { ...keys, target: Compare_CompareTarget.VERSION, targetUnion: { case: 'version', value: BigInt(compare.operand) } }
    case 'create':
      return { ...keys, target: Compare_CompareTarget.CREATE, targetUnion: { case: 'createRevision', value: BigInt(compare.operand) } }
    case 'mod':
      return { ...keys, target: Compare_CompareTarget.MOD, targetUnion: { case: 'modRevision', value: BigInt(compare.operand) } }
    case 'lease':
      return { ...keys, target: Compare_CompareTarget.LEASE, targetUnion: { case: 'lease', value: compare.operand } }
    case 'value':
      return { ...keys, target: Compare_CompareTarget.VALUE, targetUnion: { case: 'value', value: compare.operand } }
  }
}

function toWireOp(op: Op): WireOp {
  switch (op.type) {
    case 'range':
      return { request: { case: 'requestRange', value: toWireRange(op) } }
    case 'txn':
      return { request: { case: 'requestTxn', value: toWireTxn(op) } }
    case 'delete': {
      const value = { key: keyBytes(op.key), rangeEnd: endBytes(op.end), prevKv: op.prevKv ?? false }
      return { request: { case: 'requestDeleteRange', value } }
    }
    case 'put': {
      const { value: bytes, lease = 0n, prevKv = false, ignoreValue = false, ignoreLease = false } = op
      const value = { key: keyBytes(op.key), value: bytes, lease, prevKv, ignoreValue, ignoreLease }
      return { request: { case: 'requestPut', value } }
    }
  }
}

/** The value is copied, so that it does not hold on to the whole message it came in. */
export function toKeyValue(kv: WireKeyValue): KeyValue {
  return {
    key: keyOf(kv.key),
    value: new Uint8Array(kv.value),
    createRevision: Number(kv.createRevision),
    modRevision: Number(kv.modRevision),
    version: Number(kv.version),
    lease: kv.lease,
  }
}

export function toEvent(event: Event): StoreEvent {
  return {
    type: event.type === Event_EventType.PUT ? 'put' : 'delete',
    kv: toKeyValue(event.kv as WireKeyValue),
    ...(event.prevKv ? { prevKv: toKeyValue(event.prevKv) } : {}),
  }
}

export function toRangeResponse(response: WireRangeResponse, revision = Number(response.header?.revision)): RangeResponse {
  return { revision, kvs: response.kvs.map(toKeyValue), count: Number(response.count), more: response.more }
}

/**
 * etcd says the revision of the whole transaction only. What each part of it saw follows from that: the one before until the first
 * change, and the transaction's own from then on.
 */
export function toTxnResponse(response: WireTxnResponse): TxnResponse {
  const revision = Number(response.header?.revision)
  const before = changes(response) ? revision - 1 : revision
  let now = before
  const read = ({ succeeded, responses }: WireTxnResponse): Omit<TxnResponse, 'revision'> => ({
    succeeded,
    responses: responses.map(({ response: { case: type, value } }): OpResponse => {
      switch (type) {
        case 'responseRange':
          return { type: 'range', ...toRangeResponse(value, now) }
        case 'responseTxn':
          return { type: 'txn', ...read(value), revision: now }
        case 'responseDeleteRange':
          if (value.deleted > 0n) now = before + 1
          return { type: 'delete', deleted: Number(value.deleted), prevKvs: value.prevKvs.map(toKeyValue) }
        case 'responsePut':
          now = before + 1
          return value.prevKv ? { type: 'put', prevKv: toKeyValue(value.prevKv) } : { type: 'put' }
        case undefined:
          throw new Error('etcd left out the answer to an operation')
      }
    }),
  })
  return { ...read(response), revision }
}

function changes({ responses }: WireTxnResponse): boolean {
  return responses.some(({ response }: ResponseOp) => {
    if (response.case === 'responseTxn') return changes(response.value)
    return response.case === 'responsePut' || (response.case === 'responseDeleteRange' && response.value.deleted > 0n)
  })
}
