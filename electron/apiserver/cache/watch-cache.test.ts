import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { settle } from '../../base/fake-clock.ts'
import { StoreError, type Store } from '../../store/store.ts'
import { cacheFixture, THING_PREFIX, type CacheFixture } from '../testing/cache-fixture.ts'
import { frameEncoder } from '../http/encode.ts'
import { Bookmark, type CacheWatch, type WatchItem, type WatchScope } from './cache-watch.ts'
import type { Entry } from './entry.ts'
import { History } from './history.ts'

const ALL: WatchScope = { prefix: THING_PREFIX, matches: null }
const name = (entry: Entry) => entry.object.metadata.name
const shown = (items: readonly WatchItem[]) =>
  items.map((item) => (item instanceof Bookmark ? `BOOKMARK ${item.revision}` : `${item.type} ${name(item.entry)}@${item.entry.revision}`))
const drain = (watch: CacheWatch) => shown(watch.take())

let f: CacheFixture
beforeEach(async () => {
  f = await cacheFixture()
})
afterEach(() => f[Symbol.asyncDispose]())

describe('the watch cache', () => {
  it('holds what was there before it was first asked, and every write since', async () => {
    await f.put('a')
    await f.cache.fresh()
    const revision = await f.put('b')
    await f.cache.fresh()
    expect(f.cache.revision).toBe(revision)
    expect(f.cache.slice(THING_PREFIX).map(name)).toEqual(['a', 'b'])
    await f.remove('a')
    await f.cache.fresh()
    expect(f.cache.slice(THING_PREFIX).map(name)).toEqual(['b'])
  })

  it('is fresh for writes to other resources, too', async () => {
    await f.cache.fresh()
    await f.store.txn({ success: [{ type: 'put', key: '/elsewhere', value: new Uint8Array() }] })
    const { revision } = await f.store.status()
    await f.cache.fresh()
    expect(f.cache.revision).toBe(revision)
  })

  it('misses nothing that is written while it loads', async () => {
    const writes = Promise.all(Array.from({ length: 50 }, (_, i) => f.put(`n${i}`)))
    const loading = f.cache.ready()
    await writes
    await loading
    await f.cache.fresh()
    expect(f.cache.size).toBe(50)
  })

  it('keeps namespaces apart in key order', async () => {
    for (const at of ['b/2', 'a/9', 'b/10', 'ab/1']) {
      const [namespace = '', n = ''] = at.split('/')
      await f.put(n, { namespace })
    }
    await f.cache.fresh()
    expect(f.cache.slice(`${THING_PREFIX}b/`).map(name)).toEqual(['10', '2'])
    expect(f.cache.slice(`${THING_PREFIX}a/`).map(name)).toEqual(['9'])
    expect(f.cache.slice(THING_PREFIX, `${THING_PREFIX}ab/1\0`).map(name)).toEqual(['10', '2'])
  })

  it('reads objects that another writer has laid out otherwise', async () => {
    const value = Buffer.from(
      '{"metadata":{"name":"odd","namespace":"default","resourceVersion":"1"},"kind":"Thing","apiVersion":"test.example/v1"}',
    )
    await f.store.txn({ success: [{ type: 'put', key: `${THING_PREFIX}default/odd`, value }] })
    await f.cache.fresh()
    const entry = f.cache.get(`${THING_PREFIX}default/odd`)
    expect(JSON.parse(entry?.bytes().toString() ?? '')).toMatchObject({
      metadata: { name: 'odd', resourceVersion: String(entry?.revision) },
    })
  })
})

