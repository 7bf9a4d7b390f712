/** Requests of etcd's KV service, from their bytes to the store's own, with etcd's refusals. */
import {
  type Compare,
  type CompareResult,
  type DeleteOp,
  type Op,
  type PutOp,
  type RangeRequest,
  type SortTarget,
  type TxnRequest,
} from '../../store.ts'
import { REFUSAL } from '../errors.ts'
import { WIRE, type WireReader } from './reader.ts'

/** Operations in a transaction, at most, as etcd's --max-txn-ops has it by default. */
const MAX_TXN_OPS = 128
const SORT_TARGETS: readonly SortTarget[] = ['key', 'version', 'create', 'mod', 'value']
const ASCEND = 1
const DESCEND = 2
const RESULTS: readonly CompareResult[] = ['equal', 'greater', 'less', 'notEqual']
const COMPARE_LEASE = 4
const NO_BYTES = new Uint8Array(0)

/** What is below 0 means nothing in particular, as 0. */
const atLeast0 = (value: number) => Math.max(0, value)

export function readRange(reader: WireReader): RangeRequest {
  const request: { -readonly [K in keyof RangeRequest]: RangeRequest[K] } = { key: '' }
  let order = 0
  let target = 0
  while (reader.next()) {
    if (!reader.is(reader.field <= 2 ? WIRE.bytes : WIRE.varint)) continue
    switch (reader.field) {
      case 1:
        request.key = reader.key()
        break
      case 2:
        request.end = reader.key()
        break
      case 3:
        request.limit = atLeast0(reader.int())
        break
      case 4:
        request.revision = atLeast0(reader.int())
        break
      case 5:
        order = reader.int()
        break
      case 6:
        target = reader.int()
        break
      case 8:
        request.keysOnly = reader.bool()
        break
      case 9:
        request.countOnly = reader.bool()
        break
      case 10:
        request.minModRevision = atLeast0(reader.int())
        break
      case 11:
        request.maxModRevision = atLeast0(reader.int())
        break
      case 12:
        request.minCreateRevision = atLeast0(reader.int())
        break
      case 13:
        request.maxCreateRevision = atLeast0(reader.int())
        break
      default:
        reader.skip()
    }
  }
  if (request.key === '') throw REFUSAL.emptyKey()
  if (request.end === '') delete request.end
  const sortTarget = SORT_TARGETS[target]
  if (sortTarget === undefined || order < 0 || order > DESCEND) throw REFUSAL.invalidSortOption()
  // Without an order, other targets than the key are sorted upwards, as by etcd; keys are in that order already.
  if (order === DESCEND || target !== 0) request.sort = { target: sortTarget, order: order === DESCEND ? 'descend' : 'ascend' }
  else if (order === ASCEND) request.sort = { target: 'key', order: 'ascend' }
  return request
}

export function readPut(reader: WireReader): PutOp {
  let key = ''
  let value = NO_BYTES
  let lease = 0n
  let prevKv = false
  let ignoreValue = false
  let ignoreLease = false
  while (reader.next()) {
    if (!reader.is(reader.field <= 2 ? WIRE.bytes : WIRE.varint)) continue
    switch (reader.field) {
      case 1:
        key = reader.key()
        break
      case 2:
        value = reader.bytes() as typeof value
        break
      case 3:
        lease = reader.int64()
        break
      case 4:
        prevKv = reader.bool()
        break
      case 5:
        ignoreValue = reader.bool()
        break
      case 6:
        ignoreLease = reader.bool()
        break
      default:
        reader.skip()
    }
  }
  if (key === '') throw REFUSAL.emptyKey()
  if (ignoreValue && value.length > 0) throw REFUSAL.valueProvided()
  if (ignoreLease && lease !== 0n) throw REFUSAL.leaseProvided()
  return { type: 'put', key, value, lease, prevKv, ignoreValue, ignoreLease }
}

export function readDelete(reader: WireReader): DeleteOp {
  let key = ''
  let end = ''
  let prevKv = false
  while (reader.next()) {
    if (!reader.is(reader.field <= 2 ? WIRE.bytes : WIRE.varint)) continue
    if (reader.field === 1) key = reader.key()
    else if (reader.field === 2) end = reader.key()
    else if (reader.field === 3) prevKv = reader.bool()
    else reader.skip()
  }
  if (key === '') throw REFUSAL.emptyKey()
  return end === '' ? { type: 'delete', key, prevKv } : { type: 'delete', key, end, prevKv }
}

/** `room`: how many operations it may have. */
export function readTxn(reader: WireReader, room = MAX_TXN_OPS): TxnRequest {
  const compares: WireReader[] = []
  const success: WireReader[] = []
  const failure: WireReader[] = []
  while (reader.next()) {
    if (!reader.is(WIRE.bytes)) continue
    if (reader.field === 1) compares.push(reader.message())
    else if (reader.field === 2) success.push(reader.message())
    else if (reader.field === 3) failure.push(reader.message())
    else reader.skip()
  }
  const count = Math.max(compares.length, success.length, failure.length)
  if (count > room) throw REFUSAL.tooManyOps()
  const ops = (readers: WireReader[]) => readers.map((each) => readOp(each, room - count))
  return { compare: compares.map(readCompare), success: ops(success), failure: ops(failure) }
}

function readOp(reader: WireReader, room: number): Op {
  let op: Op | null = null
  while (reader.next()) {
    if (!reader.is(WIRE.bytes)) continue
    if (reader.field === 1) op = { type: 'range', ...readRange(reader.message()) }
    else if (reader.field === 2) op = readPut(reader.message())
    else if (reader.field === 3) op = readDelete(reader.message())
    else if (reader.field === 4) op = { type: 'txn', ...readTxn(reader.message(), room) }
    else reader.skip()
  }
  if (!op) throw REFUSAL.keyNotFound()
  return op
}

function readCompare(reader: WireReader): Compare {
  let result = 0
  let target = 0
  let key = ''
  let end = ''
  let operand = 0
  let lease = 0n
  let value: Uint8Array = NO_BYTES
  while (reader.next()) {
    const { field } = reader
    if (!reader.is(field === 3 || field === 7 || field === 64 ? WIRE.bytes : WIRE.varint)) continue
    if (field === 1) result = reader.int()
    else if (field === 2) target = reader.int()
    else if (field === 3) key = reader.key()
    else if (field >= 4 && field <= 6) operand = reader.int()
    else if (field === 7) value = reader.bytes()
    else if (field === 8) lease = reader.int64()
    else if (field === 64) end = reader.key()
    else reader.skip()
  }
  if (key === '') throw REFUSAL.emptyKey()
  const range = end === '' ? { key } : { key, end }
  const outcome = RESULTS[result] ?? 'equal'
  if (target === COMPARE_LEASE) return { ...range, result: outcome, target: 'lease', operand: lease }
  if (target === 3) return { ...range, result: outcome, target: 'value', operand: value }
  const number = target === 1 ? 'create' : target === 2 ? 'mod' : 'version'
  if (operand >= 0) return { ...range, result: outcome, target: number, operand }
  // Every number is greater than what is below 0, and none is equal to it, as with one that none reaches.
  const holds = outcome === 'greater' || outcome === 'notEqual'
  return { ...range, result: holds ? 'notEqual' : 'equal', target: number, operand: Number.MAX_SAFE_INTEGER }
}
