import type { Clock } from '../../base/clock.ts'
import type { Random } from '../../base/random.ts'
import { type Key, type Lease, type LeaseId, StoreError } from '../store.ts'
import type { LeaseAttachments } from './keyspace.ts'

/** etcd's own limit, in seconds. */
const MAX_TTL = 9_000_000_000
/** An alarm clock that rings so much too late, in milliseconds, was stopped: the machine slept or the process was suspended. */
const SUSPENDED = 2000
/** A lease that could not be revoked is tried again after so many milliseconds. */
const RETRY = 1000

export interface LeaseRecord {
  readonly id: LeaseId
  /** Seconds. */
  readonly ttl: number
  readonly keys: Set<Key>
  /** On the monotonic clock. */
  expiresAt: number
}

/**
 * Leases and the time they have left. A lease never ends earlier than promised, but may end later: after a restart, and after this
 * process could not run for a while, each lease has its whole time again, because nobody could have kept it alive meanwhile.
 */
export class Lessor implements LeaseAttachments, Disposable {
  readonly #leases = new Map<LeaseId, LeaseRecord>()
  readonly #clock: Clock
  readonly #random: Random
  readonly #expire: (id: LeaseId) => void
  #alarm: (Disposable & { readonly at: number }) | null = null

  /** `expire` revokes the lease; it is called again a second later if the lease is still there. */
  constructor(deps: { clock: Clock; random: Random; expire: (id: LeaseId) => void }) {
    this.#clock = deps.clock
    this.#random = deps.random
    this.#expire = deps.expire
  }

  has(id: LeaseId): boolean {
    return this.#leases.has(id)
  }

  ids(): LeaseId[] {
    return [...this.#leases.keys()]
  }

  all(): readonly LeaseRecord[] {
    return [...this.#leases.values()]
  }

  /** Makes a lease that is not added yet. Throws StoreError `invalidRequest` or `leaseExists`. */
  make(ttlSeconds: number, id: LeaseId = 0n): LeaseRecord {
    checkGrant(ttlSeconds, id)
    if (this.#leases.has(id)) throw new StoreError('leaseExists', `there is a lease ${id} already`)
    return { id: id === 0n ? this.#freeId() : id, ttl: ttlSeconds, keys: new Set(), expiresAt: this.#endOf(ttlSeconds) }
  }

  add(lease: LeaseRecord): void {
    this.#leases.set(lease.id, lease)
    this.#ringAt(lease.expiresAt)
  }

  remove(id: LeaseId): void {
    this.#leases.delete(id)
  }

  /** Adds a lease again whose removal did not become durable. */
  putBack(lease: LeaseRecord): void {
    lease.expiresAt = Math.max(lease.expiresAt, this.#clock.monotonic() + RETRY)
    this.add(lease)
  }

  /** Throws StoreError `leaseNotFound`. */
  get(id: LeaseId): LeaseRecord {
    const lease = this.#leases.get(id)
    if (!lease) throw new StoreError('leaseNotFound', `there is no lease ${id}`)
    return lease
  }

  keepAlive(id: LeaseId): LeaseRecord {
    const lease = this.get(id)
    lease.expiresAt = this.#endOf(lease.ttl)
    return lease
  }

  describe(id: LeaseId, withKeys: boolean): Lease {
    const lease = this.#leases.get(id)
    if (!lease) return { id, grantedTtl: 0, ttl: -1, keys: [] }
    const left = Math.max(0, Math.floor((lease.expiresAt - this.#clock.monotonic()) / 1000))
    return { id, grantedTtl: lease.ttl, ttl: left, keys: withKeys ? [...lease.keys].sort() : [] }
  }

  attach(id: LeaseId, key: Key): void {
    this.#leases.get(id)?.keys.add(key)
  }

  detach(id: LeaseId, key: Key): void {
    this.#leases.get(id)?.keys.delete(key)
  }

  [Symbol.dispose](): void {
    this.#alarm?.[Symbol.dispose]()
    this.#alarm = null
  }

  #endOf(ttlSeconds: number): number {
    return this.#clock.monotonic() + ttlSeconds * 1000
  }

  #freeId(): LeaseId {
    for (;;) {
      const id = Buffer.from(this.#random.bytes(8)).readBigUInt64BE() >> 1n
      if (id !== 0n && !this.#leases.has(id)) return id
    }
  }

  #ringAt(time: number): void {
    if (this.#alarm && this.#alarm.at <= time) return
    this.#alarm?.[Symbol.dispose]()
    const timer = this.#clock.setTimeout(() => this.#ring(time), Math.max(0, time - this.#clock.monotonic()), { unref: true })
    this.#alarm = { at: time, [Symbol.dispose]: () => timer[Symbol.dispose]() }
  }

  #ring(due: number): void {
    this.#alarm = null
    const now = this.#clock.monotonic()
    const suspended = now - due >= SUSPENDED
    const expired: LeaseId[] = []
    let next = Number.POSITIVE_INFINITY
    for (const lease of this.#leases.values()) {
      if (suspended) lease.expiresAt = this.#endOf(lease.ttl)
      if (lease.expiresAt <= now) expired.push(lease.id)
      next = Math.min(next, lease.expiresAt <= now ? now + RETRY : lease.expiresAt)
    }
    for (const id of expired) this.#expire(id)
    if (this.#leases.size > 0) this.#ringAt(Math.max(next, now + 1))
  }
}

/** Throws StoreError `invalidRequest`. */
export function checkGrant(ttlSeconds: number, id: LeaseId): void {
  if (!Number.isSafeInteger(ttlSeconds) || ttlSeconds < 1 || ttlSeconds > MAX_TTL) {
    throw new StoreError('invalidRequest', `a lease lasts a whole number of seconds from 1 to ${MAX_TTL}, not ${ttlSeconds}`)
  }
  if (BigInt.asIntN(64, id) !== id) throw new StoreError('invalidRequest', `the lease id ${id} has more than 64 bits`)
}
