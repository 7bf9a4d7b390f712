import { describe, expect, it } from 'vitest'
import { FakeClock } from '../../base/fake-clock.ts'
import { prefixRange } from '../store.ts'
import { createMemoryStore } from './memory-store.ts'

const bytes = (text: string) => Buffer.from(text)

describe('memory store', () => {
  it('puts, reads back, and tells watchers', async () => {
    await using store = createMemoryStore({ clock: new FakeClock() })
    const watcher = store.watch(prefixRange('/a/'))
    const first = await store.txn({ success: [{ type: 'put', key: '/a/1', value: bytes('one') }] })
    expect(first.revision).toBe(2)
    const { kvs } = await store.range({ key: '/a/1' })
    expect(kvs).toEqual([{ key: '/a/1', value: bytes('one'), createRevision: 2, modRevision: 2, version: 1, lease: 0n }])
    for await (const batch of watcher) {
      expect(batch).toEqual({ revision: 2, events: [{ type: 'put', kv: kvs[0] }] })
      break
    }
  })
})
