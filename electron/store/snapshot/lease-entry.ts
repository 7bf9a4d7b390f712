import type { LeaseId } from '../store.ts'
import { readMessage, varint64Size, writeVarint64 } from './varint.ts'

/** A lease as etcd keeps it in its bucket `lease`: under its id, u64 big-endian, the message `leasepb.Lease` (ID, TTL, RemainingTTL). */
export interface LeaseFacts {
  readonly id: LeaseId
  /** Granted seconds. */
  readonly ttl: number
}

const TAG = { id: 0x08, ttl: 0x10 } as const

export const LEASE_KEY = 8

export function leaseMessageSize({ id, ttl }: LeaseFacts): number {
  return 2 + varint64Size(id) + varint64Size(BigInt(ttl))
}

export function leaseEntry({ id, ttl }: LeaseFacts): { key: Buffer; value: Buffer } {
  const key = Buffer.alloc(LEASE_KEY)
  key.writeBigInt64BE(id)
  const value = Buffer.alloc(leaseMessageSize({ id, ttl }))
  value[0] = TAG.id
  const at = writeVarint64(value, 1, id)
  value[at] = TAG.ttl
  writeVarint64(value, at + 1, BigInt(ttl))
  return { key, value }
}

/** Null if it is none. */
export function readLeaseEntry(key: Buffer, value: Buffer): LeaseFacts | null {
  if (key.length !== LEASE_KEY) return null
  let id = 0n
  let ttl = 0
  const whole = readMessage(value, {
    varint(tag, number, exact) {
      if (tag === TAG.id) id = exact()
      else if (tag === TAG.ttl) ttl = number
    },
  })
  return whole && id === key.readBigInt64BE() && ttl >= 1 ? { id, ttl } : null
}

/** In the order of their keys in the bucket. */
export function byLeaseKey(a: LeaseFacts, b: LeaseFacts): number {
  const [x, y] = [BigInt.asUintN(64, a.id), BigInt.asUintN(64, b.id)]
  return x < y ? -1 : x > y ? 1 : 0
}
