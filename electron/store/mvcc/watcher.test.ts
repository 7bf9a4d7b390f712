import { describe, expect, it } from 'vitest'
import { FakeClock, settle } from '../../base/fake-clock.ts'
import { createMemoryStore } from '../memory/memory-store.ts'
import type { WatchBatch } from '../store.ts'
import { briefBatch, put, reader, write } from '../testing/subject.ts'

describe('a watcher with a progress interval', () => {
  it('marks progress only after an interval without events, and stops when it is disposed', async () => {
    const clock = new FakeClock()
    await using store = createMemoryStore({ clock })
    const watcher = store.watch({ key: 'a', progressInterval: 1000 })
    const seen: WatchBatch[] = []
    const reading = (async () => {
      for await (const batch of watcher) seen.push(batch)
    })()
    await write(store, 'a', '1')
    await clock.advance(1000)
    expect(seen.map(({ events }) => events.length)).toEqual([1])
    await clock.advance(1000)
    expect(seen.map(({ events }) => events.length)).toEqual([1, 0])
    await watcher[Symbol.asyncDispose]()
    await reading
    expect(clock.pending).toBe(0)
  })

  it('keeps at most one mark waiting, however long nobody reads', async () => {
    const clock = new FakeClock()
    await using store = createMemoryStore({ clock })
    await using watcher = store.watch({ key: 'a', progressInterval: 10 })
    await clock.advance(10_000)
    await write(store, 'b', '1')
    watcher.requestProgress()
    await settle()
    const { next } = reader(watcher)
    expect(await next()).toEqual({ revision: 2, events: [] })
    await write(store, 'a', '1')
    expect((await next()).events).toHaveLength(1)
  })
})

describe('watchers of one transaction', () => {
  it('share one batch where they want all of it in the same form, and get their own part or form otherwise', async () => {
    await using store = createMemoryStore({ clock: new FakeClock() })
    await write(store, 'a', '0')
    const all = { key: 'a', end: 'z' }
    const requests = [all, all, { key: 'a' }, { ...all, prevKv: true }, { ...all, prevKv: true }]
    const readers = requests.map((request) => reader(store.watch(request)))
    await store.txn({ success: [put('a', '1'), put('b', '2')] })
    const batches = await Promise.all(readers.map(({ next }) => next()))
    expect(batches[1]).toBe(batches[0])
    expect(batches[4]).toBe(batches[3])
    expect(batches.map((batch) => briefBatch(batch, 0))).toEqual([
      '3: put a=1 2/3/2, put b=2 3/3/1',
      '3: put a=1 2/3/2, put b=2 3/3/1',
      '3: put a=1 2/3/2',
      '3: put a=1 2/3/2 was a=0 2/2/1, put b=2 3/3/1',
      '3: put a=1 2/3/2 was a=0 2/2/1, put b=2 3/3/1',
    ])
  })
})
