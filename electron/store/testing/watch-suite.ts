import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { prefixRange, type Store, type WatchRequest } from '../store.ts'
import { ALL, briefBatch, briefEvent, del, failure, type OpenSubject, put, reader, remove, type Subject, write } from './subject.ts'

export function watchSuite(open: OpenSubject): void {
  describe('watch', () => {
    let subject: Subject
    let store: Store
    let base: number
    beforeEach(async () => {
      subject = await open()
      store = subject.store
      base = (await store.status()).revision
    })
    afterEach(() => subject.close())

    /** All that a watcher of this request has seen by now. */
    const seen = async (request: WatchRequest) => {
      await using watcher = store.watch(request)
      return (await reader(watcher).upToMark()).map((batch) => briefBatch(batch, base))
    }

    it('tells of changes that come after it was made, one batch a revision, in the order the transaction made them', async () => {
      await write(store, 'a', '0')
      await using watcher = store.watch(ALL)
      expect(await watcher.created).toEqual({ revision: base + 1 })
      const { next } = reader(watcher)
      await store.txn({ success: [put('b', '1'), put('a', '1'), del('c')] })
      await store.txn({ success: [del('a', 'z')] })
      expect(briefBatch(await next(), base)).toBe('2: put b=1 2/2/1, put a=1 1/2/2')
      expect(briefBatch(await next(), base)).toBe('3: delete a 3, delete b 3')
    })

    it('starts at any retained revision and goes on without a gap', async () => {
      for (let i = 1; i <= 5; i++) await write(store, `k${i % 2}`, String(i))
      await using watcher = store.watch({ ...ALL, startRevision: base + 3 })
      const { next } = reader(watcher)
      await write(store, 'k0', '6')
      const got: string[] = []
      for (let i = 0; i < 4; i++) got.push(briefBatch(await next(), base))
      expect(got).toEqual(['3: put k1=3 1/3/2', '4: put k0=4 2/4/2', '5: put k1=5 1/5/3', '6: put k0=6 2/6/3'])
      expect(await seen({ ...ALL, startRevision: base + 1 })).toHaveLength(6)
    })

    it('waits for a start revision that is still to come', async () => {
      await using watcher = store.watch({ ...ALL, startRevision: base + 3 })
      await watcher.created
      for (let i = 1; i <= 4; i++) await write(store, 'a', String(i))
      const { next } = reader(watcher)
      expect(briefBatch(await next(), base)).toBe('3: put a=3 1/3/3')
      expect(briefBatch(await next(), base)).toBe('4: put a=4 1/4/4')
    })

    it('catches up with thousands of changes, and follows from there', async () => {
      for (let i = 0; i < 25; i++) {
        await store.txn({ success: Array.from({ length: 100 }, (_, j) => put(`k${String(j).padStart(2, '0')}`, String(i))) })
      }
      await using watcher = store.watch({ key: 'k', end: 'l', startRevision: base + 1 })
      await using narrow = store.watch({ key: 'k50', startRevision: base + 1 })
      const { next } = reader(watcher)
      for (let i = 1; i <= 25; i++) {
        const { revision, events } = await next()
        expect([revision, events.length]).toEqual([base + i, 100])
      }
      await write(store, 'k50', 'after')
      expect(briefBatch(await next(), base)).toBe('26: put k50=after 1/26/26')
      expect((await reader(narrow).upToMark()).map(({ revision }) => revision - base)).toEqual(Array.from({ length: 26 }, (_, i) => i + 1))
    })

    it('sees only its key, interval or prefix', async () => {
      await store.txn({ success: [put('a/1', ''), put('a/2', ''), put('b', '')] })
      await write(store, 'b', '2')
      const keys = async (request: WatchRequest) => {
        await using watcher = store.watch({ ...request, startRevision: base + 1 })
        return (await reader(watcher).upToMark()).map(({ events }) => events.map(({ kv }) => kv.key).join(' '))
      }
      expect(await keys({ key: 'a/1' })).toEqual(['a/1'])
      expect(await keys({ key: 'a/2', end: 'b' })).toEqual(['a/2'])
      expect(await keys(prefixRange('a/'))).toEqual(['a/1 a/2'])
      expect(await keys({ key: 'a/2', end: '\0' })).toEqual(['a/2 b', 'b'])
      expect(await keys({ key: 'c' })).toEqual([])
    })

    it('leaves out puts or deletes when told', async () => {
      await write(store, 'a', '1')
      await remove(store, 'a')
      expect(await seen({ key: 'a', startRevision: base + 1, filter: { noPut: true } })).toEqual(['2: delete a 2'])
      expect(await seen({ key: 'a', startRevision: base + 1, filter: { noDelete: true } })).toEqual(['1: put a=1 1/1/1'])
      await using live = store.watch({ key: 'a', filter: { noPut: true } })
      await live.created
      await write(store, 'a', '3')
      await remove(store, 'a')
      expect(briefBatch(await reader(live).next(), base)).toBe('4: delete a 4')
    })

    it('gives the key before, when asked, to watchers that follow and to watchers that catch up', async () => {
      const request = { key: 'a', prevKv: true }
      await using live = store.watch({ ...request, startRevision: base + 1 })
      await live.created
      await write(store, 'a', '1')
      await write(store, 'a', '2')
      await remove(store, 'a')
      await write(store, 'a', '4')
      const expected = ['put a=1 1/1/1', 'put a=2 1/2/2 was a=1 1/1/1', 'delete a 3 was a=2 1/2/2', 'put a=4 4/4/1']
      const events = async (watcher: typeof live) =>
        (await reader(watcher).upToMark()).flatMap((batch) => batch.events.map((event) => briefEvent(event, base)))
      expect(await events(live)).toEqual(expected)
      await using late = store.watch({ ...request, startRevision: base + 1 })
      expect(await events(late)).toEqual(expected)
      await using plain = store.watch({ key: 'a', startRevision: base + 1 })
      expect((await events(plain)).join()).not.toContain('was')
    })

    it('marks progress on request, in order with the events', async () => {
      await using watcher = store.watch({ key: 'a' })
      await watcher.created
      const { next } = reader(watcher)
      await write(store, 'a', '1')
      await write(store, 'other', '2')
      watcher.requestProgress()
      expect(briefBatch(await next(), base)).toBe('1: put a=1 1/1/1')
      expect(await next()).toEqual({ revision: base + 2, events: [] })
    })

    it('marks progress after what a watcher still has to catch up with', async () => {
      for (let i = 1; i <= 3; i++) await write(store, 'a', String(i))
      await using watcher = store.watch({ key: 'a', startRevision: base + 2 })
      await watcher.created
      watcher.requestProgress()
      const { next } = reader(watcher)
      expect([(await next()).revision, (await next()).revision]).toEqual([base + 2, base + 3])
      expect(await next()).toEqual({ revision: base + 3, events: [] })
    })

    it('marks progress by itself while nothing happens, if told how often', async () => {
      await using watcher = store.watch({ key: 'a', progressInterval: 1000 })
      await watcher.created
      await write(store, 'other', '1')
      const first = reader(watcher).next()
      await subject.pass(2500)
      expect(await first).toEqual({ revision: base + 1, events: [] })
    })

    it('can be resumed after the last revision seen, and so sees each change exactly once', async () => {
      const revisions: number[] = []
      let from = base + 1
      for (let round = 0; round < 5; round++) {
        for (let i = 0; i < 4; i++) await store.txn({ success: [put('a', `${round}.${i}`), put('b', `${round}.${i}`)] })
        await using watcher = store.watch({ ...ALL, startRevision: from })
        const { next } = reader(watcher)
        for (let i = 0; i < 3; i++) {
          const batch = await next()
          expect(batch.events).toHaveLength(2)
          revisions.push(batch.revision)
          from = batch.revision + 1
        }
      }
      expect(revisions).toEqual(Array.from({ length: 15 }, (_, i) => base + 1 + i))
    })

    it('shows every watcher the same changes while many write at once', async () => {
      await using live = store.watch(ALL)
      await using filtered = store.watch({ key: 'k3' })
      await Promise.all([live.created, filtered.created])
      await Promise.all(Array.from({ length: 200 }, (_, i) => write(store, `k${i % 5}`, String(i))))
      const followed = (await reader(live).upToMark()).map((batch) => briefBatch(batch, base))
      expect(followed).toHaveLength(200)
      expect(await seen({ ...ALL, startRevision: base + 1 })).toEqual(followed)
      const own = (await reader(filtered).upToMark()).map((batch) => briefBatch(batch, base))
      expect(own).toEqual(followed.filter((line) => line.includes('put k3=')))
    })

    it('ends a watcher that lets too much wait, and nobody else', async () => {
      await using slow = store.watch({ ...ALL, bufferLimit: 10 })
      await using patient = store.watch({ ...ALL, bufferLimit: 100 })
      await Promise.all([slow.created, patient.created])
      for (let i = 0; i < 50; i++) await write(store, 'a', String(i))
      const readAll = async () => {
        for await (const batch of slow) expect(batch.revision).toBeLessThanOrEqual(base + 50)
      }
      await failure(readAll(), 'slowWatcher')
      await reader(slow).end()
      expect(await reader(patient).upToMark()).toHaveLength(50)
    })

    it('ends when it is disposed, for a reader that waits too', async () => {
      const watcher = store.watch(ALL)
      const waiting = reader(watcher).end()
      await watcher.created
      await watcher[Symbol.asyncDispose]()
      await waiting
      await write(store, 'a', '1')
      await reader(watcher).end()
    })

    it('is disposed by leaving its loop', async () => {
      const watcher = store.watch({ ...ALL, startRevision: base + 1 })
      await write(store, 'a', '1')
      await write(store, 'a', '2')
      for await (const batch of watcher) {
        expect(batch.revision).toBe(base + 1)
        break
      }
      await reader(watcher).end()
    })

    it('refuses a request that makes no sense', async () => {
      const first = async (request: WatchRequest) => {
        await using watcher = store.watch(request)
        await reader(watcher).next()
      }
      await failure(first({ key: '' }), 'invalidRequest')
      await failure(first({ key: 'a', startRevision: -1 }), 'invalidRequest')
      await failure(store.watch({ key: '' }).created, 'invalidRequest')
    })
  })
}
