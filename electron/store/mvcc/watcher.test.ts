import { describe, expect, it } from 'vitest'
import { FakeClock, settle } from '../../base/fake-clock.ts'
import { createMemoryStore } from '../memory/memory-store.ts'
import type { WatchBatch } from '../store.ts'
import { reader, write } from '../testing/subject.ts'

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
