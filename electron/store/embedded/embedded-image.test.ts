import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { FakeClock } from '../../base/fake-clock.ts'
import { silentLogger } from '../../base/logger.ts'
import { createMemoryBackend } from '../memory/memory-store.ts'
import { Keyspace } from '../mvcc/keyspace.ts'
import { MvccStore } from '../mvcc/mvcc-store.ts'
import type { ImageEntry, StoreImage } from '../snapshot/image.ts'
import type { Store } from '../store.ts'
import { failure, put, remove, text, write } from '../testing/subject.ts'
import { EmbeddedImage } from './embedded-image.ts'
import { createEmbeddedStore } from './embedded-store.ts'

describe('the image of an embedded store', () => {
  let dir: string
  let store: Store
  beforeEach(async () => {
    dir = mkdtempSync(join(tmpdir(), 'store-'))
    store = await createEmbeddedStore({ dir, clock: new FakeClock(), logger: silentLogger, reserveBytes: 4096, historyBytes: 0 })
  })
  afterEach(async () => {
    await store[Symbol.asyncDispose]()
    rmSync(dir, { recursive: true })
  })

  const open = () => EmbeddedImage.open(join(dir, 'store.db'), () => undefined)
  const entriesOf = async (image: StoreImage) => {
    const entries: ImageEntry[] = []
    for await (const batch of image.entries()) entries.push(...batch)
    return entries
  }
  const brief = (entries: readonly ImageEntry[]) =>
    entries.map(({ key, revision, sub, deleted, value }) => `${revision}.${sub} ${deleted ? `-${key}` : `${key}=${text(value)}`}`)

  it('has all that is retained, in order, each change with its place in its revision', async () => {
    await store.lease.grant(60, 7n)
    await store.txn({ success: [put('b', '2', { lease: 7n }), put('a', '2')] })
    await write(store, 'a', '3')
    await remove(store, 'b')
    await write(store, 'b', '5')
    await using whole = await open()
    expect(whole).toMatchObject({ revision: 5, compactRevision: 0, leases: [{ id: 7n, ttl: 60 }] })
    expect(brief(await entriesOf(whole))).toEqual(['2.0 b=2', '2.1 a=2', '3.0 a=3', '4.0 -b', '5.0 b=5'])
    await store.compact(4)
    await using compacted = await open()
    expect(compacted).toMatchObject({ revision: 5, compactRevision: 4 })
    expect(brief(await entriesOf(compacted))).toEqual(['3.0 a=3', '4.0 -b', '5.0 b=5'])
    const changes: object[] = []
    for await (const batch of compacted.changes()) changes.push(...batch)
    const expected = (await entriesOf(compacted)).map((entry) =>
      Object.fromEntries(Object.entries(entry).filter(([name]) => name !== 'value')),
    )
    expect(changes).toEqual(expected)
    expect(brief(await entriesOf(whole))).toHaveLength(5)
  })

  it('does not change while much is written, compacted and defragmented, and nothing waits for it', async () => {
    for (let i = 0; i < 2000; i++) void write(store, `k${i % 300}`, `${i} ${'x'.repeat(500)}`)
    await store.lease.list()
    await using image = await open()
    const { revision } = image
    expect(revision).toBe(2001)
    const first = entriesOf(image)
    for (let i = 0; i < 10; i++) await write(store, `k${i}`, 'new')
    await store.compact(2011)
    await store.maintenance.defragment()
    const before = brief(await first)
    expect(before).toHaveLength(2000)
    expect(brief(await entriesOf(image))).toEqual(before)
    expect(before.at(-1)?.slice(0, 18)).toBe('2001.0 k199=1999 x')
  })

  it('is the same as that of a store in memory', async () => {
    const backend = createMemoryBackend()
    const clock = new FakeClock()
    const space = new Keyspace()
    const random = { float: () => 0, bytes: (length: number) => new Uint8Array(length), uuid: () => '' }
    await using memory = new MvccStore({ clock, random, logger: silentLogger, backend, space, leases: [] })
    for (const each of [store, memory]) {
      for (let i = 0; i < 20; i++) {
        await each.txn({ success: [put(`a${i % 3}`, String(i)), put(`b${i % 4}`, String(i))] })
        if (i % 5 === 4) await remove(each, 'a', 'b')
        if (i % 9 === 8) await each.compact(i)
      }
    }
    await using expected = await backend.image({ space, revision: space.revision, leases: [] })
    await using image = await open()
    expect(brief(await entriesOf(image))).toEqual(brief(await entriesOf(expected)))
    expect([image.revision, image.compactRevision]).toEqual([expected.revision, expected.compactRevision])
  })

  it('ends by name when it is closed while it is read', async () => {
    for (let i = 0; i < 1200; i++) void write(store, `k${i}`, 'x')
    await store.lease.list()
    const image = await open()
    const reading = image.entries()
    await reading.next()
    await image[Symbol.asyncDispose]()
    await failure(reading.next(), 'closed')
    await image[Symbol.asyncDispose]()
  })

  it('is not given out by a store that is closed meanwhile', async () => {
    for (let i = 0; i < 1200; i++) void write(store, `k${i}`, 'x')
    await store.compact((await store.lease.list().then(() => store.status())).revision)
    const asked = [store.maintenance.hash(), store.maintenance.snapshot()].map((work) => failure(work, 'closed'))
    await store[Symbol.asyncDispose]()
    await Promise.all(asked)
  })

  it('is closed with its store', async () => {
    for (let i = 0; i < 1200; i++) void write(store, `k${i}`, 'x'.repeat(1000))
    await store.lease.list()
    const snapshot = await store.maintenance.snapshot()
    const reading = snapshot[Symbol.asyncIterator]()
    await reading.next()
    await store[Symbol.asyncDispose]()
    const rest = async () => {
      while (!(await reading.next()).done);
    }
    await failure(rest(), 'closed')
    await snapshot[Symbol.asyncDispose]()
  })
})
