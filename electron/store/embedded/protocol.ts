/** What the store and its threads say to each other. */
import type { Compaction } from '../mvcc/keyspace.ts'
import type { HistoryInit } from './history/protocol.ts'

export type WorkerInit = WriterInit | CheckerInit | HistoryInit

/** Reads the whole database, says what is damaged (a list of strings), and ends. */
export interface CheckerInit {
  readonly role: 'check'
  readonly path: string
}

export interface WriterInit {
  readonly role: 'write'
  readonly path: string
  /** How much disk space is held back. */
  readonly reserveBytes: number
}

export interface CommitMessage {
  readonly type: 'commit'
  /** Goes up after a failed batch: what was sent before the failure was known must not be committed on top of what is missing. */
  readonly epoch: number
  /** Changes in the form of `writeFrame`; handed over, and given back with the answer. */
  readonly frame: ArrayBuffer
  readonly length: number
  /** Leases granted, and leases revoked (null), in order. */
  readonly leases: readonly (readonly [id: bigint, ttl: number | null])[]
  readonly compact: Compaction | null
  /** Numbers of changes that can no longer be asked for. */
  readonly purge: readonly number[]
}

export type ToWriter =
  | CommitMessage
  /** Gives so many unused pages of the database back to the file system. */
  | { readonly type: 'shrink'; readonly pages: number }
  /** All that could be given up was: what found the disk full is tried once more. */
  | { readonly type: 'roomMade' }
  /** Sees whether there is room again. */
  | { readonly type: 'probe' }
  /** Writes the database anew without its unused pages. */
  | { readonly type: 'defragment' }
  | { readonly type: 'close' }

export interface Failure {
  /** `full`: no room; nothing was written, and the reserve is given up. */
  readonly kind: 'full' | 'corrupt' | 'io'
  readonly message: string
}

export type FromWriter =
  | { readonly type: 'ready' }
  | { readonly type: 'done'; readonly frame: ArrayBuffer }
  /** The disk is full. Nothing is written until room was made, as far as that is possible. */
  | { readonly type: 'roomWanted' }
  /** This batch failed, or one of its epoch before it did, in the same way. */
  | { readonly type: 'failed'; readonly epoch: number; readonly frame: ArrayBuffer; readonly failure: Failure }
  /** How many unused pages are left. */
  | { readonly type: 'shrunk'; readonly left: number }
  /** Nothing has changed if it failed. */
  | { readonly type: 'defragmented'; readonly failure: Failure | null }
  /** Whether the reserve is held. */
  | { readonly type: 'reserve'; readonly held: boolean }
  /** The log could not be folded into the database; nothing is lost, it will be tried again. */
  | { readonly type: 'checkpointFailed'; readonly message: string }
