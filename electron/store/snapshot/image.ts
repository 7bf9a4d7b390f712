import type { Key, LeaseId } from '../store.ts'

/** All that a store retains at one moment, unchanging while it is read and while the store goes on. */
export interface StoreImage extends AsyncDisposable {
  readonly revision: number
  /** 0 before the first compaction. */
  readonly compactRevision: number
  /** `ttl`: granted seconds. */
  readonly leases: readonly { readonly id: LeaseId; readonly ttl: number }[]
  /** Every retained change without its value, oldest first, in batches; may be gone through more than once. */
  changes(): AsyncIterable<readonly ImageChange[]>
  /** The same changes with their values (empty for a deletion), in the same order. */
  entries(): AsyncIterable<readonly ImageEntry[]>
}

export interface ImageChange {
  readonly key: Key
  readonly revision: number
  /** Place among the changes of its revision, from 0: etcd's sub revision. */
  readonly sub: number
  readonly deleted: boolean
  /** 0 for a deletion, as are version and lease. */
  readonly createRevision: number
  readonly version: number
  readonly lease: LeaseId
  /** Bytes of the value. */
  readonly size: number
}

export interface ImageEntry extends ImageChange {
  readonly value: Uint8Array
}
