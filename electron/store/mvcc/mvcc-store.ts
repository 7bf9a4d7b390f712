import type { Clock } from '../../base/clock.ts'
import type { Logger } from '../../base/logger.ts'
import type { Random } from '../../base/random.ts'
import {
  type LeaseApi,
  type LeaseId,
  type Maintenance,
  type RangeRequest,
  type RangeResponse,
  type Store,
  StoreError,
  type StoreHistory,
  type StoreStatus,
  type TxnRequest,
  type TxnResponse,
  type Watcher,
  type WatchRequest,
} from '../store.ts'
import { type Backend, type Proposal, STORAGE_VERSION } from './backend.ts'
import { Committer } from './committer.ts'
import { createHistory } from './history.ts'
import type { Keyspace } from './keyspace.ts'
import { Lessor } from './lessor.ts'
import { createMaintenance } from './maintenance.ts'
import { checkReadable, compacted, readRange } from './range.ts'
import { refused } from './refused.ts'
import { checkCount, checkRange, checkTxn, checkWatch } from './request.ts'
import { runTransaction, type TransactionDeps } from './transaction.ts'
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
  readonly maintenance: Maintenance
  readonly history: StoreHistory | null
  readonly #backend: Backend
  readonly #logger: Logger
  readonly #lessor: Lessor
  readonly #space: Keyspace
  readonly #committer: Committer
  readonly #hub: WatchHub
  /** The newest durable revision. */
  #revision: number
  readonly #transaction: TransactionDeps
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
      onFailed: (proposal) => this.#takeBack(proposal),
    })
    this.#transaction = { space: this.#space, read: backend.read, leaseExists: (id) => this.#lessor.has(id) }
    this.lease = {
      grant: (ttl, id) => this.#acceptOnHead(() => this.#grant(ttl, id)),
      revoke: (id) => this.#acceptOnHead(() => this.#revoke(id)),
      keepAlive: (id) => this.#acceptOnHead(() => this.#committer.barrier({ ttl: this.#lessor.keepAlive(id).ttl })),
      timeToLive: (id, options) => this.#accept(() => this.#committer.barrier(this.#lessor.describe(id, options?.keys ?? false))),
      list: () => this.#accept(() => this.#committer.barrier(this.#lessor.ids())),
    }
    this.maintenance = createMaintenance({
      backend,
      held: () => ({ space: this.#space, revision: this.#revision, leases: this.#lessor.all() }),
      accept: (work) => this.#accept(work),
    })
    const { past } = backend
    this.history =
      past &&
      createHistory({
        space: this.#space,
        past,
        newest: () => this.#revision,
        range: (request) => this.range(request),
        accept: (work) => this.#accept(work),
      })
  }

  range(request: RangeRequest): Promise<RangeResponse> {
    return this.#accept(() => {
      checkRange(request)
      checkReadable(this.#space, request.revision, this.#revision)
      return Promise.resolve(this.#backend.reading(() => readRange(this.#space, request, this.#revision, this.#backend.read)))
    })
  }

  txn(request: TxnRequest): Promise<TxnResponse> {
    return this.#acceptOnHead(() => {
      checkTxn(request)
      const { succeeded, responses, changes } = this.#backend.reading(() => runTransaction(this.#transaction, request))
      if (changes.length === 0) return this.#committer.barrier({ succeeded, revision: this.#space.revision, responses })
      return this.#propose({ changes }, (revision) => ({ succeeded, revision, responses }))
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
    return this.#acceptOnHead(() => {
      checkCount('revision', revision)
      if (revision > this.#revision) checkReadable(this.#space, revision, this.#revision)
      if (revision <= this.#compacting) throw compacted(revision, this.#compacting)
      this.#compacting = revision
      return this.#propose({ changes: [], compact: this.#space.planCompaction(revision) }, () => undefined)
    })
  }

  status(): Promise<StoreStatus> {
    return this.#accept(() =>
      Promise.resolve({
        engine: this.#backend.engine,
        version: String(STORAGE_VERSION),
        revision: this.#revision,
        compactRevision: this.#space.compactRevision,
        keys: this.#space.live,
        ...this.#backend.stats(),
      }),
    )
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

  #accept<T>(work: () => Promise<T>): Promise<T> {
    if (this.#closing) return Promise.reject(new StoreError('closed', 'the store is closed'))
    try {
      return work()
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /** For what is worked out on the head: a refusal, too, is told when what it rests on is durable, or fails with it. */
  #acceptOnHead<T>(work: () => Promise<T>): Promise<T> {
    return this.#accept(() => {
      try {
        return work()
      } catch (error) {
        return this.#committer.barrier(null).then(() => Promise.reject(error))
      }
    })
  }

  #grant(ttlSeconds: number, id?: LeaseId): Promise<{ id: LeaseId; ttl: number }> {
    const grant = this.#lessor.make(ttlSeconds, id)
    this.#lessor.add(grant)
    return this.#propose({ changes: [], grant }, () => ({ id: grant.id, ttl: grant.ttl }))
  }

  #revoke(id: LeaseId): Promise<{ revision: number }> {
    const revoke = this.#lessor.get(id)
    const changes = [...revoke.keys].sort().flatMap((key) => this.#space.delete({ key }))
    this.#lessor.remove(id)
    return this.#propose({ changes, revoke }, (revision) => ({ revision }))
  }

  /** What was changed on the head of the keyspace becomes a revision, and the answer is given when that is durable. */
  #propose<T>(parts: Omit<Proposal, 'before' | 'revision'>, answer: (revision: number) => T): Promise<T> {
    const before = this.#space.revision
    const refusal = this.#backend.refusal(parts)
    if (refusal) {
      this.#takeBack({ ...parts, before })
      throw refusal
    }
    const revision = parts.changes.length > 0 ? this.#space.advance() : before
    return this.#committer.submit({ before, revision, ...parts }, answer(revision))
  }

  #expire(id: LeaseId): void {
    this.#accept(() => this.#revoke(id)).catch((error: unknown) => {
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

  #takeBack({ before, changes, grant, revoke, compact }: Omit<Proposal, 'revision'>): void {
    if (grant) this.#lessor.remove(grant.id)
    if (revoke) this.#lessor.putBack(revoke)
    this.#space.undo(changes.length, before)
    if (compact !== undefined) this.#compacting = this.#space.compactRevision
  }
}
