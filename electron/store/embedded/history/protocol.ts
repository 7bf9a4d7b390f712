/** What the store and the thread that keeps its history say to each other. */
import type { Key, Moment } from '../../store.ts'

export interface HistoryInit {
  readonly role: 'history'
  /** Of the store's database. */
  readonly path: string
  /** The largest that the history's own database may become. */
  readonly budgetBytes: number
  /** What the store is at; a history that does not belong to it is begun anew there. */
  readonly store: { readonly id: number; readonly compactRevision: number; readonly revision: number }
  /** Milliseconds since 1970. */
  readonly now: number
}

export interface HistoryRange {
  readonly key: Key
  readonly end?: Key
}

export type Question =
  | { readonly ask: 'existing'; readonly range: HistoryRange; readonly revision: number }
  | { readonly ask: 'changed'; readonly range: HistoryRange; readonly from: number; readonly to: number; readonly limit: number }
  | { readonly ask: 'values'; readonly seqs: readonly number[]; readonly revision: number }
  | { readonly ask: 'bounds' }
  | { readonly ask: 'momentAt'; readonly time: number }
  | { readonly ask: 'times'; readonly revisions: readonly number[] }
  | { readonly ask: 'check' }

/** A row as it lies on disk. */
export interface RawRow {
  readonly seq: number
  readonly bytes: Uint8Array
}

export type Answer =
  | { readonly rows: readonly RawRow[] }
  | { readonly bounds: { readonly oldest: Moment; readonly last: Moment } }
  | { readonly at: { readonly moment: Moment; readonly next: number | null } }
  | { readonly times: readonly number[] }
  | { readonly found: readonly string[] }
  /** The state asked for can no longer be made. */
  | { readonly compacted: number }

export type ToHistory =
  /** Pairs of the number of a change and the revision until which it is of use. */
  | { readonly type: 'keep'; readonly rows: Float64Array }
  | { readonly type: 'note'; readonly moment: Moment }
  | { readonly type: 'ask'; readonly id: number; readonly question: Question }
  | { readonly type: 'close' }

export type FromHistory =
  /** So many more changes, in their order, are safe here or of no use any more. */
  | { readonly type: 'kept'; readonly count: number }
  | { readonly type: 'answer'; readonly id: number; readonly answer: Answer }
  /** Nothing can be kept any more. */
  | { readonly type: 'failed'; readonly message: string }
