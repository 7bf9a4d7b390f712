import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { FakeClock } from '../../electron/base/fake-clock.ts'
import { jsonLogger, silentLogger } from '../../electron/base/logger.ts'
import { seededRandom } from '../../electron/base/random.ts'
import { createEmbeddedStore, type EmbeddedStoreOptions } from '../../electron/store/embedded/embedded-store.ts'
import type { Store, StoreHistory } from '../../electron/store/store.ts'
import { historySuite } from '../../electron/store/testing/history-suite.ts'
import { ALL, brief, failure, put, write } from '../../electron/store/testing/subject.ts'

const MIB = 1024 * 1024

describe('embedded store', () => {
  historySuite(async () => {
    const dir = mkdtempSync(join(tmpdir(), 'store-'))
    const clock = new FakeClock()
    const options = { dir, clock, logger: silentLogger, random: seededRandom(1), reserveBytes: 4096, cacheBytes: 1 }
    let store = await createEmbeddedStore(options)
    return {
      store,
      pass: (ms) => clock.advance(ms),
      reopen: async () => {
        await store[Symbol.asyncDispose]()
        return (store = await createEmbeddedStore(options))
      },
      close: async () => {
        await store[Symbol.asyncDispose]()
        rmSync(dir, { recursive: true })
      },
    }
  }, 12)
})

