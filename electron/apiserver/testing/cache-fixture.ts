/** A cache of things over a real store, for tests of the cache alone. */
import { FakeClock } from '../../base/fake-clock.ts'
import { silentLogger } from '../../base/logger.ts'
import type { KubeObject } from '../../api/meta/v1/object.ts'
import { createMemoryStore } from '../../store/memory/memory-store.ts'
import type { Store } from '../../store/store.ts'
import { createFeed, type Feed } from '../cache/feed.ts'
import type { History } from '../cache/history.ts'
import { Layout } from '../cache/layout.ts'
import { WatchCache } from '../cache/watch-cache.ts'

export interface CacheFixture extends AsyncDisposable {
  readonly store: Store
  readonly clock: FakeClock
  readonly feed: Feed
  readonly layout: Layout
  readonly cache: WatchCache
  /** Writes as another process would; resolves with the revision. */
  put(name: string, options?: { namespace?: string; labels?: Record<string, string>; data?: string }): Promise<number>
  remove(name: string, namespace?: string): Promise<number>
}

export const THING_PREFIX = '/registry/test.example/things/'

export async function cacheFixture(options: { history?: History; store?: (store: Store) => Store } = {}): Promise<CacheFixture> {
  const clock = new FakeClock()
  const inner = createMemoryStore({ clock })
  const store = options.store?.(inner) ?? inner
  const feed = createFeed({ store, clock, logger: silentLogger })
  const layout = new Layout({ group: 'test.example', version: 'v1', kind: 'Thing' })
  const cache = new WatchCache({ store, feed, layout, prefix: THING_PREFIX, ...(options.history ? { history: options.history } : {}) })
  await feed.start()
  const keyOf = (name: string, namespace = 'default') => `${THING_PREFIX}${namespace}/${name}`
  return {
    store,
    clock,
    feed,
    layout,
    cache,
    async put(name, { namespace = 'default', labels = {}, data = '' } = {}) {
      const object = { metadata: { name, namespace, labels }, data } as unknown as KubeObject
      const answer = await inner.txn({ success: [{ type: 'put', key: keyOf(name, namespace), value: layout.encode(object) }] })
      return answer.revision
    },
    async remove(name, namespace) {
      return (await inner.txn({ success: [{ type: 'delete', key: keyOf(name, namespace) }] })).revision
    },
    async [Symbol.asyncDispose]() {
      cache[Symbol.dispose]()
      await feed[Symbol.asyncDispose]()
      await inner[Symbol.asyncDispose]()
    },
  }
}
