/**
 * One watch over everything the API server keeps in the store, dealt out to the caches of the resources. Because there is one
 * stream, its revision is every cache's revision: "has this cache seen revision N" is the same question for all of them.
 */
import { deferred, type Deferred } from '../../base/async.ts'
import { sleep, type Clock } from '../../base/clock.ts'
import { component, type Component, componentWith } from '../../base/lifecycle.ts'
import type { Logger } from '../../base/logger.ts'
import { prefixRange, StoreError, type Store, type StoreEvent } from '../../store/store.ts'

export const REGISTRY_PREFIX = '/registry/'

export interface FeedSink {
  /** One change below the sink's prefix. Must not throw. */
  apply(event: StoreEvent): void
  /** After the last event of a batch. */
  flush(): void
  /** History was lost: everything must be read anew. */
  reset(): void
  /** Called every 15 seconds. */
  age(): void
}

export interface Feed extends Component {
  /** Everything up to this revision has been applied to the sinks. */
  readonly revision: number
  /** `prefix` is "/registry/pods/" or "/registry/apps/deployments/". One sink per prefix. */
  subscribe(prefix: string, sink: FeedSink): Disposable
  /** Resolves once `revision` is at least this. */
  reached(revision: number, signal?: AbortSignal): Promise<void>
  /** Resolves when every write acknowledged before the call has been applied. Calls made together share one read of the store. */
  fresh(): Promise<void>
  /** The store's revision now, read from the store. Calls made together share one read. */
  storeRevision(): Promise<number>
}

interface Waiter {
  readonly revision: number
  readonly done: Deferred<void>
}

const RETRY_MS = 100
/** Five of them are the 75 seconds for which Kubernetes' own watch cache keeps events at least (`eventFreshDuration`). */
const AGE_MS = 15_000

const stopped = () => new StoreError('closed', 'the API server has stopped')

export function createFeed(options: { store: Store; clock: Clock; logger: Logger }): Feed {
  const { store, clock, logger } = options
  const sinks = new Map<string, FeedSink>()
  const waiters = new Set<Waiter>()
  let revision = 0
  let progress = () => {}
  let asking: Promise<number> | null = null
  let next: Promise<number> | null = null

  const advance = (to: number) => {
    if (to <= revision) return
    revision = to
    if (waiters.size === 0) return
    for (const waiter of waiters) {
      if (waiter.revision > to) continue
      waiters.delete(waiter)
      waiter.done.resolve()
    }
  }

  const deal = (events: readonly StoreEvent[]) => {
    if (events.length === 1 && events[0]) {
      const sink = sinkOf(events[0].kv.key)
      sink?.apply(events[0])
      sink?.flush()
      return
    }
    const touched = new Set<FeedSink>()
    for (const event of events) {
      const sink = sinkOf(event.kv.key)
      if (!sink) continue
      sink.apply(event)
      touched.add(sink)
    }
    for (const sink of touched) sink.flush()
  }

  const sinkOf = (key: string): FeedSink | undefined => {
    const first = key.indexOf('/', REGISTRY_PREFIX.length) + 1
    if (first === 0) return undefined
    return sinks.get(key.slice(0, first)) ?? sinks.get(key.slice(0, key.indexOf('/', first) + 1))
  }

  const ask = async () => (await store.range({ key: REGISTRY_PREFIX, countOnly: true })).revision

  /** A read that began before the call may miss writes acknowledged since, so late callers share the one after it. */
  const storeRevision = (): Promise<number> => {
    if (!asking) {
      asking = ask().finally(() => (asking = null))
      return asking
    }
    next ??= asking
      .catch(() => 0)
      .then(() => {
        next = null
        return storeRevision()
      })
    return next
  }

  /** From 0, events may have been missed: the sinks must read anew, and what they read is not older than the new watch. */
  const follow = async (from: number, signal: AbortSignal, created: Deferred<void>): Promise<void> => {
    await using watcher = store.watch({ ...prefixRange(REGISTRY_PREFIX), startRevision: from })
    const stop = () => void watcher[Symbol.asyncDispose]()
    signal.addEventListener('abort', stop, { once: true })
    try {
      const at = await watcher.created
      progress = () => watcher.requestProgress()
      if (from === 0) {
        advance(at.revision)
        for (const sink of sinks.values()) sink.reset()
      }
      created.resolve()
      if (waiters.size > 0) progress()
      for await (const batch of watcher) {
        if (batch.events.length > 0) deal(batch.events)
        advance(batch.revision)
      }
    } finally {
      progress = () => {}
      signal.removeEventListener('abort', stop)
    }
  }

  const run = async (signal: AbortSignal, created: Deferred<void>): Promise<void> => {
    let from = 0
    while (!signal.aborted) {
      try {
        await follow(from, signal, created)
        from = revision + 1
      } catch (error) {
        if (signal.aborted) return
        logger.warn('the watch of the store broke', { error, revision })
        from = error instanceof StoreError && error.code !== 'unavailable' ? 0 : revision + 1
        await sleep(clock, RETRY_MS, signal).catch(() => undefined)
      }
    }
  }

  const reached = async (wanted: number, signal?: AbortSignal): Promise<void> => {
    if (wanted <= revision) return
    if (life.state === 'stopped') throw stopped()
    const waiter: Waiter = { revision: wanted, done: deferred() }
    waiters.add(waiter)
    const onAbort = () => {
      waiters.delete(waiter)
      waiter.done.reject(signal?.reason)
    }
    if (signal?.aborted) onAbort()
    else signal?.addEventListener('abort', onAbort, { once: true })
    progress()
    try {
      await waiter.done.promise
    } finally {
      signal?.removeEventListener('abort', onAbort)
    }
  }

  const life = component(async (stack, signal) => {
    const created = deferred<void>()
    const running = run(signal, created)
    const age = () => {
      for (const sink of sinks.values()) sink.age()
    }
    stack.use(clock.setInterval(age, AGE_MS, { unref: true }))
    stack.defer(async () => {
      await running
      for (const waiter of waiters) waiter.done.reject(stopped())
      waiters.clear()
    })
    await Promise.race([created.promise, running])
  })

  return componentWith(life, {
    get revision() {
      return revision
    },
    subscribe(prefix, sink) {
      if (sinks.has(prefix)) throw new Error(`two caches of ${prefix}`)
      sinks.set(prefix, sink)
      return { [Symbol.dispose]: () => void sinks.delete(prefix) }
    },
    reached,
    fresh: async () => reached(await storeRevision()),
    storeRevision,
  })
}
