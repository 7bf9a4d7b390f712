import { create, fromBinary, toBinary } from '@bufbuild/protobuf'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { KeyValueSchema } from '../wire/gen/etcd_pb.js'
import { messageSize, readKeyValue, readRevisionKey, revisionKeySize, writeHead, writeRevisionKey, writeTail } from './entry.ts'
import type { ImageEntry } from './image.ts'

const number = fc.oneof(
  fc.integer({ min: 1, max: 300 }),
  fc
    .maxSafeInteger()
    .map(Math.abs)
    .filter((n) => n > 0),
)
const entries: fc.Arbitrary<ImageEntry> = fc
  .record({
    key: fc.uint8Array({ minLength: 1, maxLength: 300 }).map((bytes) => Buffer.from(bytes).toString('latin1')),
    revision: number,
    sub: fc.nat(),
    createRevision: number,
    version: number,
    lease: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    value: fc.uint8Array({ maxLength: 200 }),
  })
  .map((facts) => ({ ...facts, deleted: false, size: facts.value.byteLength }))

function written(entry: ImageEntry): Buffer {
  const bytes = Buffer.alloc(messageSize(entry) + 1, 0xee)
  const head = writeHead(bytes, 0, entry)
  bytes.set(entry.value, head)
  const end = writeTail(bytes, head + entry.size, entry)
  expect(end).toBe(bytes.length - 1)
  expect(bytes.at(-1)).toBe(0xee)
  return bytes.subarray(0, end)
}

describe('an entry of the bucket "key"', () => {
  it('is the message that the protobuf library writes and reads', () => {
    fc.assert(
      fc.property(entries, (entry) => {
        const { key, value, lease } = entry
        const message = create(KeyValueSchema, {
          key: Buffer.from(key, 'latin1'),
          createRevision: BigInt(entry.createRevision),
          modRevision: BigInt(entry.revision),
          version: BigInt(entry.version),
          value,
          lease,
        })
        const bytes = written(entry)
        expect(bytes.equals(toBinary(KeyValueSchema, message))).toBe(true)
        const { createRevision, revision: modRevision, version } = entry
        expect(readKeyValue(bytes)).toEqual({ key, createRevision, modRevision, version, lease, value: Buffer.from(value) })
      }),
      { seed: 1, numRuns: 300 },
    )
  })

  it('has the key alone if it is a deletion', () => {
    const entry = {
      key: 'a',
      revision: 7,
      sub: 0,
      deleted: true,
      createRevision: 0,
      version: 0,
      lease: 0n,
      size: 0,
      value: Buffer.alloc(0),
    }
    expect(fromBinary(KeyValueSchema, written(entry))).toMatchObject({ key: Buffer.from('a'), modRevision: 0n, version: 0n })
  })

  it('lies under its revision, in the order of revisions', () => {
    const place = fc.record({ revision: number, sub: fc.nat(), deleted: fc.boolean() })
    const keyOf = (at: { revision: number; sub: number; deleted: boolean }) => {
      const key = Buffer.alloc(revisionKeySize(at.deleted))
      writeRevisionKey(key, 0, at)
      return key
    }
    fc.assert(
      fc.property(place, place, (a, b) => {
        expect(readRevisionKey(keyOf(a))).toEqual(a)
        const order = a.revision - b.revision || a.sub - b.sub
        if (order !== 0) expect(Math.sign(keyOf(a).compare(keyOf(b)))).toBe(Math.sign(order))
      }),
      { seed: 1 },
    )
  })

  it('is refused, and nothing else happens, whatever the bytes are', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        readRevisionKey(Buffer.from(bytes))
        readKeyValue(Buffer.from(bytes))
      }),
      { seed: 1, numRuns: 2000 },
    )
    expect(readKeyValue(Buffer.from([0x0a, 5, 1]))).toBeNull()
    expect(readKeyValue(Buffer.from([0x10, 0x80]))).toBeNull()
  })
})
