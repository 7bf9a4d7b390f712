import type { Clock } from '../../base/clock.ts'
import type { Logger } from '../../base/logger.ts'
import type { Random } from '../../base/random.ts'
import {
  type Lease,
  type LeaseApi,
  type LeaseId,
  type RangeRequest,
  type RangeResponse,
  type Store,
  StoreError,
  type StoreStatus,
  type TxnRequest,
  type TxnResponse,
  type Watcher,
  type WatchRequest,
} from '../store.ts'
import { type Backend, type Proposal, STORAGE_VERSION } from './backend.ts'
import { Committer } from './committer.ts'
import type { Keyspace } from './keyspace.ts'
import { Lessor } from './lessor.ts'
import { checkReadable, compacted, readRange } from './range.ts'
import { checkCount, checkRange, checkTxn, checkWatch } from './request.ts'
import { runTransaction } from './transaction.ts'
import { asStoreError } from './watcher.ts'
import { WatchHub } from './watch-hub.ts'

export interface MvccStoreDeps {
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly backend: Backend
  /** What was there before. */
  readonly space: Keyspace
  readonly leases: readonly { readonly id: LeaseId; readonly ttl: number }[]
}

/**
 * The store over whatever backend. Requests are worked out one after the other in the calling thread, on the newest state; what they
 * change is seen by reads and watchers when it is durable, and not before.
 */
export class MvccStore implements Store {
  readonly lease: LeaseApi
  readonly #backend: Backend
  readonly #logger: Logger
  readonly #lessor: Lessor
  readonly #space: Keyspace
  readonly #committer: Committer
  readonly #hub: WatchHub
  /** The newest durable revision. */
  #revision: number
  #compacting: number
  #closing: Promise<void> | null = null

