import { create, fromBinary, toBinary } from '@bufbuild/protobuf'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  type Compare_CompareResult,
  Compare_CompareTarget,
  CompareSchema,
  DeleteRangeResponseSchema,
  PutRequestSchema,
  PutResponseSchema,
  RangeRequestSchema,
  RangeResponseSchema,
  TxnRequestSchema,
  TxnResponseSchema,
  WatchResponseSchema,
} from '../../wire/gen/etcd_pb.js'
import { keyBytes } from '../../wire/keys.ts'
import type { KeyValue, OpResponse, RangeResponse } from '../../store.ts'
import { PREFIX } from '../grpc/message.ts'
import { GrpcError } from '../grpc/status.ts'
import { HeaderCodec } from './header.ts'
import { deleteMessage, putMessage, rangeMessage, txnMessage } from './kv-response.ts'
import { readPut, readRange, readTxn } from './kv-request.ts'
import { WireReader } from './reader.ts'
import { eventBytes, watchMessage } from './watch-response.ts'

fc.configureGlobal({ seed: 20260103 })

const headers = new HeaderCodec({ clusterId: 0xfedcba9876543210n, memberId: 7n, name: 'x' })
const reader = (bytes: Uint8Array) => new WireReader(Buffer.from(bytes))
const body = (message: Buffer) => {
  expect([message[0], message.readUInt32BE(1)]).toEqual([0, message.length - PREFIX])
  return new Uint8Array(message.subarray(PREFIX))
}

const keys = fc.uint8Array({ maxLength: 12 }).map((bytes) => Buffer.from(bytes).toString('latin1'))
const someKey = keys.filter((key) => key !== '')
const number = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 300 }), fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }))
const lease = fc.oneof(fc.constant(0n), fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }))
const keyValue: fc.Arbitrary<KeyValue> = fc.record({
  key: keys,
  value: fc.uint8Array({ maxLength: 200 }),
  createRevision: number,
  modRevision: number,
  version: number,
  lease,
})
const rangeResponse: fc.Arbitrary<RangeResponse> = fc.record({
  revision: number,
  kvs: fc.array(keyValue, { maxLength: 5 }),
  count: number,
  more: fc.boolean(),
})

const wireKv = (kv: KeyValue) => ({
  ...{ key: new Uint8Array(keyBytes(kv.key)), value: kv.value, lease: kv.lease },
  ...{ createRevision: BigInt(kv.createRevision), modRevision: BigInt(kv.modRevision), version: BigInt(kv.version) },
})
const wireRange = ({ kvs, count, more }: RangeResponse) => ({ kvs: kvs.map(wireKv), count: BigInt(count), more })

