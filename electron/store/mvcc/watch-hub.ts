import { type Key, StoreError, type StoreEvent, type WatchBatch, type Watcher, type WatchRequest } from '../store.ts'
import type { Version } from './version.ts'
import { asStoreError, MvccWatcher, type WatcherDeps } from './watcher.ts'

/** Hands each durable transaction to the watchers that want some of it. Watchers of one key cost nothing to the changes of others. */
export class WatchHub {
  readonly #deps: WatcherDeps
  readonly #ofKey = new Map<Key, Set<MvccWatcher>>()
  readonly #ofRange = new Set<MvccWatcher>()

  constructor(deps: Omit<WatcherDeps, 'onEnd'>) {
    this.#deps = { ...deps, onEnd: (watcher) => this.#remove(watcher) }
  }

  open(request: WatchRequest): Watcher {
    const watcher = new MvccWatcher(this.#deps, request)
    if (request.end) this.#ofRange.add(watcher)
    else this.#ofKey.set(request.key, (this.#ofKey.get(request.key) ?? new Set()).add(watcher))
    return watcher
  }

  publish(revision: number, changes: readonly Version[]): void {
    const wanted = new Map<MvccWatcher, Version[]>()
    for (const change of changes) {
      for (const watcher of this.#ofKey.get(change.key) ?? []) if (watcher.wants(change)) add(wanted, watcher, change)
      for (const watcher of this.#ofRange) if (watcher.wants(change)) add(wanted, watcher, change)
    }
    const plain = new Form()
    const withPrevious = new Form()
    for (const [watcher, versions] of wanted) {
      const form = watcher.request.prevKv ? withPrevious : plain
      try {
        watcher.offer(form.batch(watcher, revision, versions, versions.length === changes.length))
      } catch (error) {
        watcher.fail(asStoreError(error))
      }
    }
  }

  close(): void {
    const all = [...this.#ofRange, ...[...this.#ofKey.values()].flatMap((watchers) => [...watchers])]
    for (const watcher of all) watcher.fail(new StoreError('closed', 'the store is closed'))
  }

  #remove(watcher: MvccWatcher): void {
    this.#ofRange.delete(watcher)
    const { key } = watcher.request
    const others = this.#ofKey.get(key)
    if (others?.delete(watcher) && others.size === 0) this.#ofKey.delete(key)
  }
}

function add(wanted: Map<MvccWatcher, Version[]>, watcher: MvccWatcher, change: Version): void {
  const versions = wanted.get(watcher)
  if (versions) versions.push(change)
  else wanted.set(watcher, [change])
}

/** What of a transaction is shared by all watchers that want it in the same form: each event, and the batch of all of them. */
class Form {
  readonly #events = new Map<Version, StoreEvent>()
  #all: WatchBatch | null = null

  /** `all`: the versions are those of the whole transaction. Throws what reading a value throws. */
  batch(watcher: MvccWatcher, revision: number, versions: readonly Version[], all: boolean): WatchBatch {
    if (all && this.#all) return this.#all
    const batch = { revision, events: versions.map((version) => this.#event(version, watcher)) }
    if (all) this.#all = batch
    return batch
  }

  #event(version: Version, watcher: MvccWatcher): StoreEvent {
    let event = this.#events.get(version)
    if (!event) this.#events.set(version, (event = watcher.event(version)))
    return event
  }
}