describe('a watch', () => {
  it('gets the events after its revision, in order', async () => {
    await f.cache.fresh()
    const a = await f.put('a')
    await f.put('b')
    await f.put('a')
    await f.remove('b')
    await f.cache.fresh()
    using watch = f.cache.watch(ALL, a)
    expect(drain(watch)).toEqual([`ADDED b@${a + 1}`, `MODIFIED a@${a + 2}`, `DELETED b@${a + 3}`])
    await f.put('c')
    await f.cache.fresh()
    expect(drain(watch)).toEqual([`ADDED c@${a + 4}`])
  })

  it('from a revision that is not known any more is refused', async () => {
    await using small = await cacheFixture({ history: new History(0, 2) })
    await small.cache.fresh()
    const first = await small.put('a')
    for (let i = 0; i < 3; i++) await small.put('b')
    await small.cache.fresh()
    expect(() => small.cache.watch(ALL, first - 1)).toThrow(expect.objectContaining({ reason: 'Expired', code: 410 }))
    expect(() => small.cache.watch(ALL, first - 1)).toThrow(`too old resource version: ${first - 1} (${first + 1})`)
    expect(drain(small.cache.watch(ALL, first + 1))).toHaveLength(2)
  })

  it('forgets events by the bytes that only they hold', async () => {
    await using small = await cacheFixture({ history: new History(0, 1000, 10_000) })
    await small.cache.fresh()
    const first = await small.put('a', { data: 'x'.repeat(6000) })
    for (let i = 0; i < 5; i++) await small.put('a', { data: 'x'.repeat(6000) })
    await small.cache.fresh()
    expect(() => small.cache.watch(ALL, first)).toThrow('too old')
  })

  it('forgets events after 75 to 90 seconds, but for the last 128', async () => {
    await f.cache.fresh()
    const revisions: number[] = []
    for (let i = 0; i < 200; i++) revisions.push(await f.put('a'))
    await f.cache.fresh()
    const first = revisions[0] as number
    await f.clock.advance(75_000)
    expect(drain(f.cache.watch(ALL, first))).toHaveLength(199)
    await f.clock.advance(15_000)
    expect(() => f.cache.watch(ALL, first)).toThrow(`too old resource version: ${first} (${revisions[71]})`)
    expect(drain(f.cache.watch(ALL, revisions[71] as number))).toHaveLength(128)
    const last = await f.put('a')
    await f.cache.fresh()
    await f.clock.advance(15_000)
    expect(drain(f.cache.watch(ALL, revisions[72] as number))).toHaveLength(128)
    expect(drain(f.cache.watch(ALL, last - 1))).toHaveLength(1)
  })

  it('sees objects enter and leave what it selects', async () => {
    await f.cache.fresh()
    const scope: WatchScope = { prefix: THING_PREFIX, matches: (entry) => entry.object.metadata.labels?.['x'] === '1' }
    using watch = f.cache.watchFromNow(scope, { state: true })
    await f.put('a', { labels: { x: '0' } })
    const entered = await f.put('a', { labels: { x: '1' } })
    await f.put('a', { labels: { x: '1' }, data: 'new' })
    await f.put('a', { labels: { x: '2' } })
    await f.put('a', { labels: { x: '3' } })
    await f.remove('a')
    await f.cache.fresh()
    const items = watch.take()
    expect(shown(items)).toEqual([`ADDED a@${entered}`, `MODIFIED a@${entered + 1}`, `DELETED a@${entered + 2}`])
    const last = items[2]
    expect(last && !(last instanceof Bookmark) && last.entry.object.metadata.labels).toEqual({ x: '1' })
  })

  it('of one name sees nothing else', async () => {
    await f.put('a')
    await f.put('ab')
    await f.cache.fresh()
    using watch = f.cache.watchFromNow({ prefix: `${THING_PREFIX}default/a`, exact: true, matches: null }, { state: true })
    expect(drain(watch)).toHaveLength(1)
    await f.put('ab')
    await f.cache.fresh()
    expect(drain(watch)).toEqual([])
  })

  it('shares frames and their encoding with the others', async () => {
    await f.cache.fresh()
    using one = f.cache.watchFromNow(ALL, { state: false })
    using two = f.cache.watchFromNow(ALL, { state: false })
    await f.put('a')
    await f.cache.fresh()
    const encoder = frameEncoder((entry) => entry)
    const [first] = one.take()
    const [second] = two.take()
    if (!first || !second || first instanceof Bookmark || second instanceof Bookmark) throw new Error('no frame')
    expect(first.encoded(encoder)).toBe(second.encoded(encoder))
    expect(JSON.parse(first.encoded(encoder).toString())).toMatchObject({ type: 'ADDED', object: { metadata: { name: 'a' } } })
  })

  it('that does not read is ended with 410 and holds no memory', async () => {
    await f.cache.fresh()
    using slow = f.cache.watchFromNow(ALL, { state: false })
    using quick = f.cache.watchFromNow(ALL, { state: false })
    for (let i = 0; i < 8200; i++) {
      await f.put('a')
      if (i % 100 === 0) quick.take()
    }
    await f.cache.fresh()
    expect(slow.end?.error).toMatchObject({ reason: 'Expired' })
    expect(slow.take()).toEqual([])
    expect(quick.end).toBeNull()
    expect(f.cache.watchers).toBe(1)
  })

  it('wakes its reader once per batch', async () => {
    await f.cache.fresh()
    using watch = f.cache.watchFromNow(ALL, { state: false })
    let woken = 0
    watch.onReady(() => woken++)
    const put = (n: string) => ({
      type: 'put' as const,
      key: `${THING_PREFIX}default/${n}`,
      value: f.layout.encode({ metadata: { name: n } } as never),
    })
    await f.store.txn({ success: [put('a'), put('b')] })
    await f.cache.fresh()
    expect(woken).toBe(1)
    expect(drain(watch)).toHaveLength(2)
  })
})

