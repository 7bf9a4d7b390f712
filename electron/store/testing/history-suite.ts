import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { RangeRequest, Store, StoreHistory } from '../store.ts'
import { StoreModel } from './model.ts'
import { plain, rangeRequest, shift, txn } from './requests.ts'
import { ALL, brief, briefBatch, bytes, failure, type OpenSubject, put, remove, type Subject, write } from './subject.ts'

/** What engines do that keep past states beyond compaction, for as long as nothing has to be dropped. */
export function historySuite(open: OpenSubject, runs: number): void {
  describe('history', () => {
    let subject: Subject
    let store: Store
    let base: number
    beforeEach(async () => {
      subject = await open()
      store = subject.store
      base = (await store.status()).revision
    })
    afterEach(() => subject.close())

    const history = () => historyOf(store)
    const at = async (revision: number, more: Partial<RangeRequest> = {}) =>
      (await history().range({ ...ALL, ...more, revision: base + revision })).kvs.map((kv) => brief(kv, base)).join(', ')
    const changes = async (from: number, to: number, limit = 100) =>
      (await history().changes({ ...ALL, from: base + from, to: base + to, limit })).map((batch) => briefBatch(batch, base))
    const fill = async () => {
      await write(store, 'a', '1')
      await store.txn({ success: [put('b', '2'), put('a', '2')] })
      await remove(store, 'b')
      await write(store, 'b', '4')
      await write(store, 'c', '5')
      await remove(store, 'a')
      await write(store, 'd', '7')
    }
    const STATES = [
      '',
      'a=1 1/1/1',
      'a=2 1/2/2, b=2 2/2/1',
      'a=2 1/2/2',
      'a=2 1/2/2, b=4 4/4/1',
      'a=2 1/2/2, b=4 4/4/1, c=5 5/5/1',
      'b=4 4/4/1, c=5 5/5/1',
      'b=4 4/4/1, c=5 5/5/1, d=7 7/7/1',
    ]
    const CHANGES = [
      '1: put a=1 1/1/1',
      '2: put b=2 2/2/1, put a=2 1/2/2',
      '3: delete b 3',
      '4: put b=4 4/4/1',
      '5: put c=5 5/5/1',
      '6: delete a 6',
      '7: put d=7 7/7/1',
    ]

    it('has every state, deleted keys included, however often it is compacted', async () => {
      await fill()
      for (const compaction of [0, 2, 3, 6, 7]) {
        if (compaction > 0) await store.compact(base + compaction)
        for (const [revision, state] of STATES.entries()) expect([revision, await at(revision)]).toEqual([revision, state])
      }
      await failure(store.range({ ...ALL, revision: base + 6 }), 'compacted')
      expect((await history().range(ALL)).kvs.map((kv) => brief(kv, base)).join(', ')).toBe(STATES[7])
    })

    it('tells of every change between two states, in order, some at a time', async () => {
      await fill()
      for (const compaction of [0, 3, 4, 7]) {
        if (compaction > 0) await store.compact(base + compaction)
        expect(await changes(0, 7)).toEqual(CHANGES)
        expect(await changes(2, 6)).toEqual(CHANGES.slice(2, 6))
        expect(await changes(1, 7, 2)).toEqual(CHANGES.slice(1, 3))
        expect(await changes(4, 4)).toEqual([])
        const ofA = await history().changes({ key: 'a', from: base, to: base + 7, limit: 10 })
        expect(ofA.map((batch) => briefBatch(batch, base))).toEqual(['1: put a=1 1/1/1', '2: put a=2 1/2/2', '6: delete a 6'])
      }
    })

    it('answers ranges of past states with all that a range can ask for', async () => {
      await fill()
      await store.compact(base + 7)
      expect(await at(5, { limit: 2 })).toBe('a=2 1/2/2, b=4 4/4/1')
      expect(await at(5, { key: 'b', end: 'd' })).toBe('b=4 4/4/1, c=5 5/5/1')
      expect(await at(5, { sort: { target: 'value', order: 'descend' } })).toBe('c=5 5/5/1, b=4 4/4/1, a=2 1/2/2')
      const counted = await history().range({ ...ALL, revision: base + 5, countOnly: true })
      expect(counted).toMatchObject({ count: 3, kvs: [], revision: base + 7 })
      const keys = await history().range({ ...ALL, revision: base + 5, keysOnly: true, limit: 1 })
      expect(keys).toMatchObject({ count: 3, more: true, kvs: [{ key: 'a' }] })
      expect(keys.kvs[0]?.value.byteLength).toBe(0)
    })

    it('knows which state was the newest at a time', async () => {
      const times: number[] = []
      const began = (await history().bounds()).oldest.time
      for (let i = 0; i < 4; i++) {
        await subject.pass(1000)
        await write(store, 'a', String(i))
        times.push((await history().bounds()).newest.time)
      }
      await store.compact(base + 4)
      expect(times).toEqual(times.toSorted((x, y) => x - y))
      expect((await history().at(began)).revision).toBe(base)
      for (const [i, time] of times.entries()) {
        expect(await history().at(time)).toEqual({ revision: base + i + 1, time })
        expect((await history().at(time + 500)).revision).toBe(base + i + 1)
        expect((await history().at(time - 1)).revision).toBe(base + i)
      }
      expect((await history().at((times[3] as number) + 1e9)).revision).toBe(base + 4)
      await failure(history().at(began - 1), 'compacted')
      const batches = await history().changes({ ...ALL, from: base, to: base + 4, limit: 10 })
      expect(batches.map(({ time }) => time)).toEqual(times)
      expect(await history().bounds()).toMatchObject({ oldest: { revision: base }, newest: { revision: base + 4 } })
    })

    it('is still there after a restart', async () => {
      if (!subject.reopen) return
      await subject.pass(1000)
      await fill()
      await store.compact(base + 6)
      const { oldest, newest } = await history().bounds()
      for (let round = 0; round < 2; round++) {
        store = await subject.reopen()
        for (const [revision, state] of STATES.entries()) expect(await at(revision)).toBe(state)
        expect(await changes(0, 7)).toEqual(CHANGES)
        expect(await history().bounds()).toEqual({ oldest, newest })
        if (round === 0) await store.compact(base + 7)
      }
    })

    it('refuses states that are still to come, and requests that make no sense', async () => {
      await fill()
      await store.compact(base + 7)
      await failure(history().range({ ...ALL, revision: base + 8 }), 'futureRevision')
      await failure(changes(0, 8), 'futureRevision')
      await failure(changes(0, 7, 0), 'invalidRequest')
      await failure(history().range({ ...ALL, key: '' }), 'invalidRequest')
      await failure(history().at(Number.NaN), 'invalidRequest')
    })

    it('refuses everything by name once the store is closed', async () => {
      const kept = history()
      await store[Symbol.asyncDispose]()
      await failure(kept.bounds(), 'closed')
      await failure(kept.at(0), 'closed')
      await failure(kept.range(ALL), 'closed')
      await failure(kept.changes({ ...ALL, from: 1, to: 1, limit: 1 }), 'closed')
    })

    it('answers while writes and compactions go on, as if nothing went on', async () => {
      await fill()
      const asked: Promise<unknown>[] = []
      for (let i = 0; i < 60; i++) {
        const { revision } = await store.txn({ success: [put('x', String(i))] })
        if (i % 7 === 0) await store.compact(revision)
        asked.push(at(5).then((state) => expect(state).toBe(STATES[5])))
        asked.push(changes(0, 7).then((found) => expect(found).toEqual(CHANGES)))
      }
      await Promise.all(asked)
    })
  })

  describe('history against the model', () => {
    it('has the states and changes that the model had', async () => {
      const value = fc.constantFrom('', 'x', 'y').map(bytes)
      const steps = fc.array(fc.oneof({ weight: 6, arbitrary: txn }, fc.constant('compact' as const)), { minLength: 4, maxLength: 40 })
      await fc.assert(
        fc.asyncProperty(steps, rangeRequest, value, async (given, request, last) => {
          const subject = await open()
          try {
            let { store } = subject
            const model = new StoreModel((await store.status()).revision, { keepsCompactedDeletes: true })
            for (const step of [...given, { success: [{ type: 'put' as const, key: 'z', value: last }] }]) {
              if (step === 'compact') await store.compact(model.revision).catch(() => undefined)
              else {
                const shifted = shift(step, model.base)
                await store.txn(shifted).catch(() => undefined)
                attempt(() => model.txn(shifted))
              }
            }
            store = (await subject.reopen?.()) ?? store
            await compareHistory(store, model, request)
          } finally {
            await subject.close()
          }
        }),
        { seed: 20260103, numRuns: runs },
      )
    }, 120_000)
  })
}

async function compareHistory(store: Store, model: StoreModel, request: RangeRequest): Promise<void> {
  expect((await store.status()).revision).toBe(model.revision)
  const history = historyOf(store)
  for (let at = model.base; at <= model.revision; at++) {
    for (const each of [
      { ...ALL, revision: at },
      { ...shift(request, model.base), revision: at },
    ]) {
      expect(plain(await history.range(each))).toEqual(plain(model.range(each)))
    }
  }
  const { key, end = '' } = request
  for (const range of [ALL, end === '' ? { key } : { key, end }]) {
    const found = await history.changes({ ...range, from: model.base, to: model.revision, limit: 1000 })
    const expected = model.watch({ ...range, startRevision: model.base })
    expect(plain(found.map(({ revision, events }) => ({ revision, events })))).toEqual(plain(expected))
  }
}

function attempt(work: () => unknown): void {
  try {
    work()
  } catch {
    // The store has refused it too, or the comparison will tell.
  }
}

function historyOf({ history }: Store): StoreHistory {
  if (!history) throw new Error('this store keeps no history')
  return history
}
