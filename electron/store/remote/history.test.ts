import { describe, expect, it } from 'vitest'
import { FakeClock } from '../../base/fake-clock.ts'
import { seededRandom } from '../../base/random.ts'
import { createMemoryStore } from '../memory/memory-store.ts'
import type { Store } from '../store.ts'
import { remove, write } from '../testing/subject.ts'
import { History } from './history.ts'

/** The memory engine stands for etcd: it answers the same to what is asked here. */
function make(): { store: Store; history: History; asked: () => number } {
  const store = createMemoryStore({ clock: new FakeClock(), random: seededRandom(1) })
  let count = 0
  const history = new History((request) => {
    count++
    return store.range(request)
  })
  return { store, history, asked: () => count }
}

describe('the history of an etcd', () => {
  it('has no compact revision before the first compaction', async () => {
    const { store, history } = make()
    expect(await history.compactRevision()).toBe(0)
    await write(store, 'a', '1')
    expect(await history.compactRevision()).toBe(0)
    expect(await history.newest()).toBe((await store.status()).revision)
  })

  it('finds the compact revision wherever it is, and asks once while it stays', async () => {
    const { store, history, asked } = make()
    for (let i = 0; i < 100; i++) await write(store, 'a', String(i))
    const { revision } = await store.status()
    for (const at of [2, 3, 50, revision - 1, revision]) {
      await store.compact(at)
      expect(await history.compactRevision()).toBe(at)
      const before = asked()
      expect(await history.compactRevision()).toBe(at)
      expect(asked() - before).toBe(1)
    }
  })

  it('expects nothing of a compacted revision that left nothing behind, and of no other', async () => {
    const { store, history } = make()
    await write(store, 'a', '1')
    const put = await write(store, 'b', '1')
    const deletion = await remove(store, 'a')
    expect(await history.mayBeEmpty(deletion)).toBe(false)
    await store.compact(put)
    expect(await history.mayBeEmpty(put)).toBe(false)
    expect(await history.mayBeEmpty(deletion)).toBe(false)
    await store.compact(deletion)
    expect(await history.mayBeEmpty(deletion)).toBe(true)
  })
})