describe('the history of an embedded store', () => {
  let dir: string
  let log: string[]
  let clock: FakeClock
  let opened: Store[]
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'store-history-'))
    log = []
    clock = new FakeClock()
    opened = []
  })
  afterEach(async () => {
    for (const store of opened) await store[Symbol.asyncDispose]()
    rmSync(dir, { recursive: true })
  })

  const open = async (options: Partial<EmbeddedStoreOptions> = {}) => {
    const logger = jsonLogger({ clock, sink: (line) => log.push(line) })
    const store = await createEmbeddedStore({ dir, clock, logger, reserveBytes: 4096, ...options })
    opened.push(store)
    return store
  }
  const close = (store: Store) => store[Symbol.asyncDispose]()
  const historyOf = ({ history }: Store) => history as StoreHistory
  const file = (name: string) => join(dir, name)
  const stateAt = async (store: Store, revision: number) =>
    (await historyOf(store).range({ ...ALL, revision })).kvs.map((kv) => brief(kv, 0)).join(', ')
  /** Revision 2 to 5: a, a, b and a; compacted at 5. */
  const fill = async (store: Store) => {
    await write(store, 'a', '2')
    await write(store, 'a', '3')
    await write(store, 'b', '4')
    await write(store, 'a', '5')
    await store.compact(5)
  }
  const compactedAt = async (store: Store, revision: number) => {
    const error = await failure(historyOf(store).range({ ...ALL, revision }), 'compacted')
    return error.compactRevision
  }

  it('stays within its budget: the oldest states go first, the others stay whole', async () => {
    const store = await open({ historyBytes: 2 * MIB })
    for (let i = 0; i < 400; i++) {
      await store.txn({ success: [put('a', `${i} ${'x'.repeat(10_000)}`), put(`k${i % 10}`, String(i))] })
      if (i % 50 === 49) await store.compact((await store.status()).revision)
    }
    const { oldest, newest } = await historyOf(store).bounds()
    expect(newest.revision).toBe(401)
    expect(oldest.revision).toBeGreaterThan(150)
    expect(oldest.revision).toBeLessThan(350)
    expect(statSync(file('history.db')).size).toBeLessThan(3 * MIB)
    for (const revision of [oldest.revision, oldest.revision + 1, 380, 401]) {
      const { kvs } = await historyOf(store).range({ ...ALL, revision })
      expect(kvs.map(({ modRevision }) => modRevision).toSorted((x, y) => x - y)).toEqual(
        [revision, ...Array.from({ length: 10 }, (_, i) => revision - i)].toSorted((x, y) => x - y),
      )
      expect(kvs[0]?.value.byteLength).toBe(10_000 + 1 + String(revision - 2).length)
    }
    expect(await compactedAt(store, oldest.revision - 1)).toBe(oldest.revision)
    const changes = await historyOf(store).changes({ ...ALL, from: oldest.revision, to: 401, limit: 1000 })
    expect(changes.map(({ revision }) => revision)).toEqual(
      Array.from({ length: 401 - oldest.revision }, (_, i) => oldest.revision + 1 + i),
    )
    await failure(historyOf(store).changes({ ...ALL, from: oldest.revision - 1, to: 401, limit: 1 }), 'compacted')
  })

  it('leaves the store’s own database only with what can be asked for without it', async () => {
    const store = await open()
    await fill(store)
    const rows = () => {
      using held = new DisposableStack()
      const db = held.adopt(new DatabaseSync(file('store.db'), { readOnly: true, timeout: 10_000 }), (connection) => connection.close())
      return db
        .prepare('SELECT seq FROM change ORDER BY seq')
        .all()
        .map(({ seq }) => seq)
    }
    await vi.waitFor(() => expect(rows()).toEqual([3, 4]), 20_000)
    expect(await stateAt(store, 3)).toBe('a=3 2/3/2')
    expect(await store.maintenance.check()).toEqual([])
  })

  it('is begun anew, and the store is none the worse, when its file is damaged or another’s', async () => {
    const first = await open()
    await fill(first)
    expect(await stateAt(first, 2)).toBe('a=2 2/2/1')
    await close(first)
    for (const bytes of [Buffer.from('no database, but long enough to be looked at. '.repeat(1000)), Buffer.alloc(0)]) {
      for (const end of ['', '-wal', '-shm']) rmSync(file(`history.db${end}`), { force: true })
      writeFileSync(file('history.db'), bytes)
      const store = await open()
      expect(await compactedAt(store, 4)).toBe(5)
      expect(await stateAt(store, 5)).toBe('a=5 2/5/3, b=4 4/4/1')
      await close(store)
    }
  })

  it('names what is damaged in it, and answers with nothing that is', async () => {
    const first = await open()
    await fill(first)
    expect(await stateAt(first, 3)).toBe('a=3 2/3/2')
    await close(first)
    const db = new DatabaseSync(file('history.db'))
    db.exec(`UPDATE past SET value = CAST(x'00000000' || value AS BLOB) WHERE seq = 2`)
    db.close()
    const store = await open()
    expect(await stateAt(store, 2)).toBe('a=2 2/2/1')
    await failure(historyOf(store).range({ ...ALL, revision: 3 }), 'corrupt')
    expect(await store.maintenance.check()).toEqual(['the history: change 2 has a wrong checksum'])
    expect(await write(store, 'c', '6')).toBe(6)
  })

  it('is not taken for that of another store, or of an older state of the same', async () => {
    const first = await open()
    await fill(first)
    await close(first)
    copyFileSync(file('store.db'), file('older'))
    const second = await open()
    for (let i = 0; i < 3; i++) await write(second, 'a', 'more')
    await second.compact(8)
    expect(await stateAt(second, 3)).toBe('a=3 2/3/2')
    await close(second)
    const kept = readFileSync(file('history.db'))

    copyFileSync(file('older'), file('store.db'))
    const restored = await open()
    expect(await compactedAt(restored, 3)).toBe(5)
    await close(restored)

    rmSync(file('store.db'))
    writeFileSync(file('history.db'), kept)
    const other = await open()
    for (let i = 0; i < 20; i++) await write(other, 'z', String(i))
    await other.compact(15)
    expect(await compactedAt(other, 1).catch(() => 'kept')).toBe('kept')
    expect(await stateAt(other, 3)).toBe('z=1 2/3/2')
  })

  it('is removed when none is wanted', async () => {
    const first = await open()
    await fill(first)
    expect(await stateAt(first, 3)).toBe('a=3 2/3/2')
    await close(first)
    expect(existsSync(file('history.db'))).toBe(true)
    const store = await open({ historyBytes: 0 })
    expect(store.history).toBeNull()
    expect(existsSync(file('history.db'))).toBe(false)
  })

  it('knows the time of states that were made in a life too short for its thread', async () => {
    const first = await open()
    await clock.advance(1000)
    await write(first, 'a', '1')
    const madeAt = clock.now()
    await close(first)
    await clock.advance(60_000)
    const store = await open()
    await write(store, 'a', '2')
    expect(await historyOf(store).at(madeAt)).toEqual({ revision: 2, time: madeAt })
    expect((await historyOf(store).at(madeAt - 1)).revision).toBe(1)
  })

  it('is given up when it fails, which is said once, and begins anew with the next compaction', async () => {
    const store = await open()
    for (const value of ['2', '3', '4']) await write(store, 'a', value)
    rmSync(file('history.db'))
    mkdirSync(join(file('history.db'), 'in the way'), { recursive: true })
    await store.compact(3)
    await vi.waitFor(() => expect(log.filter((line) => line.includes('is lost'))).toHaveLength(1), 20_000)
    expect(await write(store, 'a', '5')).toBe(5)
    await vi.waitFor(() => expect(existsSync(file('history.db'))).toBe(false), 20_000)
    await failure(historyOf(store).bounds(), 'unavailable')
    await store.compact(4)
    expect(await compactedAt(store, 3)).toBe(4)
    await write(store, 'a', '6')
    await store.compact(6)
    expect(await stateAt(store, 5)).toBe('a=5 2/5/4')
    expect(log.filter((line) => line.includes('is lost'))).toHaveLength(1)
  })
})
