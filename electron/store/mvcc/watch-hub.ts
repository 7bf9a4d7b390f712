import { StoreError, type StoreEvent, type Watcher, type WatchRequest } from '../store.ts'
import type { Version } from './version.ts'
import { asStoreError, MvccWatcher, type WatcherDeps } from './watcher.ts'

/** Hands each durable transaction to the watchers that want some of it. */
export class WatchHub {
  readonly #deps: WatcherDeps
  readonly #watchers = new Set<MvccWatcher>()

  constructor(deps: Omit<WatcherDeps, 'onEnd'>) {
    this.#deps = { ...deps, onEnd: (watcher) => this.#watchers.delete(watcher) }
  }

  open(request: WatchRequest): Watcher {
    const watcher = new MvccWatcher(this.#deps, request)
    this.#watchers.add(watcher)
    return watcher
  }

  publish(revision: number, changes: readonly Version[]): void {
    const plain = new Map<Version, StoreEvent>()
    const withPrevious = new Map<Version, StoreEvent>()
    for (const watcher of this.#watchers) {
      const wanted = changes.filter((version) => watcher.wants(version))
      if (wanted.length === 0) continue
      const known = watcher.request.prevKv ? withPrevious : plain
      try {
        const events = wanted.map((version) => known.get(version) ?? remember(known, version, watcher.event(version)))
        watcher.offer({ revision, events })
      } catch (error) {
        watcher.fail(asStoreError(error))
      }
    }
  }

  close(): void {
    for (const watcher of [...this.#watchers]) watcher.fail(new StoreError('closed', 'the store is closed'))
  }
}

function remember(known: Map<Version, StoreEvent>, version: Version, event: StoreEvent): StoreEvent {
  known.set(version, event)
  return event
}
