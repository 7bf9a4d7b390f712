/**
 * The one place where an object that exists is changed: read, let a function make the new state, write if nobody was faster, else
 * again. Source for its promises: apiserver `storage.Interface.GuaranteedUpdate`.
 */
import type { KubeObject } from '../../api/meta/v1/object.ts'
import { semanticEqual } from '../../api/values/equal.ts'
import type { Compare, LeaseId, Op, Store } from '../../store/store.ts'
import { Entry } from '../cache/entry.ts'
import type { KeyedMutex } from './keyed-mutex.ts'
import type { Storage } from './storage.ts'

/** What is written in the same transaction as the object: the record of an address that it holds, say. */
export interface Companions {
  /** Must hold beside the object's own state. */
  readonly compare: readonly Compare[]
  readonly ops: readonly Op[]
  /** The object was as expected, but a compare did not hold. Returns for another attempt, or throws. */
  refused(): void | Promise<void>
}

export type Outcome =
  | { readonly type: 'put'; readonly object: KubeObject; readonly companions?: Companions | null; readonly lease?: LeaseId }
  | { readonly type: 'delete'; readonly companions?: Companions | null }
  /** The state is as wanted. */
  | { readonly type: 'keep' }

/** Makes the outcome from the present state; null: there is no object. What it throws ends the update, once the state was read anew. */
export type Attempt = (current: Entry | null) => Outcome | Promise<Outcome>

export interface Written {
  readonly type: Outcome['type']
  /** The object as it is now; after a delete as it was last, under the delete's revision. Null: kept that there is none. */
  readonly entry: Entry | null
  readonly before: Entry | null
}

export interface Writer {
  readonly store: Store
  readonly locks: KeyedMutex
}

export interface UpdateOptions {
  readonly dryRun: boolean
  readonly signal: AbortSignal
}

export async function guaranteedUpdate(
  writer: Writer,
  storage: Storage,
  key: string,
  options: UpdateOptions,
  attempt: Attempt,
): Promise<Written> {
  if (writer.locks.busy(key)) {
    using _turn = await writer.locks.acquire(key)
    return contend(writer, storage, key, options, attempt)
  }
  const first = storage.cache.newest(key)
  const current: State = first ? { entry: first, live: false } : await readLive(writer.store, storage, key)
  const step = await tryOnce(writer, storage, key, options, attempt, current)
  if (step.done) return step.done
  using _turn = await writer.locks.acquire(key)
  return contend(writer, storage, key, options, attempt)
}

export interface NewObject {
  readonly companions: Companions | null
  readonly lease?: LeaseId | undefined
  readonly dryRun: boolean
}

/** Writes an object that must not exist yet. `existing` is what is there; null if only a companion's compare did not hold: try again. */
export async function insert(
  writer: Writer,
  storage: Storage,
  key: string,
  object: KubeObject,
  options: NewObject,
): Promise<{ entry: Entry } | { existing: Entry | null }> {
  const { companions, lease } = options
  if (options.dryRun) {
    const { entry } = await readLive(writer.store, storage, key)
    return entry ? { existing: entry } : { entry: Entry.of(storage.layout, key, object, 0) }
  }
  const outcome: Outcome = { type: 'put', object, companions, ...(lease === undefined ? {} : { lease }) }
  const step = await commit(writer.store, storage, key, null, outcome, storage.layout.encode(object))
  return step.done?.entry ? { entry: step.done.entry } : { existing: step.next?.entry ?? null }
}

/** As often as it takes, with the key's turn. */
async function contend(writer: Writer, storage: Storage, key: string, options: UpdateOptions, attempt: Attempt): Promise<Written> {
  const known = storage.cache.newest(key)
  let current: State = known ? { entry: known, live: false } : await readLive(writer.store, storage, key)
  for (;;) {
    options.signal.throwIfAborted()
    const step = await tryOnce(writer, storage, key, options, attempt, current)
    if (step.done) return step.done
    current = step.next
  }
}

interface State {
  readonly entry: Entry | null
  /** Read from the store in this update, not taken from the cache. */
  readonly live: boolean
}