describe('requests read by hand', () => {
  it('are the same as the generated code reads: puts', () => {
    const put = fc.record({ key: someKey, value: fc.uint8Array({ maxLength: 300 }), lease, prevKv: fc.boolean() })
    fc.assert(
      fc.property(put, (op) => {
        const bytes = toBinary(PutRequestSchema, create(PutRequestSchema, { ...op, key: keyBytes(op.key) }))
        const read = readPut(reader(bytes))
        expect({ ...read, value: [...read.value] }).toEqual({
          ...{ type: 'put', key: op.key, value: [...op.value], lease: op.lease, prevKv: op.prevKv },
          ...{ ignoreValue: false, ignoreLease: false },
        })
      }),
    )
  })

  it('are the same as the generated code reads: ranges', () => {
    const range = fc.record({ key: someKey, end: keys, limit: number, revision: number, minModRevision: number, keysOnly: fc.boolean() })
    fc.assert(
      fc.property(range, ({ key, end, limit, revision, minModRevision, keysOnly }) => {
        const numbers = { limit: BigInt(limit), revision: BigInt(revision), minModRevision: BigInt(minModRevision) }
        const message = create(RangeRequestSchema, {
          key: keyBytes(key),
          rangeEnd: keyBytes(end),
          ...numbers,
          keysOnly,
          serializable: true,
        })
        const read = readRange(reader(toBinary(RangeRequestSchema, message)))
        const { limit: l = 0, revision: r = 0, minModRevision: m = 0, keysOnly: k = false } = read
        expect([read.key, read.end ?? '', l, r, m, k]).toEqual([key, end, limit, revision, minModRevision, keysOnly])
      }),
    )
  })

  it('take what is below 0 for nothing, and what is beyond safe integers for the largest of them', () => {
    const read = (revision: bigint) =>
      readRange(reader(toBinary(RangeRequestSchema, create(RangeRequestSchema, { key: keyBytes('a'), revision }))))
    expect(read(-5n).revision).toBe(0)
    expect(read(2n ** 62n).revision).toBe(Number.MAX_SAFE_INTEGER)
  })

  it('sort as etcd does when no order is given', () => {
    const sort = (sortOrder: number, sortTarget: number) =>
      readRange(reader(toBinary(RangeRequestSchema, create(RangeRequestSchema, { key: keyBytes('a'), sortOrder, sortTarget })))).sort
    expect(sort(0, 0)).toBe(undefined)
    expect(sort(0, 3)).toEqual({ target: 'mod', order: 'ascend' })
    expect(sort(2, 0)).toEqual({ target: 'key', order: 'descend' })
    expect(() => sort(3, 0)).toThrow('invalid sort option')
    expect(() => sort(0, 5)).toThrow('invalid sort option')
  })

  it('compare with numbers below 0 as with any other', () => {
    const compare = (result: Compare_CompareResult) => {
      const wire = create(CompareSchema, {
        key: keyBytes('a'),
        target: Compare_CompareTarget.VERSION,
        result,
        targetUnion: { case: 'version', value: -1n },
      })
      return readTxn(reader(toBinary(TxnRequestSchema, create(TxnRequestSchema, { compare: [wire] })))).compare?.[0]?.result
    }
    // With a number that no version reaches.
    expect([0, 1, 2, 3].map(compare)).toEqual(['equal', 'notEqual', 'equal', 'notEqual'])
  })

  it('count the operations of nested transactions as etcd does', () => {
    const put = { request: { case: 'requestPut' as const, value: { key: keyBytes('a') } } }
    const nest = (inner: number, outer: number) => {
      const nested = { request: { case: 'requestTxn' as const, value: { success: Array.from({ length: inner }, () => put) } } }
      const success = [nested, ...Array.from({ length: outer - 1 }, () => put)]
      return () => readTxn(reader(toBinary(TxnRequestSchema, create(TxnRequestSchema, { success }))))
    }
    expect(nest(100, 28)).not.toThrow()
    expect(nest(101, 28)).toThrow('too many operations')
  })

  it('skip fields that they do not know, and refuse what is no message', () => {
    const known = toBinary(PutRequestSchema, create(PutRequestSchema, { key: keyBytes('a') }))
    const unknown = Buffer.from('f801 96 01 fa01 02 6162 f901 0102030405060708 fd01 01020304'.replaceAll(' ', ''), 'hex')
    expect(readPut(reader(Buffer.concat([unknown, known, unknown]))).key).toBe('a')
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), fc.constantFrom(readPut, readRange, readTxn), (bytes, read) => {
        try {
          read(reader(bytes))
        } catch (error) {
          expect(error).toBeInstanceOf(GrpcError)
        }
      }),
      { numRuns: 2000 },
    )
  })
})

