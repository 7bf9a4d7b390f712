/** Answers of etcd's KV service as bytes. Sizes are worked out first, so that each answer is one buffer. */
import type { KeyValue, OpResponse, RangeResponse, TxnResponse } from '../../store.ts'
import type { HeaderCodec } from './header.ts'
import { messageSize, sizeOfKeyValue, writeKeyValue } from './key-value.ts'
import { intFieldSize, type WireWriter } from './writer.ts'

type DeleteResponse = Extract<OpResponse, { type: 'delete' }>
type PutResponse = Extract<OpResponse, { type: 'put' }>

function sizeOfKeyValues(kvs: readonly KeyValue[], sizes: number[]): number {
  let sum = 0
  for (const kv of kvs) {
    const size = sizeOfKeyValue(kv)
    sizes.push(size)
    sum += messageSize(size)
  }
  return sum
}

/** The sizes of messages in the order in which they are written, so that they are worked out once. */
class Sizes {
  readonly list: number[] = []
  #next = 0

  take(): number {
    return this.list[this.#next++] as number
  }

  /** Keeps room for a size that is only known when what is in it is. */
  reserve(): number {
    return this.list.push(0) - 1
  }
}

function writeKeyValues(writer: WireWriter, field: number, kvs: readonly KeyValue[], sizes: Sizes): void {
  for (const kv of kvs) {
    writer.message(field, sizes.take())
    writeKeyValue(writer, kv)
  }
}

/** What follows the header. */
function sizeOfRange({ kvs, count, more }: RangeResponse, sizes: Sizes): number {
  return sizeOfKeyValues(kvs, sizes.list) + (more ? 2 : 0) + intFieldSize(count)
}

function writeRange(writer: WireWriter, { kvs, count, more }: RangeResponse, sizes: Sizes): void {
  writeKeyValues(writer, 2, kvs, sizes)
  writer.bool(3, more)
  writer.int(4, count)
}

function sizeOfPut({ prevKv }: PutResponse, sizes: Sizes): number {
  return prevKv ? sizeOfKeyValues([prevKv], sizes.list) : 0
}

function writePut(writer: WireWriter, { prevKv }: PutResponse, sizes: Sizes): void {
  if (prevKv) writeKeyValues(writer, 2, [prevKv], sizes)
}

function sizeOfDelete({ deleted, prevKvs }: DeleteResponse, sizes: Sizes): number {
  return intFieldSize(deleted) + sizeOfKeyValues(prevKvs, sizes.list)
}

function writeDelete(writer: WireWriter, { deleted, prevKvs }: DeleteResponse, sizes: Sizes): void {
  writer.int(2, deleted)
  writeKeyValues(writer, 3, prevKvs, sizes)
}

function sizeOfTxn({ succeeded, responses }: Omit<TxnResponse, 'revision'>, revision: number, sizes: Sizes): number {
  let sum = succeeded ? 2 : 0
  for (const response of responses) {
    const outer = sizes.reserve()
    const inner = sizes.reserve()
    const size = sizeOfOp(response, revision, sizes)
    sizes.list[inner] = size
    sizes.list[outer] = messageSize(size)
    sum += messageSize(messageSize(size))
  }
  return sum
}

/** Parts of a transaction have a header with no more than the revision. */
const innerHeaderSize = (revision: number) => messageSize(intFieldSize(revision))

function writeInnerHeader(writer: WireWriter, revision: number): void {
  writer.message(1, intFieldSize(revision))
  writer.int(3, revision)
}

function sizeOfOp(response: OpResponse, revision: number, sizes: Sizes): number {
  switch (response.type) {
    case 'range':
      return innerHeaderSize(response.revision) + sizeOfRange(response, sizes)
    case 'put':
      return innerHeaderSize(revision) + sizeOfPut(response, sizes)
    case 'delete':
      return innerHeaderSize(revision) + sizeOfDelete(response, sizes)
    case 'txn':
      return innerHeaderSize(response.revision) + sizeOfTxn(response, revision, sizes)
  }
}

const OP_FIELD = { range: 1, put: 2, delete: 3, txn: 4 } as const

function writeTxn(writer: WireWriter, { succeeded, responses }: Omit<TxnResponse, 'revision'>, revision: number, sizes: Sizes): void {
  writer.bool(2, succeeded)
  for (const response of responses) {
    writer.message(3, sizes.take())
    writer.message(OP_FIELD[response.type], sizes.take())
    writeInnerHeader(writer, response.type === 'range' || response.type === 'txn' ? response.revision : revision)
    if (response.type === 'range') writeRange(writer, response, sizes)
    else if (response.type === 'put') writePut(writer, response, sizes)
    else if (response.type === 'delete') writeDelete(writer, response, sizes)
    else writeTxn(writer, response, revision, sizes)
  }
}

/** A prefixed RangeResponse. */
export function rangeMessage(headers: HeaderCodec, response: RangeResponse): Buffer {
  const sizes = new Sizes()
  const { message, writer } = headers.begin(response.revision, sizeOfRange(response, sizes))
  writeRange(writer, response, sizes)
  return message
}

export function putMessage(headers: HeaderCodec, revision: number, response: PutResponse): Buffer {
  if (!response.prevKv) return headers.begin(revision, 0).message
  const sizes = new Sizes()
  const { message, writer } = headers.begin(revision, sizeOfPut(response, sizes))
  writePut(writer, response, sizes)
  return message
}

export function deleteMessage(headers: HeaderCodec, revision: number, response: DeleteResponse): Buffer {
  const sizes = new Sizes()
  const { message, writer } = headers.begin(revision, sizeOfDelete(response, sizes))
  writeDelete(writer, response, sizes)
  return message
}

export function txnMessage(headers: HeaderCodec, response: TxnResponse): Buffer {
  const sizes = new Sizes()
  const { message, writer } = headers.begin(response.revision, sizeOfTxn(response, response.revision, sizes))
  writeTxn(writer, response, response.revision, sizes)
  return message
}
