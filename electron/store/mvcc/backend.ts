import type { StoreImage } from '../snapshot/image.ts'
import type { StoreError, StoreStatus } from '../store.ts'
import type { Compaction, Keyspace } from './keyspace.ts'
import type { LeaseRecord } from './lessor.ts'
import type { Outlived, Past } from './past.ts'
import type { ReadValue, Version } from './version.ts'

/** The layout of what a store keeps; `StoreStatus.version`. Since 2, a change knows its place in its revision. */
export const STORAGE_VERSION = 2

/** What one accepted request changes. It is already applied to the keyspace, and is taken back from there if it cannot be made durable. */
export interface Proposal {
  /** The store's revision before and after it; equal if it changes no key. */
  readonly before: number
  readonly revision: number
  readonly changes: readonly Version[]
  readonly grant?: LeaseRecord
  readonly revoke?: LeaseRecord
  readonly compact?: Compaction
}

/** What is held in memory, of which all up to `revision` is durable. */
export interface Held {
  readonly space: Keyspace
  readonly revision: number
  readonly leases: readonly Pick<LeaseRecord, 'id' | 'ttl'>[]
}

/** Where an engine keeps what must last. */
export interface Backend {
  readonly engine: StoreStatus['engine']
  /** How many batches may be under way at a time. */
  readonly depth: number
  /**
   * Makes the proposals durable, all or none; null if they are durable when it returns. Batches become durable in the order they were
   * given. After one has failed, those given before the failure was reported fail too. Rejects with a StoreError.
   */
  commit(proposals: readonly Proposal[]): Promise<void> | null
  /** Why this is not to be proposed now, if so: what takes room, while there is none. */
  refusal(parts: Pick<Proposal, 'changes' | 'grant'>): StoreError | null
  readonly read: ReadValue
  /** Runs `work`, which reads many values, more cheaply than one by one. */
  reading<T>(work: () => T): T
  /** These changes are durable and their watchers have been told: their values may leave memory. */
  settled(changes: readonly Version[]): void
  /** These versions can no longer be asked for. */
  drop(outlived: readonly Outlived<Version>[]): void
  /** What becomes of them, where an engine keeps them for a time. */
  readonly past: Past | null
  stats(): Pick<StoreStatus, 'dbSize' | 'dbSizeInUse' | 'quota' | 'alarms'>
  /** All that is durable now. Reading it rejects with StoreError `closed` once it is disposed or the backend is closed. */
  image(held: Held): Promise<StoreImage>
  /** As `Maintenance.defragment`. */
  defragment(): Promise<void>
  /** As `Maintenance.check`. */
  check(): Promise<readonly string[]>
  close(): Promise<void>
}
