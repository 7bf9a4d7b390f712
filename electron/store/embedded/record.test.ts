import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type KeyEntry, Version } from '../mvcc/version.ts'
import { frameSize, numberRecord, readFrame, readNumberRecord, readRecord, readValue, writeFrame } from './record.ts'

const number = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER })
const change = fc
  .record({
    key: fc.uint8Array({ minLength: 1, maxLength: 40 }).map((bytes) => Buffer.from(bytes).toString('latin1')),
    seq: number,
    revision: number,
    sub: fc.nat({ max: 2 ** 32 - 1 }),
    createRevision: number,
    version: fc.integer({ min: 0, max: 2 ** 40 }),
    lease: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    value: fc.uint8Array({ maxLength: 100 }),
  })
  .map(({ key, value, ...facts }) => {
    const entry: KeyEntry = { key, head: null }
    const deleted = facts.version === 0
    return new Version(entry, { ...facts, size: deleted ? 0 : value.byteLength }, deleted ? new Uint8Array(0) : value)
  })

function rows(changes: readonly Version[]): { seq: number; record: Buffer; value: Buffer | null }[] {
  const frame = Buffer.alloc(frameSize(changes), 0xee)
  let at = 0
  for (const each of changes) at = writeFrame(frame, at, each)
  expect(at).toBe(frame.length)
  const found: { seq: number; record: Buffer; value: Buffer | null }[] = []
  readFrame(frame, (seq, record, value) => found.push({ seq, record, value }))
  return found
}

describe('records on disk', () => {
  it('come back as they were written', () => {
    fc.assert(
      fc.property(fc.array(change, { maxLength: 5 }), (changes) => {
        const found = rows(changes)
        expect(found).toHaveLength(changes.length)
        changes.forEach((version, i) => {
          const { seq, record, value } = found[i] as (typeof found)[number]
          const { key, revision, sub, createRevision, version: count, lease, size } = version
          expect(readRecord(record, seq)).toEqual({ seq: version.seq, key, revision, sub, createRevision, version: count, lease, size })
          if (version.deleted) expect(value).toBeNull()
          else expect(Buffer.compare(readValue(value as Buffer, seq) as Uint8Array, version.value as Uint8Array)).toBe(0)
        })
      }),
      { seed: 1 },
    )
  })

  it('are known to be damaged when any bit is turned, or when they stand under another number', () => {
    fc.assert(
      fc.property(change, fc.nat(), fc.integer({ min: 1, max: 255 }), (version, where, flip) => {
        const [row] = rows([version])
        for (const [bytes, read] of [
          [row?.record, readRecord],
          [row?.value, readValue],
        ] as const) {
          if (!bytes) continue
          const damaged = Buffer.from(bytes)
          damaged[where % damaged.length] = (damaged[where % damaged.length] as number) ^ flip
          expect(read(damaged, version.seq)).toBeNull()
          expect(read(bytes, version.seq + 1)).toBeNull()
          expect(read(bytes.subarray(0, -1), version.seq)).toBeNull()
        }
      }),
      { seed: 2 },
    )
  })

  it('keep numbers under a name', () => {
    const record = numberRecord('compactRevision', 2 ** 50 + 1)
    expect(readNumberRecord('compactRevision', record)).toBe(2 ** 50 + 1)
    expect(readNumberRecord('compactKeys', record)).toBeNull()
    expect(readNumberRecord('compactRevision', record.subarray(0, 11))).toBeNull()
  })
})