describe('answers written by hand', () => {
  it('are what the generated code reads: ranges, puts and deletions', () => {
    fc.assert(
      fc.property(rangeResponse, (response) => {
        const read = fromBinary(RangeResponseSchema, body(rangeMessage(headers, response)))
        expect(read).toEqual(create(RangeResponseSchema, { ...wireRange(response), header: headers.at(response.revision) }))
      }),
    )
    fc.assert(
      fc.property(number, fc.option(keyValue), number, (revision, prevKv, deleted) => {
        const put = fromBinary(PutResponseSchema, body(putMessage(headers, revision, { type: 'put', ...(prevKv ? { prevKv } : {}) })))
        expect(put).toEqual(create(PutResponseSchema, { header: headers.at(revision), ...(prevKv ? { prevKv: wireKv(prevKv) } : {}) }))
        const prevKvs = prevKv ? [prevKv] : []
        const gone = fromBinary(DeleteRangeResponseSchema, body(deleteMessage(headers, revision, { type: 'delete', deleted, prevKvs })))
        const wanted = { header: headers.at(revision), deleted: BigInt(deleted), prevKvs: prevKvs.map(wireKv) }
        expect(gone).toEqual(create(DeleteRangeResponseSchema, wanted))
      }),
    )
  })

  it('are what the generated code reads: transactions in transactions', () => {
    const op: fc.Arbitrary<OpResponse> = fc.oneof(
      rangeResponse.map((response): OpResponse => ({ type: 'range', ...response })),
      fc.option(keyValue).map((prevKv): OpResponse => (prevKv ? { type: 'put', prevKv } : { type: 'put' })),
      fc.array(keyValue, { maxLength: 3 }).map((prevKvs): OpResponse => ({ type: 'delete', deleted: prevKvs.length, prevKvs })),
    )
    const nested = fc
      .record({ succeeded: fc.boolean(), revision: number, responses: fc.array(op, { maxLength: 3 }) })
      .map((txn): OpResponse => ({ type: 'txn', ...txn }))
    const inner = (revision: number) => ({ revision: BigInt(revision) })
    const wire = (response: OpResponse, revision: number): object => {
      switch (response.type) {
        case 'range':
          return { response: { case: 'responseRange', value: { ...wireRange(response), header: inner(response.revision) } } }
        case 'put':
          return {
            response: {
              case: 'responsePut',
              value: { header: inner(revision), ...(response.prevKv ? { prevKv: wireKv(response.prevKv) } : {}) },
            },
          }
        case 'delete': {
          const { deleted, prevKvs } = response
          const value = { header: inner(revision), deleted: BigInt(deleted), prevKvs: prevKvs.map(wireKv) }
          return { response: { case: 'responseDeleteRange', value } }
        }
        case 'txn': {
          const responses = response.responses.map((each) => wire(each, revision))
          return {
            response: { case: 'responseTxn', value: { header: inner(response.revision), succeeded: response.succeeded, responses } },
          }
        }
      }
    }
    const txn = fc.record({ succeeded: fc.boolean(), revision: number, responses: fc.array(fc.oneof(op, nested), { maxLength: 5 }) })
    fc.assert(
      fc.property(txn, (response) => {
        const { revision, succeeded, responses } = response
        const read = fromBinary(TxnResponseSchema, body(txnMessage(headers, response)))
        const wanted = { header: headers.at(revision), succeeded, responses: responses.map((each) => wire(each, revision)) }
        expect(read).toEqual(create(TxnResponseSchema, wanted))
      }),
    )
  })

  it('are what the generated code reads: events', () => {
    fc.assert(
      fc.property(keyValue, fc.option(keyValue), fc.boolean(), number, (kv, prevKv, gone, revision) => {
        const event = eventBytes({ type: gone ? 'delete' : 'put', kv, ...(prevKv ? { prevKv } : {}) })
        const notice = { watchId: -1, canceled: true, compactRevision: revision, cancelReason: 'grün', fragment: true }
        const read = fromBinary(WatchResponseSchema, body(watchMessage(headers, revision, notice, [event, event])))
        const wireEvent = { type: gone ? 1 : 0, kv: wireKv(kv), ...(prevKv ? { prevKv: wireKv(prevKv) } : {}) }
        const wanted = { ...notice, watchId: -1n, compactRevision: BigInt(revision), header: headers.at(revision) }
        expect(read).toEqual(create(WatchResponseSchema, { ...wanted, events: [wireEvent, wireEvent] }))
      }),
    )
  })
})
