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

it('forgets much history early, but nothing of the last look', async () => {
  const clock = new FakeClock()
  await using store = createMemoryStore({ clock })
  using _compaction = compactPeriodically(store, clock, silentLogger, { revisions: 100, bytes: Number.POSITIVE_INFINITY })
  const put = async (count: number) => {
    for (let i = 0; i < count; i++) await store.txn({ success: [{ type: 'put', key: 'a', value: Buffer.from(String(i)) }] })
    return await store.status()
  }
  const { revision } = await put(60)
  await clock.advance(10_000)
  const later = await put(60)
  expect(later.compactRevision).toBe(0)
  await clock.advance(10_000)
  expect(await store.status()).toMatchObject({ compactRevision: revision, revision: later.revision })
  await clock.advance(MINUTE)
  expect((await store.status()).compactRevision).toBe(revision)
})

it('forgets history early that takes much room', async () => {
  const clock = new FakeClock()
  await using memory = createMemoryStore({ clock })
  let dbSizeInUse = 5000
  const status = async () => ({ ...(await memory.status()), dbSizeInUse })
  const store = { status, compact: (revision: number) => memory.compact(revision) }
  using _compaction = compactPeriodically(store, clock, silentLogger, { revisions: Number.POSITIVE_INFINITY, bytes: 1000 })
  const put = async () => (await memory.txn({ success: [{ type: 'put', key: 'a', value: Buffer.from('1') }] })).revision
  const first = await put()
  await clock.advance(10_000)
  await put()
  dbSizeInUse = 5900
  await clock.advance(10_000)
  expect((await memory.status()).compactRevision).toBe(0)
  const third = await put()
  dbSizeInUse = 6000
  await clock.advance(10_000)
  expect((await memory.status()).compactRevision).toBeGreaterThan(first)
  dbSizeInUse = 5500
  await clock.advance(10_000)
  dbSizeInUse = 6400
  await clock.advance(10_000)
  expect((await memory.status()).compactRevision).toBeLessThan(third)
})
