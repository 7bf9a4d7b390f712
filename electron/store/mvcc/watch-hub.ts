import { type Key, StoreError, type StoreEvent, type Watcher, type WatchRequest } from '../store.ts'
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
    const plain = new Map<Version, StoreEvent>()
    const withPrevious = new Map<Version, StoreEvent>()
    for (const [watcher, versions] of wanted) {
      const known = watcher.request.prevKv ? withPrevious : plain
      try {
        watcher.offer({ revision, events: versions.map((version) => known.get(version) ?? remember(known, version, watcher)) })
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

/** One event is shared by all watchers that want it in the same form. */
function remember(known: Map<Version, StoreEvent>, version: Version, watcher: MvccWatcher): StoreEvent {
  const event = watcher.event(version)
  known.set(version, event)
  return event
}
