/**
 * The store's contract: etcd v3's data model and promises (etcd v3 KV, Watch and Lease APIs), behind one interface with several
 * engines. Every engine passes `storeSuite` in `store/testing`.
 *
 * Promises:
 * - One global revision. Each transaction that changes something gets the next one; all its changes carry it.
 * - A write is acknowledged after it is durable (embedded: after fsync; memory: at once; remote: as etcd does).
 * - Reads without `revision` are linearizable: they see every write acknowledged before they began.
 * - A watcher sees every change after its start revision exactly once, in revision order, all changes of one revision in one batch.
 * - A watcher that is too slow, or asks for a compacted revision, is told by an error and may start again; it never blocks writers.
 */

/**
 * A key as a byte string: a JavaScript string whose char codes are the bytes (0 to 255), so that string order is byte order.
 * ASCII keys are written as they look. Use `keyFromText` for other text.
 */
export type Key = string

/** 0 stands for "no lease". */
export type LeaseId = bigint

export interface KeyValue {
  readonly key: Key
  readonly value: Uint8Array
  /** Revision at which the key was made since it last did not exist. */
  readonly createRevision: number
  /** Revision of the last change. */
  readonly modRevision: number
  /** Number of changes since it was made, 1 for the first. */
  readonly version: number
  readonly lease: LeaseId
}

/** A half-open interval of keys: from `key` up to but not including `end`; without `end`, the one key. `end` "\0" means no upper bound. */
export interface KeyRange {
  readonly key: Key
  readonly end?: Key
}

export type SortTarget = 'key' | 'version' | 'create' | 'mod' | 'value'

export interface RangeRequest extends KeyRange {
  /** Read as of this revision; 0 or absent: now. */
  readonly revision?: number
  /** At most so many keys; 0 or absent: all. */
  readonly limit?: number
  readonly keysOnly?: boolean
  readonly countOnly?: boolean
  /** By default ascending by key. */
  readonly sort?: { readonly target: SortTarget; readonly order: 'ascend' | 'descend' }
  readonly minModRevision?: number
  readonly maxModRevision?: number
  readonly minCreateRevision?: number
  readonly maxCreateRevision?: number
}

export interface RangeResponse {
  /** The store's revision when the answer was made. */
  readonly revision: number
  readonly kvs: readonly KeyValue[]
  /** How many keys are in the range, whatever the limit. */
  readonly count: number
  /** More keys than the limit allowed. */
  readonly more: boolean
}

export type CompareResult = 'equal' | 'notEqual' | 'greater' | 'less'

/** Holds for every key of the range; a key that does not exist has version, revisions and lease 0 and no value. */
export type Compare = KeyRange & { readonly result: CompareResult } & (
    | { readonly target: 'version' | 'create' | 'mod'; readonly operand: number }
    | { readonly target: 'lease'; readonly operand: LeaseId }
    | { readonly target: 'value'; readonly operand: Uint8Array }
  )

export interface PutOp {
  readonly type: 'put'
  readonly key: Key
  /** Handed over: it must not be changed afterwards, as must no value that the store hands out. */
  readonly value: Uint8Array
  readonly lease?: LeaseId
  readonly prevKv?: boolean
  /** Keep the value, change the rest; fails with `keyNotFound` if the key does not exist. */
  readonly ignoreValue?: boolean
  readonly ignoreLease?: boolean
}

export interface DeleteOp extends KeyRange {
  readonly type: 'delete'
  readonly prevKv?: boolean
}

export interface RangeOp extends RangeRequest {
  readonly type: 'range'
}

export interface TxnOp extends TxnRequest {
  readonly type: 'txn'
}

export type Op = PutOp | DeleteOp | RangeOp | TxnOp

export interface TxnRequest {
  /** All must hold for `success` to run, else `failure` runs. None: `success`. */
  readonly compare?: readonly Compare[]
  readonly success: readonly Op[]
  readonly failure?: readonly Op[]
}

