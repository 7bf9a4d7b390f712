/** What the runner and the process with the store say to each other, over Node's IPC with structured clones. */
import type { StoreErrorCode, WatchBatch, WatchRequest } from '../../../electron/store/store.ts'

export type Method =
  | 'range'
  | 'txn'
  | 'compact'
  | 'status'
  | 'grant'
  | 'revoke'
  | 'keepAlive'
  | 'timeToLive'
  | 'list'
  /** Of the history: a range at a revision that may be compacted. */
  | 'past'
  | 'check'
  | 'defragment'

export interface Refusal {
  readonly code: StoreErrorCode
  readonly message: string
  readonly compactRevision?: number | undefined
}

export type ToHost =
  | { readonly type: 'call'; readonly id: number; readonly method: Method; readonly args: readonly unknown[] }
  | { readonly type: 'watch'; readonly id: number; readonly request: WatchRequest }
  | { readonly type: 'progress' | 'cancel'; readonly id: number }
  /** Closes the store and ends. */
  | { readonly type: 'close' }

export type FromHost =
  | { readonly type: 'opened' }
  | { readonly type: 'openFailed'; readonly why: string }
  | { readonly type: 'answer'; readonly id: number; readonly value: unknown }
  | { readonly type: 'refusal'; readonly id: number; readonly refusal: Refusal }
  | { readonly type: 'created'; readonly id: number; readonly revision: number }
  | { readonly type: 'batch'; readonly id: number; readonly batch: WatchBatch }
  | { readonly type: 'ended'; readonly id: number; readonly refusal: Refusal | null }
