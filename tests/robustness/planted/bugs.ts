import { type Clock, systemClock } from '../../../electron/base/clock.ts'
import { silentLogger } from '../../../electron/base/logger.ts'
import { systemRandom } from '../../../electron/base/random.ts'
import { createMemoryBackend } from '../../../electron/store/memory/memory-store.ts'
import { Keyspace } from '../../../electron/store/mvcc/keyspace.ts'
import { MvccStore } from '../../../electron/store/mvcc/mvcc-store.ts'
import type { RangeResponse, Store, TxnRequest, TxnResponse, WatchBatch, Watcher, WatchRequest } from '../../../electron/store/store.ts'

/** One way in which an engine can be broken. */
export interface PlantedBug {
  /** The engine that it is planted in. */
  readonly engine: 'memory' | 'embedded'
  readonly wrap?: (store: Store) => Store
  readonly make?: () => Store
  readonly clock?: Clock
  /** The module of the writing thread. */
  readonly worker?: string
}

/** Time goes five times as fast. */
const HASTY: Clock = {
  ...systemClock,
  monotonic: () => systemClock.monotonic() * 5,
  setTimeout: (fn, ms, options) => systemClock.setTimeout(fn, ms / 5, options),
}

const BUGS = {
  'lost-event': { engine: 'memory', wrap: (store) => overriding(store, { watch: (request) => losing(store.watch(request)) }) },
  'torn-event': { engine: 'memory', wrap: (store) => overriding(store, { watch: (request) => tearing(store.watch(request)) }) },
  'late-resume': {
    engine: 'memory',
    wrap: (store) => overriding(store, { watch: (request) => store.watch(resumedLate(request)) }),
  },
  'early-bookmark': {
    engine: 'memory',
    wrap: (store) => overriding(store, { watch: (request) => bookmarkingEarly(store.watch(request)) }),
  },
  'stale-read': { engine: 'memory', wrap: staleReads },
  'torn-transaction': { engine: 'memory', wrap: (store) => overriding(store, { txn: (request) => inTwo(store, request) }) },
  'ignored-compare': { engine: 'memory', wrap: ignoringCompares },
  'reused-revision': { engine: 'memory', make: () => memoryStore(new RepeatingKeyspace()) },
  'early-expiry': { engine: 'memory', clock: HASTY },
  'acknowledged-before-fsync': { engine: 'embedded', worker: './unsafe-worker.js' },
} satisfies Record<string, PlantedBug>

export type PlantedBugName = keyof typeof BUGS

export const PLANTED_BUGS: Readonly<Record<PlantedBugName, PlantedBug>> = BUGS

export function isPlantedBug(name: string): name is PlantedBugName {
  return Object.hasOwn(PLANTED_BUGS, name)
}

/** The store with some of its methods replaced. */
function overriding(store: Store, methods: Partial<Store>): Store {
  return new Proxy(store, {
    get(target, name) {
      const value: unknown = Reflect.get(methods, name) ?? Reflect.get(target, name)
      return typeof value === 'function' ? (value.bind(target) as unknown) : value
    },
  })
}

function memoryStore(space: Keyspace): Store {
  return new MvccStore({
    clock: systemClock,
    random: systemRandom,
    logger: silentLogger,
    backend: createMemoryBackend(),
    space,
    leases: [],
  })
}

/** Two transactions in 50 have the same revision. */
class RepeatingKeyspace extends Keyspace {
  #count = 0

  override advance(): number {
    return ++this.#count % 50 === 0 ? this.revision : super.advance()
  }
}

function changed(watcher: Watcher, change: (batch: WatchBatch, n: number) => WatchBatch[]): Watcher {
  const batches = async function* () {
    let n = 0
    for await (const batch of watcher) yield* change(batch, ++n)
  }
  return {
    created: watcher.created,
    requestProgress: () => watcher.requestProgress(),
    [Symbol.asyncIterator]: () => batches() as AsyncIterator<WatchBatch, undefined>,
    [Symbol.asyncDispose]: () => watcher[Symbol.asyncDispose](),
  }
}

const losing = (watcher: Watcher) => changed(watcher, (batch, n) => (n % 40 === 0 ? [] : [batch]))

const tearing = (watcher: Watcher) =>
  changed(watcher, (batch, n) => {
    const [first, ...rest] = batch.events
    return n % 5 === 0 && first && rest.length > 0
      ? [
          { ...batch, events: [first] },
          { ...batch, events: rest },
        ]
      : [batch]
  })

const bookmarkingEarly = (watcher: Watcher) =>
  changed(watcher, (batch) => (batch.events.length === 0 ? [{ ...batch, revision: batch.revision + 3 }] : [batch]))

function resumedLate(request: WatchRequest): WatchRequest {
  return request.startRevision ? { ...request, startRevision: request.startRevision + 1 } : request
}

/** Every third read that was made before is answered as it was then. */
function staleReads(store: Store): Store {
  const known = new Map<string, RangeResponse>()
  let count = 0
  return overriding(store, {
    async range(request) {
      const key = JSON.stringify(request)
      const stale = known.get(key)
      if (stale && ++count % 3 === 0) return stale
      const response = await store.range(request)
      known.set(key, response)
      return response
    },
  })
}

/** What is to be written is written in two transactions. */
async function inTwo(store: Store, request: TxnRequest): Promise<TxnResponse> {
  const [first, ...rest] = request.success
  if (request.compare?.length || !first || rest.length === 0) return store.txn(request)
  const one = await store.txn({ success: [first] })
  const other = await store.txn({ success: rest })
  return { ...other, responses: [...one.responses, ...other.responses] }
}

/** Every tenth transaction leaves out its first compare. */
function ignoringCompares(store: Store): Store {
  let count = 0
  return overriding(store, {
    txn: (request) => store.txn(++count % 10 === 0 ? { ...request, compare: (request.compare ?? []).slice(1) } : request),
  })
}
