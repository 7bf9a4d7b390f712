import type { KeyRange, Moment } from '../store.ts'
import type { ChangeRecord } from './version.ts'

/** A version that a compaction took away. */
export interface Outlived<T> {
  readonly version: T
  /** The revision from which on it is of no use: it was replaced there, or is a deletion of that revision. */
  readonly until: number
}

/**
 * Where an engine keeps what compactions took away, as long as there is room. All questions are answered as of when they were asked:
 * what was dropped before is there. They reject with StoreError `compacted` (its `compactRevision` is the oldest state that can still be
 * made), or `unavailable` if nothing is kept now.
 */
export interface Past {
  /** What is kept of the versions in the range that existed at the revision, in any order. */
  existing(range: KeyRange, revision: number): Promise<readonly ChangeRecord[]>
  /** What is kept of the changes in the range after `from` up to `to`, oldest first: at least the first `limit` revisions whole. */
  changed(range: KeyRange, from: number, to: number, limit: number): Promise<readonly ChangeRecord[]>
  /** Values by the number of their change, wherever they are by now. `revision`: the oldest state they are wanted for. */
  values(seqs: readonly number[], revision: number): Promise<ReadonlyMap<number, Uint8Array>>
  /** The oldest state that can be made, and the last moment that was noted. */
  bounds(): Promise<{ readonly oldest: Moment; readonly last: Moment }>
  /** The last moment not after `time`, and the first revision of the moment after it; that is null if there is none yet. */
  momentAt(time: number): Promise<{ readonly moment: Moment; readonly next: number | null }>
  /** When each of the revisions, which ascend, became the newest. */
  times(revisions: readonly number[]): Promise<readonly number[]>
}
