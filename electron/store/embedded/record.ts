import { crc32 } from 'node:zlib'
import type { ChangeRecord, Version } from '../mvcc/version.ts'

/**
 * How a change lies on disk. All numbers are little-endian; revisions are IEEE doubles, which hold them exactly up to 2^53.
 *
 *     change: crc32 u32 | kind u8 | revision f64 | createRevision f64 | version f64 | lease i64 | value size u32 | sub u32 | key …
 *     value:  crc32 u32 | value …
 *
 * Both checksums are over what follows them and begin with the number of the change, so that a row under a wrong number is found too.
 */
const HEADER = 45
/** Of storage version 1. */
const HEADER_1 = 41
const PUT = 1
const DELETE = 2
const CRC = 4
/** Before each change in a frame: number f64, size of the change u32, size of its value with checksum u32 (0 for a deletion). */
const FRAME_HEADER = 16

export function frameSize(changes: readonly Version[]): number {
  let size = 0
  for (const change of changes) size += FRAME_HEADER + HEADER + change.key.length + (change.deleted ? 0 : CRC + change.size)
  return size
}

/** Writes a change and its value, without their checksums, at `at`; returns where the next begins. */
export function writeFrame(frame: Buffer, at: number, change: Version): number {
  const { deleted, size } = change
  const recordSize = HEADER + change.key.length
  frame.writeDoubleLE(change.seq, at)
  frame.writeUInt32LE(recordSize, at + 8)
  frame.writeUInt32LE(deleted ? 0 : CRC + size, at + 12)
  const record = at + FRAME_HEADER
  fillRecord(frame, record, change)
  const value = record + recordSize
  if (deleted) return value
  if (change.value === null) throw new Error('a change that is not durable has its value in memory')
  frame.set(change.value, value + CRC)
  return value + CRC + size
}

function fillRecord(bytes: Buffer, at: number, change: ChangeRecord): void {
  bytes.writeUInt8(change.version === 0 ? DELETE : PUT, at + 4)
  bytes.writeDoubleLE(change.revision, at + 5)
  bytes.writeDoubleLE(change.createRevision, at + 13)
  bytes.writeDoubleLE(change.version, at + 21)
  bytes.writeBigInt64LE(change.lease, at + 29)
  bytes.writeUInt32LE(change.size, at + 37)
  bytes.writeUInt32LE(change.sub, at + 41)
  bytes.write(change.key, at + HEADER, 'latin1')
}

/** A change as it lies on disk. */
export function changeRecord(change: ChangeRecord): Buffer {
  const record = Buffer.allocUnsafe(HEADER + change.key.length)
  fillRecord(record, 0, change)
  return seal(record, change.seq)
}

/** The value of a change as it lies on disk. */
export function valueRecord(seq: number, value: Uint8Array): Buffer {
  const record = Buffer.allocUnsafe(CRC + value.byteLength)
  record.set(value, CRC)
  return seal(record, seq)
}

/** Goes through a frame, sets the checksums, and hands out each change and its value (null for a deletion). */
export function readFrame(frame: Buffer, visit: (seq: number, record: Buffer, value: Buffer | null) => void): void {
  for (let at = 0; at < frame.length;) {
    const seq = frame.readDoubleLE(at)
    const recordSize = frame.readUInt32LE(at + 8)
    const valueSize = frame.readUInt32LE(at + 12)
    const value = at + FRAME_HEADER + recordSize
    const record = seal(frame.subarray(at + FRAME_HEADER, value), seq)
    visit(seq, record, valueSize === 0 ? null : seal(frame.subarray(value, value + valueSize), seq))
    at = value + valueSize
  }
}

/** Null if the record is damaged. */
export function readRecord(bytes: Uint8Array, seq: number): ChangeRecord | null {
  return new RecordReader(bytes).read(0, bytes.byteLength, seq)
}

/** Reads records that lie one behind the other, without a view of its own for each field. */
export class RecordReader {
  readonly #bytes: Buffer
  readonly #view: DataView

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  /** The record between two places; null if it is damaged. */
  read(start: number, end: number, seq: number): ChangeRecord | null {
    const view = this.#view
    if (end - start <= HEADER || end > view.byteLength) return null
    const body = new Uint8Array(view.buffer, view.byteOffset + start + CRC, end - start - CRC)
    if (view.getUint32(start, true) !== crc32(body, seq >>> 0)) return null
    const kind = view.getUint8(start + 4)
    if (kind !== PUT && kind !== DELETE) return null
    return {
      seq,
      key: this.#bytes.toString('latin1', start + HEADER, end),
      revision: this.#whole(start + 5),
      createRevision: this.#whole(start + 13),
      version: this.#whole(start + 21),
      lease: this.#lease(start + 29),
      size: view.getUint32(start + 37, true),
      sub: view.getUint32(start + 41, true),
    }
  }

  /** A whole number, which while it is small lies in the object that holds it, as no double does. */
  #whole(at: number): number {
    const number = this.#view.getFloat64(at, true)
    const small = number | 0
    return small === number ? small : number
  }

  /** Most have none, which costs no number of its own. */
  #lease(at: number): bigint {
    const view = this.#view
    return view.getUint32(at, true) === 0 && view.getUint32(at + 4, true) === 0 ? 0n : view.getBigInt64(at, true)
  }
}

/** Null if the value is damaged. */
export function readValue(bytes: Uint8Array, seq: number): Uint8Array | null {
  return sealed(bytes, seq) ? bytes.subarray(CRC) : null
}

/** A number under a name or id, with a checksum over both: leases and the store's own facts. */
export function numberRecord(of: string, value: number): Buffer {
  const record = Buffer.alloc(CRC + 8)
  record.writeDoubleLE(value, CRC)
  return seal(record, crc32(of))
}

/** Null if the record is damaged. */
export function readNumberRecord(of: string, bytes: Uint8Array): number | null {
  const record = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return record.length === CRC + 8 && sealed(record, crc32(of)) ? record.readDoubleLE(CRC) : null
}

/** A change as storage version 1 had it, without its place in its revision, in today's form; null if it is damaged. */
export function upgradeRecord(bytes: Uint8Array, seq: number, subOf: (revision: number) => number): Buffer | null {
  const old = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (old.length <= HEADER_1 || !sealed(old, seq)) return null
  const sub = Buffer.alloc(HEADER - HEADER_1)
  sub.writeUInt32LE(subOf(old.readDoubleLE(5)))
  return seal(Buffer.concat([old.subarray(0, HEADER_1), sub, old.subarray(HEADER_1)]), seq)
}

function seal(bytes: Buffer, seed: number): Buffer {
  bytes.writeUInt32LE(checksum(bytes, seed), 0)
  return bytes
}

function sealed(bytes: Uint8Array, seed: number): boolean {
  if (bytes.byteLength < CRC) return false
  const stored = new DataView(bytes.buffer, bytes.byteOffset, CRC).getUint32(0, true)
  return stored === checksum(bytes, seed)
}

function checksum(bytes: Uint8Array, seed: number): number {
  return crc32(bytes.subarray(CRC), seed >>> 0)
}
