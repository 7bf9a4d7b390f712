import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Store } from '../store.ts'
import { brief, briefBatch, failure, type OpenSubject, put, reader, remove, type Subject, write } from './subject.ts'

const ALL = { key: '\0', end: '\0' }

export function lifeSuite(open: OpenSubject): void {
  describe('life', () => {
    let subject: Subject
    let store: Store
    beforeEach(async () => {
      subject = await open()
      store = subject.store
    })
    afterEach(() => subject.close())

    it('refuses everything by name once it is closed', async () => {
      await store[Symbol.asyncDispose]()
      await failure(store.range(ALL), 'closed')
      await failure(store.txn({ success: [put('a', '1')] }), 'closed')
      await failure(store.compact(1), 'closed')
      await failure(store.status(), 'closed')
      await failure(store.lease.grant(10), 'closed')
      await failure(store.lease.list(), 'closed')
      await failure(reader(store.watch(ALL)).next(), 'closed')
      await store[Symbol.asyncDispose]()
    })

    it('ends its watchers when it is closed', async () => {
      const waiting = store.watch(ALL)
      const unread = store.watch(ALL)
      await Promise.all([waiting.created, unread.created])
      const ended = failure(reader(waiting).next(), 'closed')
      await store[Symbol.asyncDispose]()
      await ended
      await failure(reader(unread).next(), 'closed')
    })

    it('keeps what it accepted before it was closed', async () => {
      const { reopen } = subject
      const base = (await store.status()).revision
      const writes = Promise.all(Array.from({ length: 20 }, (_, i) => write(store, `k${i}`, String(i))))
      const closed = reopen ? null : store[Symbol.asyncDispose]()
      const again = reopen ? await reopen() : null
      await closed
      expect(await writes).toHaveLength(20)
      if (again) expect(await again.range({ ...ALL, countOnly: true })).toMatchObject({ revision: base + 20, count: 20 })
    })

    it('has the same keys, versions, history and revisions after a restart', async () => {
      if (!subject.reopen) return
      const base = (await store.status()).revision
      await write(store, 'a', '1')
      await store.txn({ success: [put('a', '2'), put('b', '2')] })
      await remove(store, 'a')
      await write(store, 'a', '4')
      for (let round = 0; round < 2; round++) {
        store = await subject.reopen()
        const at = async (revision: number) =>
          (await store.range({ ...ALL, revision: base + revision })).kvs.map((kv) => brief(kv, base)).join(', ')
        expect(await store.status()).toMatchObject({ revision: base + 4 + round, keys: 2 })
        expect([await at(1), await at(2), await at(3), await at(4)]).toEqual([
          'a=1 1/1/1',
          'a=2 1/2/2, b=2 2/2/1',
          'b=2 2/2/1',
          'a=4 4/4/1, b=2 2/2/1',
        ])
        await using watcher = store.watch({ ...ALL, startRevision: base + 1, prevKv: true })
        const batches = (await reader(watcher).upToMark()).map((batch) => briefBatch(batch, base))
        expect(batches.slice(0, 4)).toEqual([
          '1: put a=1 1/1/1',
          '2: put a=2 1/2/2 was a=1 1/1/1, put b=2 2/2/1',
          '3: delete a 3 was a=2 1/2/2',
          '4: put a=4 4/4/1',
        ])
        expect(await write(store, 'b', 'again')).toBe(base + 5 + round)
      }
    })
  })
}