type Step = { readonly done: Written; readonly next?: never } | { readonly done?: never; readonly next: State }

async function tryOnce(
  writer: Writer,
  storage: Storage,
  key: string,
  options: UpdateOptions,
  attempt: Attempt,
  state: State,
): Promise<Step> {
  const before = state.entry
  let outcome: Outcome
  try {
    outcome = await attempt(before)
  } catch (error) {
    if (state.live) throw error
    return { next: await unlessSame(writer.store, storage, key, before, error) }
  }
  const value = outcome.type === 'put' ? storage.layout.encode(outcome.object) : null
  if (outcome.type === 'keep' || (outcome.type === 'put' && value && before && isSame(outcome.object, value, before))) {
    if (state.live || options.dryRun) return { done: { type: 'keep', entry: before, before } }
    const live = await readLive(writer.store, storage, key)
    if (live.entry?.revision === before?.revision) return { done: { type: 'keep', entry: before, before } }
    return { next: live }
  }
  if (options.dryRun) return { done: dry(storage, key, before, outcome, value) }
  return commit(writer.store, storage, key, before, outcome, value)
}

async function commit(
  store: Store,
  storage: Storage,
  key: string,
  before: Entry | null,
  outcome: Outcome,
  value: Buffer | null,
): Promise<Step> {
  if (outcome.type === 'keep') throw new Error('nothing to commit')
  const companions = outcome.companions ?? null
  if (value && outcome.type === 'put') storage.layout.recent.add(value, outcome.object)
  const own: Op = value ? put(key, value, outcome.type === 'put' ? outcome.lease : undefined) : { type: 'delete', key }
  const expected: Compare = { key, target: 'mod', result: 'equal', operand: before?.revision ?? 0 }
  const answer = await store.txn({
    compare: companions ? [expected, ...companions.compare] : [expected],
    success: companions ? [own, ...companions.ops] : [own],
    failure: [{ type: 'range', key }],
  })
  if (answer.succeeded) {
    if (!value || outcome.type !== 'put') return { done: { type: 'delete', entry: before?.at(answer.revision) ?? null, before } }
    const entry = new Entry(storage.layout, key, value, answer.revision)
    storage.cache.note(entry)
    return { done: { type: 'put', entry, before } }
  }
  const found = answer.responses[0]
  const kv = found?.type === 'range' ? found.kvs[0] : undefined
  const next: State = { entry: kv ? storage.cache.entryOf(kv) : null, live: true }
  if (companions && (kv?.modRevision ?? 0) === (before?.revision ?? 0)) await companions.refused()
  return { next }
}

function put(key: string, value: Uint8Array, lease: LeaseId | undefined): Op {
  return lease === undefined ? { type: 'put', key, value } : { type: 'put', key, value, lease }
}

/** What a write would have left. A new object has no resourceVersion yet; a changed one keeps its own. */
function dry(storage: Storage, key: string, before: Entry | null, outcome: Outcome, value: Buffer | null): Written {
  if (!value || outcome.type !== 'put') return { type: 'delete', entry: before, before }
  return { type: 'put', entry: Entry.of(storage.layout, key, outcome.object, before?.revision ?? 0), before }
}

async function readLive(store: Store, storage: Storage, key: string): Promise<State> {
  const { kvs } = await store.range({ key })
  return { entry: kvs[0] ? storage.cache.entryOf(kvs[0]) : null, live: true }
}

/** The live state if it is another than the one that failed; else throws the failure. */
async function unlessSame(store: Store, storage: Storage, key: string, tried: Entry | null, error: unknown): Promise<State> {
  const live = await readLive(store, storage, key)
  if ((live.entry?.revision ?? 0) === (tried?.revision ?? 0)) throw error
  return live
}

/** Fields in another order are no change. */
function isSame(object: KubeObject, value: Buffer, before: Entry): boolean {
  if (value.equals(before.value)) return true
  const { resourceVersion: _new, ...metadata } = object.metadata
  const { resourceVersion: _old, ...oldMetadata } = before.object.metadata
  return semanticEqual({ ...object, metadata }, { ...before.object, metadata: oldMetadata })
}