export type OpResponse =
  | { readonly type: 'put'; readonly prevKv?: KeyValue }
  | { readonly type: 'delete'; readonly deleted: number; readonly prevKvs: readonly KeyValue[] }
  | ({ readonly type: 'range' } & RangeResponse)
  | ({ readonly type: 'txn' } & TxnResponse)

export interface TxnResponse {
  readonly succeeded: boolean
  /** The revision of this transaction if it wrote, else the store's revision when it read. */
  readonly revision: number
  readonly responses: readonly OpResponse[]
}

export interface StoreEvent {
  readonly type: 'put' | 'delete'
  /** For a delete: key and modRevision (the revision of the delete) only; value empty, other numbers 0. */
  readonly kv: KeyValue
  /** The key before, if the watcher asked for it and its revision is not compacted. */
  readonly prevKv?: KeyValue
}

/** All changes of one revision that a watcher wants, in the order the transaction made them; or a progress mark without events. */
export interface WatchBatch {
  /** Everything up to and including this revision has been delivered. */
  readonly revision: number
  readonly events: readonly StoreEvent[]
}

export interface WatchRequest extends KeyRange {
  /** First revision wanted; absent or 0: the next one to come. */
  readonly startRevision?: number
  readonly prevKv?: boolean
  readonly filter?: { readonly noPut?: boolean; readonly noDelete?: boolean }
  /** Send progress marks about this often while nothing happens, in milliseconds. */
  readonly progressInterval?: number
  /** How many batches may wait before the watcher is ended with `slowWatcher`. Default 10,000. */
  readonly bufferLimit?: number
}

/**
 * Iterate it. Ends when disposed; throws StoreError `compacted` (its `compactRevision` says where to go on), `slowWatcher`, or
 * `unavailable`.
 */
export interface Watcher extends AsyncIterable<WatchBatch>, AsyncDisposable {
  /** Resolves when the watcher is registered: every later revision will be seen. */
  readonly created: Promise<{ readonly revision: number }>
  /** Asks for a progress mark now; it arrives in order with the events. */
  requestProgress(): void
}

export interface Lease {
  readonly id: LeaseId
  /** Seconds. */
  readonly grantedTtl: number
  /** Seconds left; -1 if expired or never granted. */
  readonly ttl: number
  readonly keys: readonly Key[]
}

export interface LeaseApi {
  /** `id` 0 or absent: the store chooses one. */
  grant(ttlSeconds: number, id?: LeaseId): Promise<{ readonly id: LeaseId; readonly ttl: number }>
  /** Deletes the lease and, in one transaction, every key attached to it. */
  revoke(id: LeaseId): Promise<{ readonly revision: number }>
  /** Starts the time anew. Fails with `leaseNotFound`. */
  keepAlive(id: LeaseId): Promise<{ readonly ttl: number }>
  timeToLive(id: LeaseId, options?: { keys?: boolean }): Promise<Lease>
  list(): Promise<readonly LeaseId[]>
}

export interface StoreStatus {
  readonly engine: 'memory' | 'embedded' | 'remote'
  readonly version: string
  readonly revision: number
  readonly compactRevision: number
  /** Bytes on disk, and how many of them are in use; 0 for memory. */
  readonly dbSize: number
  readonly dbSizeInUse: number
  /** How many bytes may be in use; 0: as many as there are. */
  readonly quota: number
  readonly keys: number
  /**
   * `noSpace`: the last write found the disk full. `quota`: more than the quota is in use; only deletions and compactions are accepted,
   * until less than 90 % of it is. `corrupt`: damage was found; `ioError`: the disk or the writing thread failed. With the latter two
   * every write is refused until the store is opened again.
   */
  readonly alarms: readonly ('noSpace' | 'quota' | 'corrupt' | 'ioError')[]
}

