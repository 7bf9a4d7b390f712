import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Store } from '../store.ts'
import { ALL, brief, briefBatch, failure, type OpenSubject, put, reader, remove, type Subject, type Traits, write } from './subject.ts'

export function compactionSuite(open: OpenSubject, { keepsCompactedDeletes }: Traits): void {
  describe('compaction', () => {
    let subject: Subject
    let store: Store
    let base: number
    beforeEach(async () => {
      subject = await open()
      store = subject.store
      base = (await store.status()).revision
    })
    afterEach(() => subject.close())

    const at = async (revision: number) =>
      (await store.range({ ...ALL, revision: base + revision })).kvs.map((kv) => brief(kv, base)).join(', ')

    const history = async () => {
      await write(store, 'a', '1')
      await write(store, 'b', '2')
      await write(store, 'a', '3')
      await remove(store, 'b')
      await write(store, 'a', '5')
      await write(store, 'c', '6')
    }

    it('keeps its revision and all later ones readable, and refuses earlier ones by name', async () => {
      await history()
      await store.compact(base + 4)
      expect(await at(4)).toBe('a=3 1/3/2')
      expect(await at(5)).toBe('a=5 1/5/3')
      expect(await at(6)).toBe('a=5 1/5/3, c=6 6/6/1')
      for (const revision of [base + 1, base + 3]) {
        const error = await failure(store.range({ ...ALL, revision }), 'compacted')
        expect(error.compactRevision).toBe(base + 4)
        await failure(store.txn({ success: [put('z', ''), { type: 'range', key: 'a', revision }] }), 'compacted')
      }
      expect(await store.status()).toMatchObject({ revision: base + 6, compactRevision: base + 4 })
    })

    it('ends watchers that ask for a compacted revision, and says where to go on', async () => {
      await history()
      await store.compact(base + 5)
      const early = store.watch({ ...ALL, startRevision: base + 4 })
      await early.created
      const error = await failure(reader(early).next(), 'compacted')
      expect(error.compactRevision).toBe(base + 5)
      await reader(early).end()
      await using watcher = store.watch({ ...ALL, startRevision: error.compactRevision ?? 0 })
      expect((await reader(watcher).upToMark()).map((batch) => briefBatch(batch, base))).toEqual(['5: put a=5 1/5/3', '6: put c=6 6/6/1'])
    })

    it(`${keepsCompactedDeletes ? 'still tells' : 'no longer tells'} of the deletions of its revision`, async () => {
      await history()
      await store.compact(base + 4)
      if (subject.reopen) store = await subject.reopen()
      await using watcher = store.watch({ ...ALL, startRevision: base + 4 })
      const batches = (await reader(watcher).upToMark()).map((batch) => briefBatch(batch, base))
      expect(batches).toEqual([...(keepsCompactedDeletes ? ['4: delete b 4'] : []), '5: put a=5 1/5/3', '6: put c=6 6/6/1'])
    })

    it('leaves out the key before, where that can no longer be read', async () => {
      await write(store, 'a', '1')
      await write(store, 'a', '2')
      await write(store, 'a', '3')
      await store.compact(base + 2)
      await using watcher = store.watch({ ...ALL, startRevision: base + 2, prevKv: true })
      expect((await reader(watcher).upToMark()).map((batch) => briefBatch(batch, base))).toEqual([
        '2: put a=2 1/2/2',
        '3: put a=3 1/3/3 was a=2 1/2/2',
      ])
    })

    it('does not disturb watchers that are past it', async () => {
      await using watcher = store.watch(ALL)
      await watcher.created
      await history()
      await store.compact(base + 6)
      expect(await reader(watcher).upToMark()).toHaveLength(6)
      await write(store, 'a', '7')
      await using again = store.watch({ ...ALL, startRevision: base + 7 })
      expect(await reader(again).upToMark()).toHaveLength(1)
    })

    it('refuses a revision that is compacted already or still to come', async () => {
      await history()
      await failure(store.compact(base + 7), 'futureRevision')
      await store.compact(base + 3)
      expect((await failure(store.compact(base + 3), 'compacted')).compactRevision).toBe(base + 3)
      await failure(store.compact(base + 2), 'compacted')
      await failure(store.compact(-1), 'invalidRequest')
      await store.compact(base + 6)
    })

    it('forgets a deleted key, which counts from 1 when it is made again', async () => {
      await write(store, 'a', '1')
      await remove(store, 'a')
      await write(store, 'b', '3')
      await store.compact(base + 3)
      await write(store, 'a', '4')
      expect(await at(4)).toBe('a=4 4/4/1, b=3 3/3/1')
      await store.compact(base + 4)
      expect(await at(4)).toBe('a=4 4/4/1, b=3 3/3/1')
    })

    it('goes on with transactions, versions and revisions as before', async () => {
      await write(store, 'a', '1')
      await write(store, 'a', '2')
      await store.compact(base + 2)
      expect(await write(store, 'a', '3')).toBe(base + 3)
      expect(await at(3)).toBe('a=3 1/3/3')
      expect(await at(2)).toBe('a=2 1/2/2')
    })

    it('is still known after a restart', async () => {
      if (!subject.reopen) return
      await history()
      await store.compact(base + 4)
      store = await subject.reopen()
      expect(await store.status()).toMatchObject({ revision: base + 6, compactRevision: base + 4 })
      expect(await at(4)).toBe('a=3 1/3/2')
      await failure(store.range({ ...ALL, revision: base + 3 }), 'compacted')
      await failure(store.compact(base + 4), 'compacted')
      await using watcher = store.watch({ ...ALL, startRevision: base + 4 })
      expect(await reader(watcher).upToMark()).toHaveLength(keepsCompactedDeletes ? 3 : 2)
    })
  })
}