  constructor(deps: MvccStoreDeps) {
    const { backend, clock } = deps
    this.#backend = backend
    this.#logger = deps.logger
    this.#lessor = new Lessor({ clock, random: deps.random, expire: (id) => this.#expire(id) })
    for (const { id, ttl } of deps.leases) this.#lessor.add(this.#lessor.make(ttl, id))
    this.#space = deps.space
    this.#space.follow(this.#lessor)
    this.#revision = this.#space.revision
    this.#compacting = this.#space.compactRevision
    this.#hub = new WatchHub({
      space: this.#space,
      clock,
      read: backend.read,
      reading: (work) => backend.reading(work),
      newest: () => this.#revision,
    })
    this.#committer = new Committer({
      backend,
      onDurable: (proposal) => this.#onDurable(proposal),
      onFailed: (proposal) => this.#onFailed(proposal),
    })
    this.lease = {
      grant: (ttl, id) => this.#guard(() => this.#grant(ttl, id)),
      revoke: (id) => this.#guard(() => this.#revoke(id)),
      keepAlive: (id) => this.#guard(() => this.#keepAlive(id)),
      timeToLive: (id, options) => this.#guard(() => this.#timeToLive(id, options?.keys ?? false)),
      list: () => this.#guard(() => this.#committer.barrier().then(() => this.#lessor.ids())),
    }
  }

  range(request: RangeRequest): Promise<RangeResponse> {
    return this.#guard(async () => {
      checkRange(request)
      checkReadable(this.#space, request.revision, this.#revision)
      return this.#backend.reading(() => readRange(this.#space, request, this.#revision, this.#backend.read))
    })
  }

  txn(request: TxnRequest): Promise<TxnResponse> {
    return this.#guard(async () => {
      checkTxn(request)
      const before = this.#space.revision
      const outcome = this.#backend.reading(() =>
        runTransaction({ space: this.#space, read: this.#backend.read, leaseExists: (id) => this.#lessor.has(id) }, request),
      )
      const { succeeded, responses, changes } = outcome
      const revision = changes.length > 0 ? this.#space.advance() : before
      if (changes.length > 0) await this.#committer.submit({ before, revision, changes })
      else await this.#committer.barrier()
      return { succeeded, revision, responses }
    })
  }

  watch(request: WatchRequest): Watcher {
    if (this.#closing) return refused(new StoreError('closed', 'the store is closed'))
    try {
      checkWatch(request)
    } catch (error) {
      return refused(asStoreError(error))
    }
    return this.#hub.open(request)
  }

  compact(revision: number): Promise<void> {
    return this.#guard(async () => {
      checkCount('revision', revision)
      if (revision > this.#revision) checkReadable(this.#space, revision, this.#revision)
      if (revision <= this.#compacting) throw compacted(revision, this.#compacting)
      this.#compacting = revision
      const now = this.#space.revision
      await this.#committer.submit({ before: now, revision: now, changes: [], compact: this.#space.planCompaction(revision) })
    })
  }

  status(): Promise<StoreStatus> {
    return this.#guard(async () => ({
      engine: this.#backend.engine,
      version: String(STORAGE_VERSION),
      revision: this.#revision,
      compactRevision: this.#space.compactRevision,
      keys: this.#space.live,
      ...this.#backend.stats(),
    }))
  }

  /** What was accepted becomes durable first; then watchers end with `closed`, as does every later request. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    this.#lessor[Symbol.dispose]()
    await this.#committer.drained()
    this.#hub.close()
    await this.#backend.close()
  }

  async #guard<T>(work: () => Promise<T>): Promise<T> {
    if (this.#closing) throw new StoreError('closed', 'the store is closed')
    return work()
  }

  async #grant(ttlSeconds: number, id?: LeaseId): Promise<{ id: LeaseId; ttl: number }> {
    const lease = this.#lessor.make(ttlSeconds, id)
    this.#lessor.add(lease)
    await this.#propose({ changes: [], grant: lease })
    return { id: lease.id, ttl: lease.ttl }
  }

  async #revoke(id: LeaseId): Promise<{ revision: number }> {
    const lease = this.#lessor.get(id)
    const changes = [...lease.keys].sort().flatMap((key) => this.#space.delete({ key }))
    this.#lessor.remove(id)
    return this.#propose({ changes, revoke: lease })
  }

  async #keepAlive(id: LeaseId): Promise<{ ttl: number }> {
    const { ttl } = this.#lessor.keepAlive(id)
    await this.#committer.barrier()
    return { ttl }
  }

  async #timeToLive(id: LeaseId, withKeys: boolean): Promise<Lease> {
    const lease = this.#lessor.describe(id, withKeys)
    await this.#committer.barrier()
    return lease
  }

  async #propose(parts: Omit<Proposal, 'before' | 'revision'>): Promise<{ revision: number }> {
    const before = this.#space.revision
    const revision = parts.changes.length > 0 ? this.#space.advance() : before
    await this.#committer.submit({ before, revision, ...parts })
    return { revision }
  }

  #expire(id: LeaseId): void {
    this.#guard(() => this.#revoke(id)).catch((error: unknown) => {
      if (!this.#closing) this.#logger.warn('an expired lease could not be revoked', { lease: id, error })
    })
  }

  #onDurable({ revision, changes, compact }: Proposal): void {
    if (changes.length > 0) {
      this.#revision = revision
      this.#backend.reading(() => this.#hub.publish(revision, changes))
      this.#backend.settled(changes)
    }
    if (compact !== undefined) this.#backend.drop(this.#space.compact(compact))
  }

  #onFailed({ before, changes, grant, revoke, compact }: Proposal): void {
    if (grant) this.#lessor.remove(grant.id)
    if (revoke) this.#lessor.putBack(revoke)
    this.#space.undo(changes.length, before)
    if (compact !== undefined) this.#compacting = this.#space.compactRevision
  }
}

function refused(error: StoreError): Watcher {
  const created = Promise.reject<{ revision: number }>(error)
  created.catch(() => undefined)
  let told = false
  return {
    created,
    requestProgress() {},
    [Symbol.asyncIterator]: () => ({
      async next() {
        if (told) return { value: undefined, done: true }
        told = true
        throw error
      },
    }),
    async [Symbol.asyncDispose]() {
      told = true
    },
  }
}
