import type { Key, LeaseId } from '../store.ts'
import type { ImageChange } from './image.ts'
import { readMessage, varintSize, writeVarint, writeVarint64, varint64Size } from './varint.ts'

/**
 * A change as etcd keeps it in its bucket `key` (server/storage/mvcc): under its revision, 17 bytes, or 18 if it is a deletion, the
 * message `mvccpb.KeyValue`; of a deletion that has the key alone.
 *
 *     revision: main u64 | '_' | sub u64 | 't' for a deletion
 */
const REVISION = 17
const UNDERSCORE = 0x5f
const TOMBSTONE = 0x74

/** Tags of mvccpb.KeyValue: number and wire type of each field. */
const TAG = { key: 0x0a, create: 0x10, mod: 0x18, version: 0x20, value: 0x2a, lease: 0x30 } as const

export const LONGEST_REVISION_KEY = REVISION + 1

export function revisionKeySize(deleted: boolean): number {
  return deleted ? REVISION + 1 : REVISION
}

export function writeRevisionKey(
  target: Buffer,
  at: number,
  { revision, sub, deleted }: Pick<ImageChange, 'revision' | 'sub' | 'deleted'>,
): number {
  writeUInt64(target, at, revision)
  target[at + 8] = UNDERSCORE
  writeUInt64(target, at + 9, sub)
  if (deleted) target[at + REVISION] = TOMBSTONE
  return at + revisionKeySize(deleted)
}

/** Null if it is none. */
export function readRevisionKey(bytes: Buffer): { revision: number; sub: number; deleted: boolean } | null {
  const deleted = bytes.length === REVISION + 1
  if (bytes.length !== revisionKeySize(deleted) || bytes[8] !== UNDERSCORE) return null
  if (deleted && bytes[REVISION] !== TOMBSTONE) return null
  const revision = readUInt64(bytes, 0)
  const sub = readUInt64(bytes, 9)
  return Number.isSafeInteger(revision) && Number.isSafeInteger(sub) ? { revision, sub, deleted } : null
}

/** Bytes of the message. */
export function messageSize(change: ImageChange): number {
  return headSize(change) + (change.deleted ? 0 : change.size + tailSize(change))
}

/** Bytes before the value. */
export function headSize({ key, deleted, createRevision, revision, version, size }: ImageChange): number {
  const named = 1 + varintSize(key.length) + key.length
  if (deleted) return named
  return named + 3 + varintSize(createRevision) + varintSize(revision) + varintSize(version) + (size === 0 ? 0 : 1 + varintSize(size))
}

/** What stands before the value; returns where the value begins. */
export function writeHead(target: Buffer, at: number, change: ImageChange): number {
  target[at] = TAG.key
  at = writeVarint(target, at + 1, change.key.length)
  at += target.write(change.key, at, 'latin1')
  if (change.deleted) return at
  target[at] = TAG.create
  at = writeVarint(target, at + 1, change.createRevision)
  target[at] = TAG.mod
  at = writeVarint(target, at + 1, change.revision)
  target[at] = TAG.version
  at = writeVarint(target, at + 1, change.version)
  if (change.size === 0) return at
  target[at] = TAG.value
  return writeVarint(target, at + 1, change.size)
}

/** Bytes after the value. */
export function tailSize({ lease, deleted }: ImageChange): number {
  return deleted || lease === 0n ? 0 : 1 + varint64Size(lease)
}

export function writeTail(target: Buffer, at: number, change: ImageChange): number {
  if (tailSize(change) === 0) return at
  target[at] = TAG.lease
  return writeVarint64(target, at + 1, change.lease)
}

export interface KeyValueMessage {
  readonly key: Key
  readonly createRevision: number
  readonly modRevision: number
  readonly version: number
  readonly lease: LeaseId
  readonly value: Uint8Array
}

/** Null if it is no such message. */
export function readKeyValue(bytes: Buffer): KeyValueMessage | null {
  let [key, value] = [bytes.subarray(0, 0), bytes.subarray(0, 0)]
  let [createRevision, modRevision, version] = [0, 0, 0]
  let lease = 0n
  const whole = readMessage(bytes, {
    bytes(tag, part) {
      if (tag === TAG.key) key = part
      else if (tag === TAG.value) value = part
    },
    varint(tag, number, exact) {
      if (tag === TAG.create) createRevision = number
      else if (tag === TAG.mod) modRevision = number
      else if (tag === TAG.version) version = number
      else if (tag === TAG.lease) lease = exact()
    },
  })
  return whole ? { key: key.toString('latin1'), createRevision, modRevision, version, lease, value } : null
}

/** Big-endian, up to 2^53. */
export function writeUInt64(target: Buffer, at: number, value: number): void {
  target.writeUInt32BE(Math.floor(value / 2 ** 32), at)
  target.writeUInt32BE(value >>> 0, at + 4)
}

/** Not a safe integer if it is more than that. */
export function readUInt64(bytes: Buffer, at: number): number {
  return bytes.readUInt32BE(at) * 2 ** 32 + bytes.readUInt32BE(at + 4)
}
