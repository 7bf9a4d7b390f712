import type { Clock } from '../../base/clock.ts'
import { FlotillaError, messageOf } from '../../base/errors.ts'
import type { Logger } from '../../base/logger.ts'
import { compacted } from '../mvcc/range.ts'
import { refused } from '../mvcc/refused.ts'
import { checkCount, checkRange, checkTxn, checkWatch } from '../mvcc/request.ts'
import { asStoreError } from '../mvcc/watcher.ts'
import {
  type LeaseApi,
  type Maintenance,
  type Op,
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
import { toRangeResponse, toTxnResponse, toWireRange, toWireTxn } from './codec.ts'
import { EtcdConnection } from './connection.ts'
import { type Endpoint, type EtcdTls, openEndpoint } from './endpoint.ts'
import { AlarmType, KV, Maintenance as MaintenanceService } from '../wire/gen/etcd_pb.js'
import { History } from './history.ts'
import { RemoteLeases } from './leases.ts'
import { RemoteMaintenance } from './maintenance.ts'
import { probe } from './probe.ts'
import { RemoteWatcher } from './remote-watcher.ts'

/** A compaction is answered when the space is free, which in a large store takes its time; milliseconds. */
const COMPACTION = 5 * 60_000
const ALL = { key: '\0', end: '\0' }

export interface RemoteStoreOptions {
  /** Client URLs of the members, e.g. "https://10.0.0.1:2379". At least one. */
  readonly endpoints: readonly string[]
  readonly tls?: EtcdTls | undefined
  readonly clock: Clock
  readonly logger: Logger
}

/**
 * Opens the store that an etcd cluster (3.4 or newer) holds. All of the cluster's keys are this store's. Rejects with FlotillaError
 * `INVALID_INPUT`, or `MISSING_REQUIREMENT` when no member answers or the cluster refuses this client.
 *
 * What etcd does otherwise than the engines in this process: requests that are made at once are carried out in any order, and etcd
 * up to 3.4 forgets the deletions of the revision it was compacted at.
 */
export async function createRemoteStore(options: RemoteStoreOptions): Promise<Store> {
  const { clock, logger, tls } = options
  if (options.endpoints.length === 0) {
    throw new FlotillaError('INVALID_INPUT', {
      what: 'The etcd cluster has no members.',
      why: 'No URL was given.',
      next: 'Name at least one member, as https://HOST:PORT.',
    })
  }
  await using opened = new AsyncDisposableStack()
  const endpoints = options.endpoints.map((url) => {
    const endpoint = openEndpoint(url, tls)
    opened.defer(() => endpoint.client.close())
    return endpoint
  })
  const store = new RemoteStore(opened.use(new EtcdConnection({ endpoints, clock, logger })), clock, logger)
  try {
    await Promise.race([store.status(), vain(endpoints, tls ?? {}, clock)])
  } catch (error) {
    throw new FlotillaError('MISSING_REQUIREMENT', {
      what: `The etcd cluster ${options.endpoints.join(', ')} cannot be used.`,
      why: `${messageOf(error)}.`,
      next: 'Check that its members run, that the URLs are those for clients, and that the certificates fit.',
      cause: error,
    })
  }
  opened.move()
  return store
}

/** Rejects with StoreError when no member will ever serve this client; else stays pending. */
function vain(endpoints: readonly Endpoint[], tls: EtcdTls, clock: Clock): Promise<never> {
  return new Promise((_, reject) => {
    void Promise.all(endpoints.map(async ({ url, address }) => ({ url, result: await probe(address, tls, clock) }))).then((probes) => {
      const reasons = probes.flatMap(({ url, result }) => (result.state === 'refused' ? [`${url}: ${result.why}`] : []))
      if (reasons.length === probes.length) reject(new StoreError('unavailable', `no etcd member can be used (${reasons.join('; ')})`))
    })
  })
}

class RemoteStore implements Store {
  readonly lease: LeaseApi
  readonly maintenance: Maintenance
  readonly history = null
  readonly #connection: EtcdConnection
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #history: History
  readonly #watchers = new Set<RemoteWatcher>()
  readonly #pending = new Set<Promise<unknown>>()
  #closing: Promise<void> | null = null

  constructor(connection: EtcdConnection, clock: Clock, logger: Logger) {
    this.#connection = connection
    this.#clock = clock
    this.#logger = logger
    this.#history = new History((request) => this.#range(request))
    const leases = new RemoteLeases({ connection, newest: () => this.#history.newest() })
    this.lease = {
      grant: (ttl, id) => this.#accept(() => leases.grant(ttl, id)),
      revoke: (id) => this.#accept(() => leases.revoke(id)),
      keepAlive: (id) => this.#accept(() => leases.keepAlive(id)),
      timeToLive: (id, what) => this.#accept(() => leases.timeToLive(id, what)),
      list: () => this.#accept(() => leases.list()),
    }
    const maintenance = new RemoteMaintenance({ connection, clock, newest: () => this.#history.newest() })
    this.maintenance = {
      snapshot: () => this.#accept(() => maintenance.snapshot()),
      hash: (revision) => this.#accept(() => this.#explained(revision, maintenance.hash(revision))),
      defragment: () => this.#accept(() => maintenance.defragment()),
      check: () => this.#accept(() => maintenance.check()),
    }
  }

  range(request: RangeRequest): Promise<RangeResponse> {
    return this.#accept(async () => {
      checkRange(request)
      return await this.#explained(request.revision, this.#range(request))
    })
  }

  txn(request: TxnRequest): Promise<TxnResponse> {
    return this.#accept(async () => {
      checkTxn(request)
      const repeatable = !mayWrite(request)
      const answer = this.#connection.unary(KV.method.txn, toWireTxn(request), { repeatable })
      return toTxnResponse(await this.#explained(undefined, answer))
    })
  }

  watch(request: WatchRequest): Watcher {
    if (this.#closing) return refused(closed())
    try {
      checkWatch(request)
    } catch (error) {
      return refused(asStoreError(error))
    }
    const watcher = new RemoteWatcher(
      {
        connection: this.#connection,
        clock: this.#clock,
        logger: this.#logger,
        newest: () => this.#history.newest(),
        mayBeEmpty: (revision) => this.#history.mayBeEmpty(revision),
        onEnd: (ended) => this.#watchers.delete(ended),
      },
      request,
    )
    this.#watchers.add(watcher)
    return watcher
  }

  compact(revision: number): Promise<void> {
    return this.#accept(async () => {
      checkCount('revision', revision)
      if (revision === 0) throw compacted(revision, await this.#history.compactRevision())
      const request = { revision: BigInt(revision), physical: true }
      await this.#explained(revision, this.#connection.unary(KV.method.compact, request, { repeatable: false, timeout: COMPACTION }))
    })
  }

  status(): Promise<StoreStatus> {
    return this.#accept(async () => {
      const [{ revision, count }, compactRevision, member, { alarms }] = await Promise.all([
        this.#range({ ...ALL, countOnly: true }),
        this.#history.compactRevision(),
        this.#connection.unary(MaintenanceService.method.status, {}, { repeatable: true }),
        this.#connection.unary(MaintenanceService.method.alarm, {}, { repeatable: true }),
      ])
      return {
        engine: 'remote',
        version: member.version,
        revision,
        compactRevision,
        dbSize: Number(member.dbSize),
        dbSizeInUse: Number(member.dbSizeInUse),
        quota: Number(member.dbSizeQuota),
        keys: count,
        alarms: [
          ...(alarms.some(({ alarm }) => alarm === AlarmType.NOSPACE) ? (['noSpace'] as const) : []),
          ...(alarms.some(({ alarm }) => alarm === AlarmType.CORRUPT) ? (['corrupt'] as const) : []),
        ],
      }
    })
  }

  /** What was accepted is answered first; then watchers end with `closed`, as does every later request. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    await Promise.allSettled(this.#pending)
    for (const watcher of this.#watchers) watcher.fail(closed())
    this.#connection[Symbol.dispose]()
  }

  #accept<T>(work: () => Promise<T>): Promise<T> {
    if (this.#closing) return Promise.reject(closed())
    const result = work()
    this.#pending.add(result)
    const forget = () => void this.#pending.delete(result)
    result.then(forget, forget)
    return result
  }

  async #range(request: RangeRequest): Promise<RangeResponse> {
    return toRangeResponse(await this.#connection.unary(KV.method.range, toWireRange(request), { repeatable: true }))
  }

  /** Adds to `compacted` what etcd leaves out: the oldest revision there is. */
  async #explained<T>(revision: number | undefined, answer: Promise<T>): Promise<T> {
    try {
      return await answer
    } catch (error) {
      if (!(error instanceof StoreError) || error.code !== 'compacted') throw error
      const oldest = await this.#history.compactRevision()
      if (revision !== undefined) throw compacted(revision, oldest)
      throw new StoreError('compacted', error.message, { compactRevision: oldest, cause: error })
    }
  }
}

function mayWrite(request: TxnRequest): boolean {
  const writes = (op: Op): boolean => (op.type === 'txn' ? mayWrite(op) : op.type !== 'range')
  return request.success.some(writes) || (request.failure ?? []).some(writes)
}

function closed(): StoreError {
  return new StoreError('closed', 'the store is closed')
}