/** What keeps a store in health, while it serves. */
export interface Maintenance {
  /** A snapshot as etcd makes it: a bbolt database with the SHA-256 of it behind it. Consistent. */
  snapshot(): Promise<Snapshot>
  /**
   * etcd's HashKV: CRC-32C over what is retained up to `revision` (0 or absent: now). The same data has the same hash in every engine
   * and in etcd. Fails with `futureRevision`, and with `compacted` for the compacted revision too, as etcd does.
   */
  hash(revision?: number): Promise<{ readonly hash: number; readonly revision: number; readonly compactRevision: number }>
  /** Gives all unused room back to the file system. Requests wait for it, none fails. Fails with `noSpace` if it needs more room than there is. */
  defragment(): Promise<void>
  /** Reads everything that is kept and compares checksums. What is wrong, by name; empty if nothing is. */
  check(): Promise<readonly string[]>
}

export interface Snapshot extends AsyncIterable<Uint8Array>, AsyncDisposable {
  /** Bytes in all. */
  readonly size: number
  readonly revision: number
}

/** A revision, and when it became the newest: milliseconds since 1970, by the clock of this machine, to a fraction of a second. */
export interface Moment {
  readonly revision: number
  readonly time: number
}

/** Past states beyond compaction, as far as the room for them reaches. */
export interface StoreHistory {
  /** The oldest and the newest state that can be read. */
  bounds(): Promise<{ readonly oldest: Moment; readonly newest: Moment }>
  /** The state that was the newest at a time. Fails with `compacted` if it is no longer kept. */
  at(time: number): Promise<Moment>
  /** As `Store.range`, but `revision` may lie before the compacted one. */
  range(request: RangeRequest): Promise<RangeResponse>
  /**
   * What changed in a range after `from` up to and including `to` (revisions), oldest first, at most `limit` revisions. Fails with
   * `compacted` or `futureRevision`.
   */
  changes(
    request: KeyRange & { readonly from: number; readonly to: number; readonly limit: number },
  ): Promise<readonly (WatchBatch & { readonly time: number })[]>
}

export interface Store extends AsyncDisposable {
  readonly lease: LeaseApi
  readonly maintenance: Maintenance
  /** Null where the engine keeps none (memory, remote). */
  readonly history: StoreHistory | null
  range(request: RangeRequest): Promise<RangeResponse>
  txn(request: TxnRequest): Promise<TxnResponse>
  watch(request: WatchRequest): Watcher
  /** Forgets history before `revision` (which stays readable). Fails with `compacted` or `futureRevision`. */
  compact(revision: number): Promise<void>
  status(): Promise<StoreStatus>
}

export type StoreErrorCode =
  | 'compacted'
  | 'futureRevision'
  | 'keyNotFound'
  | 'leaseNotFound'
  | 'leaseExists'
  | 'duplicateKey'
  | 'invalidRequest'
  | 'noSpace'
  | 'corrupt'
  | 'slowWatcher'
  | 'unavailable'
  | 'closed'

export class StoreError extends Error {
  override readonly name = 'StoreError'
  readonly code: StoreErrorCode
  /** With `compacted`: the oldest revision that can still be read. */
  readonly compactRevision: number | undefined

  constructor(code: StoreErrorCode, message: string, options: { compactRevision?: number; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.compactRevision = options.compactRevision
  }
}

/** The range of all keys that begin with `prefix`. */
export function prefixRange(prefix: Key): { key: Key; end: Key } {
  if (prefix === '') return { key: '\0', end: '\0' }
  for (let i = prefix.length - 1; i >= 0; i--) {
    const code = prefix.charCodeAt(i)
    if (code < 0xff) return { key: prefix, end: prefix.slice(0, i) + String.fromCharCode(code + 1) }
  }
  return { key: prefix, end: '\0' }
}

export function keyFromText(text: string): Key {
  return Buffer.from(text, 'utf8').toString('latin1')
}

export function keyToText(key: Key): string {
  return Buffer.from(key, 'latin1').toString('utf8')
}
