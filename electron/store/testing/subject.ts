import { expect } from 'vitest'
import {
  type DeleteOp,
  type KeyValue,
  type PutOp,
  type Store,
  StoreError,
  type StoreErrorCode,
  type StoreEvent,
  type WatchBatch,
  type Watcher,
} from '../store.ts'

/** One empty store under test, and what a test may do to it from outside. */
export interface Subject {
  readonly store: Store
  /** Lets so many milliseconds pass for the store. */
  readonly pass: (ms: number) => Promise<void>
  /** Closes the store and opens it again over the same state, as after a restart; absent where an engine forgets. */
  readonly reopen?: () => Promise<Store>
  /** Closes what is open and removes what was made. */
  close(): Promise<void>
}

export type OpenSubject = () => Promise<Subject>

/** What the contract leaves to the engine. */
export interface Traits {
  /** Requests that are made at once are carried out in the order they were made. */
  readonly inOrder: boolean
  /** Watchers from the compacted revision on are told of its deletions. */
  readonly keepsCompactedDeletes: boolean
}

/** The range of all keys. */
export const ALL = { key: '\0', end: '\0' }

export const bytes = (text: string): Uint8Array => Buffer.from(text, 'latin1')
export const text = (value: Uint8Array): string => Buffer.from(value).toString('latin1')

export const put = (key: string, value: string, more: Partial<PutOp> = {}): PutOp => ({ type: 'put', key, value: bytes(value), ...more })
export const del = (key: string, end?: string, more: Partial<DeleteOp> = {}): DeleteOp => ({
  type: 'delete',
  key,
  ...(end === undefined ? {} : { end }),
  ...more,
})

/** Runs one put; returns its revision. */
export async function write(store: Store, key: string, value: string, more: Partial<PutOp> = {}): Promise<number> {
  return (await store.txn({ success: [put(key, value, more)] })).revision
}

export async function remove(store: Store, key: string, end?: string): Promise<number> {
  return (await store.txn({ success: [del(key, end)] })).revision
}

/** `key=value create/mod/version`, revisions counted from `base`; with `@lease` if it hangs on one. */
export function brief(kv: KeyValue, base: number): string {
  const lease = kv.lease === 0n ? '' : ` @${kv.lease}`
  return `${kv.key}=${text(kv.value)} ${kv.createRevision - base}/${kv.modRevision - base}/${kv.version}${lease}`
}

export function briefEvent(event: StoreEvent, base: number): string {
  const before = event.prevKv ? ` was ${brief(event.prevKv, base)}` : ''
  if (event.type === 'put') return `put ${brief(event.kv, base)}${before}`
  expect(event.kv).toEqual({ ...event.kv, createRevision: 0, version: 0, lease: 0n })
  expect(event.kv.value.byteLength).toBe(0)
  return `delete ${event.kv.key} ${event.kv.modRevision - base}${before}`
}

export function briefBatch(batch: WatchBatch, base: number): string {
  return `${batch.revision - base}: ${batch.events.map((event) => briefEvent(event, base)).join(', ')}`
}

export interface Reader {
  readonly next: () => Promise<WatchBatch>
  /** All that waits: asks for a progress mark and reads until it comes. */
  readonly upToMark: () => Promise<WatchBatch[]>
  /** Expects the end. */
  readonly end: () => Promise<void>
}

export function reader(watcher: Watcher): Reader {
  const iterator = watcher[Symbol.asyncIterator]()
  const next = async () => {
    const result = await iterator.next()
    if (result.done) throw new Error('the watcher ended')
    return result.value
  }
  return {
    next,
    async upToMark() {
      await watcher.created
      watcher.requestProgress()
      const batches: WatchBatch[] = []
      for (;;) {
        const batch = await next()
        if (batch.events.length === 0) return batches
        batches.push(batch)
      }
    },
    async end() {
      expect(await iterator.next()).toEqual({ value: undefined, done: true })
    },
  }
}

/** The StoreError that `work` must end with. */
export async function failure(work: Promise<unknown>, code: StoreErrorCode): Promise<StoreError> {
  const error = await work.then(
    () => null,
    (thrown: unknown) => thrown,
  )
  if (!(error instanceof StoreError)) throw new Error(`expected StoreError ${code}, got ${String(error)}`)
  expect(error.code).toBe(code)
  expect(error.message).not.toBe('')
  return error
}
