/**
 * All objects of one resource, kept true by the feed, with the last events for watches that start a little in the past. It is read
 * from the store when it is first asked for.
 */
import { expired } from '../../machinery/status.ts'
import { prefixRange, type KeyValue, type RangeResponse, type Store, type StoreEvent } from '../../store/store.ts'
import { CacheWatch, type WatchItem, type WatchScope } from './cache-watch.ts'
import { Entry } from './entry.ts'
import type { Feed, FeedSink } from './feed.ts'
import { CacheEvent, Frame } from './frame.ts'
import { History } from './history.ts'
import { asBuffer, type Layout } from './layout.ts'
import { SortedEntries } from './sorted-entries.ts'

export interface WatchCacheOptions {
  readonly store: Store
  readonly feed: Feed
  readonly layout: Layout
  /** "/registry/pods/" */
  readonly prefix: string
  readonly history?: History
}

export class WatchCache implements FeedSink, Disposable {
  readonly layout: Layout
  readonly prefix: string
  readonly #store: Store
  readonly #feed: Feed
  readonly #subscription: Disposable
  readonly #entries = new SortedEntries()
  readonly #history: History
  readonly #watches = new Set<CacheWatch>()
  /** Own writes that the feed has not brought yet. */
  readonly #ahead = new Map<string, Entry>()
  #wake: CacheWatch[] = []
  #loading: Promise<void> | null = null
  #early: StoreEvent[] | null = null
  #loaded = 0
  #resets = 0
  #lastChange = 0

  constructor(options: WatchCacheOptions) {
    this.layout = options.layout
    this.prefix = options.prefix
    this.#store = options.store
    this.#feed = options.feed
    this.#history = options.history ?? new History()
    this.#subscription = this.#feed.subscribe(this.prefix, this)
  }

  /** Everything up to this revision is in the cache. 0 until it was loaded. */
  get revision(): number {
    return this.#loaded === 0 ? 0 : Math.max(this.#loaded, this.#feed.revision)
  }

  /** The present content has been the same since this revision. */
  get lastChange(): number {
    return this.#lastChange
  }

  get size(): number {
    return this.#entries.size
  }

  get watchers(): number {
    return this.#watches.size
  }

  /** Resolves when the cache may be read. */
  ready(): Promise<void> | null {
    if (this.#loaded > 0) return null
    this.#loading ??= this.#load().finally(() => (this.#loading = null))
    return this.#loading
  }

  /** Resolves when the cache holds every write acknowledged before the call. */
  async fresh(): Promise<void> {
    await this.#feed.fresh()
    for (let loading = this.ready(); loading; loading = this.ready()) await loading
  }

  /** Resolves when the cache is at least at this revision. */
  async reached(revision: number, signal?: AbortSignal): Promise<void> {
    await this.#feed.reached(revision, signal)
    for (let loading = this.ready(); loading; loading = this.ready()) await loading
  }

  get(key: string): Entry | undefined {
    return this.#entries.get(key)
  }

  /** Like `get`, but knows this process's own last write, and may be newer than `revision`. */
  newest(key: string): Entry | undefined {
    return this.#ahead.get(key) ?? this.#entries.get(key)
  }

  /** Those whose keys begin with `prefix`, from `start` on, in key order. A copy. */
  slice(prefix: string, start = prefix): Entry[] {
    return this.#entries.slice(start, prefixRange(prefix).end)
  }

  /** An own write that was acknowledged. */
  note(entry: Entry): void {
    if (this.#loaded > 0 && (this.#entries.get(entry.key)?.revision ?? 0) < entry.revision && this.revision < entry.revision) {
      this.#ahead.set(entry.key, entry)
    }
  }

  entryOf(kv: Pick<KeyValue, 'key' | 'value' | 'modRevision'>): Entry {
    const { layout } = this
    const value = asBuffer(kv.value)
    if (layout.fits(value)) return new Entry(layout, kv.key, value, kv.modRevision)
    return Entry.of(layout, kv.key, layout.decode(value, kv.modRevision), kv.modRevision)
  }

  /**
   * Events after revision `after`. Throws StatusError `Expired` when they are no longer all known. The cache must be ready.
   */
  watch(scope: WatchScope, after: number): CacheWatch {
    if (after < this.#history.since) throw expired(`too old resource version: ${after} (${this.#history.since})`)
    const watch = this.#register(scope, after)
    for (const event of this.#history.after(after)) watch.offer(event)
    return watch
  }

  /** The present state as ADDED, then the items that `then` makes, then what changes. The cache must be ready. */
  watchFromNow(scope: WatchScope, options: { state: boolean; then?: (revision: number) => WatchItem[] }): CacheWatch {
    const watch = this.#register(scope, this.revision)
    const { matches } = scope
    const items: WatchItem[] = []
    if (options.state) {
      const found = scope.exact ? [this.#entries.get(scope.prefix)] : this.slice(scope.prefix)
      for (const entry of found) if (entry && (matches === null || matches(entry))) items.push(new Frame('ADDED', entry))
    }
    watch.begin([...items, ...(options.then?.(this.revision) ?? [])])
    return watch
  }

  apply(event: StoreEvent): void {
    if (this.#early) this.#early.push(event)
    else if (this.#loaded > 0) this.#change(event)
  }

  flush(): void {
    if (this.#wake.length === 0) return
    const woken = this.#wake
    this.#wake = []
    for (const watch of woken) watch.flush()
  }

  reset(): void {
    this.#loaded = 0
    this.#resets++
    this.#ahead.clear()
    this.#entries.load([])
    for (const watch of this.#watches) watch.fail(expired('The resourceVersion for the provided watch is too old.'))
  }

  age(): void {
    this.#history.age()
  }

  endWatches(): void {
    for (const watch of this.#watches) watch.fail(null)
  }

  [Symbol.dispose](): void {
    this.#subscription[Symbol.dispose]()
    this.endWatches()
  }

  #register(scope: WatchScope, after: number): CacheWatch {
    const watch = new CacheWatch(scope, after, (left) => this.#watches.delete(left))
    this.#watches.add(watch)
    return watch
  }

  async #load(): Promise<void> {
    const { kvs, revision } = await this.#readAll()
    try {
      this.#entries.load(kvs.map((kv) => this.entryOf(kv)))
      this.#history.restart(revision)
      this.#loaded = revision
      this.#lastChange = revision
      for (const event of this.#early ?? []) this.#change(event)
    } finally {
      this.#early = null
    }
  }

  /** From here on events are kept aside; what a reset overtook is read again. */
  async #readAll(): Promise<RangeResponse> {
    for (;;) {
      this.#early = []
      const resets = this.#resets
      const answer = await this.#store.range(prefixRange(this.prefix)).catch((error: unknown) => {
        this.#early = null
        throw error
      })
      if (resets === this.#resets) return answer
    }
  }

  #change(event: StoreEvent): void {
    const { key, modRevision } = event.kv
    if (modRevision <= this.#loaded) return
    const previous = this.#entries.get(key) ?? null
    const entry = event.type === 'put' ? this.entryOf(event.kv) : null
    if (entry) this.#entries.set(entry)
    else this.#entries.delete(key)
    this.#lastChange = modRevision
    const ahead = this.#ahead.get(key)
    if (ahead && ahead.revision <= modRevision) this.#ahead.delete(key)
    const change = new CacheEvent(modRevision, key, entry, previous)
    this.#history.add(change)
    for (const watch of this.#watches) if (watch.offer(change)) this.#wake.push(watch)
  }
}
