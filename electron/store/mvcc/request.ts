import {
  type Compare,
  type Key,
  type KeyRange,
  type Op,
  type RangeRequest,
  StoreError,
  type TxnRequest,
  type WatchRequest,
} from '../store.ts'
import { covers } from './sorted-keys.ts'

/** What can be said of a request without looking at the store. All of it throws StoreError `invalidRequest` or `duplicateKey`. */
export function checkTxn(request: TxnRequest): void {
  for (const compare of request.compare ?? []) checkCompare(compare)
  for (const ops of [request.success, request.failure ?? []]) {
    for (const op of ops) checkOp(op)
    if (ops.length > 1) footprint(ops)
  }
}

export function checkRange(request: RangeRequest): void {
  checkKeys(request)
  checkCount('revision', request.revision)
  checkCount('limit', request.limit)
  checkCount('minModRevision', request.minModRevision)
  checkCount('maxModRevision', request.maxModRevision)
  checkCount('minCreateRevision', request.minCreateRevision)
  checkCount('maxCreateRevision', request.maxCreateRevision)
}

export function checkWatch(request: WatchRequest): void {
  checkKeys(request)
  checkCount('startRevision', request.startRevision)
  checkPositive('progressInterval', request.progressInterval)
  checkPositive('bufferLimit', request.bufferLimit)
}

export function checkChanges(request: KeyRange & { readonly from: number; readonly to: number; readonly limit: number }): void {
  checkKeys(request)
  checkCount('from', request.from)
  checkCount('to', request.to)
  checkPositive('limit', request.limit)
}

export function checkCount(name: string, value: number | undefined): void {
  if (value === undefined || (Number.isSafeInteger(value) && value >= 0)) return
  throw new StoreError('invalidRequest', `${name} must be a whole number of at least 0, not ${value}`)
}

/** The largest and smallest that a Date can be, in milliseconds. */
const LAST_TIME = 8.64e15

export function checkTime(time: number): void {
  if (Math.abs(time) <= LAST_TIME) return
  throw new StoreError('invalidRequest', `a time is in milliseconds since 1970, which ${time} cannot be`)
}

function checkPositive(name: string, value: number | undefined): void {
  if (value === undefined || (Number.isSafeInteger(value) && value > 0)) return
  throw new StoreError('invalidRequest', `${name} must be a whole number of at least 1, not ${value}`)
}

function checkKeys(range: KeyRange): void {
  checkKey(range.key)
  if (range.end !== undefined && range.end !== '') checkKey(range.end)
}

function checkKey(key: Key): void {
  if (key === '') throw new StoreError('invalidRequest', 'a key must not be empty')
  for (let i = 0; i < key.length; i++) {
    if (key.charCodeAt(i) > 0xff) {
      throw new StoreError('invalidRequest', `the key ${JSON.stringify(key)} is not a byte string: use keyFromText`)
    }
  }
}

function checkCompare(compare: Compare): void {
  checkKeys(compare)
  if (compare.target === 'version' || compare.target === 'create' || compare.target === 'mod') checkCount('operand', compare.operand)
}

function checkOp(op: Op): void {
  switch (op.type) {
    case 'put':
      checkKey(op.key)
      if (op.ignoreValue && op.value.byteLength > 0) throw new StoreError('invalidRequest', 'ignoreValue goes with an empty value')
      if (op.ignoreLease && (op.lease ?? 0n) !== 0n) throw new StoreError('invalidRequest', 'ignoreLease goes without a lease')
      return
    case 'delete':
      return checkKeys(op)
    case 'range':
      return checkRange(op)
    case 'txn':
      return checkTxn(op)
  }
}

interface Footprint {
  readonly puts: Set<Key>
  readonly deletes: KeyRange[]
}

/**
 * Which keys the operations may write. Two operations that may both run must not put the same key, nor one put what the other
 * deletes, so that a key changes at most once in a revision (etcd's "duplicate key given in txn request"); deletes may overlap.
 */
function footprint(ops: readonly Op[]): Footprint {
  const all: Footprint = { puts: new Set(), deletes: [] }
  for (const op of ops) {
    const own = footprintOf(op)
    for (const key of own.puts) {
      if (all.puts.has(key) || all.deletes.some((range) => covers(range, key))) throw duplicate(key)
    }
    for (const range of own.deletes) {
      for (const key of all.puts) if (covers(range, key)) throw duplicate(key)
    }
    for (const key of own.puts) all.puts.add(key)
    all.deletes.push(...own.deletes)
  }
  return all
}

function footprintOf(op: Op): Footprint {
  switch (op.type) {
    case 'put':
      return { puts: new Set([op.key]), deletes: [] }
    case 'delete':
      return { puts: new Set(), deletes: [op] }
    case 'range':
      return { puts: new Set(), deletes: [] }
    case 'txn': {
      const taken = footprint(op.success)
      const other = footprint(op.failure ?? [])
      return { puts: taken.puts.union(other.puts), deletes: [...taken.deletes, ...other.deletes] }
    }
  }
}

function duplicate(key: Key): StoreError {
  return new StoreError('duplicateKey', `one transaction may change the key ${JSON.stringify(key)} only once`)
}
