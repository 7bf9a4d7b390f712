import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { cacheFixture, THING_PREFIX, type CacheFixture } from '../testing/cache-fixture.ts'
import { Bookmark, type WatchItem } from './cache-watch.ts'
import { watchItems, WatchSession } from './watch-session.ts'

let f: CacheFixture
beforeEach(async () => {
  f = await cacheFixture()
  await f.cache.fresh()
})
afterEach(() => f[Symbol.asyncDispose]())

const open = (options: { timeoutMs?: number; bookmarks?: boolean; signal?: AbortSignal } = {}) =>
  new WatchSession({
    watch: f.cache.watchFromNow({ prefix: THING_PREFIX, matches: null }, { state: false }),
    revision: () => f.cache.revision,
    clock: f.clock,
    timeoutMs: options.timeoutMs ?? 3_600_000,
    bookmarks: options.bookmarks ?? true,
    signal: options.signal ?? new AbortController().signal,
  })
const revisions = (items: readonly WatchItem[]) => items.map((item) => (item instanceof Bookmark ? item.revision : item.type))

describe('a watch session', () => {
  it('marks its progress every minute', async () => {
    using session = open()
    await f.store.txn({ success: [{ type: 'put', key: '/elsewhere', value: new Uint8Array() }] })
    await f.cache.fresh()
    await f.clock.advance(59_000)
    expect(session.take()).toEqual([])
    await f.clock.advance(1000)
    expect(revisions(session.take())).toEqual([f.cache.revision])
    await f.clock.advance(60_000)
    expect(session.take()).toHaveLength(1)
  })

  it('ends in time, with a last mark for those who understand it', async () => {
    using plain = open({ timeoutMs: 5000, bookmarks: false })
    using marked = open({ timeoutMs: 5000 })
    const revision = await f.put('a')
    await f.cache.fresh()
    await f.clock.advance(5000)
    expect([revisions(plain.take()), plain.end]).toEqual([['ADDED'], { error: null }])
    expect([revisions(marked.take()), marked.end]).toEqual([['ADDED', revision], { error: null }])
    expect(f.cache.watchers).toBe(0)
  })

  it('gives everything back when its client goes', async () => {
    const gone = new AbortController()
    const before = f.clock.pending
    open({ signal: gone.signal })
    expect([f.cache.watchers, f.clock.pending]).toEqual([1, before + 2])
    gone.abort()
    expect([f.cache.watchers, f.clock.pending]).toEqual([0, before])
  })

  it('hands its items out one by one, and what waits before its end', async () => {
    const seen: string[] = []
    const session = open({ timeoutMs: 1000, bookmarks: false })
    const done = (async () => {
      for await (const item of watchItems(session)) seen.push(item.type)
    })()
    await f.put('a')
    await f.put('a')
    await f.clock.advance(1000)
    await done
    expect(seen).toEqual(['ADDED', 'MODIFIED'])
  })
})