describe('when the watch of the store breaks', () => {
  it('and history is lost, watches end with 410 and the cache reads everything anew', async () => {
    const faulty = breakable()
    await using g = await cacheFixture({ store: faulty.wrap })
    await g.put('a')
    await g.cache.fresh()
    using watch = g.cache.watchFromNow(ALL, { state: true })
    faulty.break(new StoreError('slowWatcher', 'too slow'))
    await settle()
    await g.put('b')
    await g.remove('a')
    await g.clock.advance(1000)
    await g.cache.fresh()
    expect(watch.end?.error).toMatchObject({ reason: 'Expired' })
    expect(g.cache.slice(THING_PREFIX).map(name)).toEqual(['b'])
    using again = g.cache.watchFromNow(ALL, { state: false })
    await g.put('c')
    await g.cache.fresh()
    expect(drain(again)).toHaveLength(1)
  })

  it('for a moment only, nothing is lost and no watch ends', async () => {
    const faulty = breakable()
    await using g = await cacheFixture({ store: faulty.wrap })
    await g.cache.fresh()
    using watch = g.cache.watchFromNow(ALL, { state: true })
    faulty.break(new StoreError('unavailable', 'gone for a moment'))
    await settle()
    await g.put('a')
    await g.clock.advance(1000)
    await g.cache.fresh()
    expect(watch.end).toBeNull()
    expect(drain(watch)).toHaveLength(1)
  })
})

/** A store whose watches can be made to fail. */
function breakable() {
  let fail: (error: Error) => void = () => {}
  const wrap = (store: Store): Store => ({
    lease: store.lease,
    maintenance: store.maintenance,
    history: store.history,
    range: (request) => store.range(request),
    txn: (request) => store.txn(request),
    compact: (revision) => store.compact(revision),
    status: () => store.status(),
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
    watch(request) {
      const inner = store.watch(request)
      const broken = new Promise<never>((_, reject) => (fail = reject))
      broken.catch(() => undefined)
      const source = inner[Symbol.asyncIterator]()
      return {
        created: inner.created,
        requestProgress: () => inner.requestProgress(),
        [Symbol.asyncDispose]: () => inner[Symbol.asyncDispose](),
        [Symbol.asyncIterator]: () => ({ next: () => Promise.race([source.next(), broken]) }),
      }
    },
  })
  return { wrap, break: (error: Error) => fail(error) }
}
