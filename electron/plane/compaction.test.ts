import { expect, it } from 'vitest'
import { FakeClock } from '../base/fake-clock.ts'
import { silentLogger } from '../base/logger.ts'
import { createMemoryStore } from '../store/memory/memory-store.ts'
import { compactPeriodically } from './compaction.ts'

const MINUTE = 60_000

it('keeps at least five minutes of history and forgets what is older than ten', async () => {
  const clock = new FakeClock()
  await using store = createMemoryStore({ clock })
  using _compaction = compactPeriodically(store, clock, silentLogger)
  const put = async (text: string) => (await store.txn({ success: [{ type: 'put', key: 'a', value: Buffer.from(text) }] })).revision
  const readAt = async (revision: number) => (await store.range({ key: 'a', revision })).kvs[0]?.value.toString()

  const first = await put('1')
  await clock.advance(4 * MINUTE)
  const second = await put('2')
  await clock.advance(5 * MINUTE)
  expect(await readAt(first)).toBe('1')
  await put('3')
  await clock.advance(2 * MINUTE)
  await expect(readAt(first)).rejects.toMatchObject({ code: 'compacted' })
  expect(await readAt(second)).toBe('2')
})
