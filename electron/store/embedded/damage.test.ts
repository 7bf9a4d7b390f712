import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { FlotillaError } from '../../base/errors.ts'
import { FakeClock } from '../../base/fake-clock.ts'
import { jsonLogger } from '../../base/logger.ts'
import type { Store } from '../store.ts'
import { brief, failure, put, reader, remove, write } from '../testing/subject.ts'
import { createEmbeddedStore, type EmbeddedStoreOptions } from './embedded-store.ts'

const ALL = { key: '\0', end: '\0' }

describe('an embedded store whose files are not as it left them', () => {
  let root: string
  let dir: string
  let log: string[]
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'store-'))
    dir = join(root, 'state')
    mkdirSync(dir)
    log = []
  })
  afterEach(() => rmSync(root, { recursive: true }))

  const clock = new FakeClock()
  const open = (at = dir, options: Partial<EmbeddedStoreOptions> = {}) =>
    createEmbeddedStore({
      dir: at,
      clock,
      logger: jsonLogger({ clock, sink: (line) => log.push(line) }),
      reserveBytes: 4096,
      historyBytes: 0,
      ...options,
    })
  const edit = (...statements: string[]) => {
    const db = new DatabaseSync(join(dir, 'store.db'), { timeout: 10_000 })
    for (const statement of statements) db.exec(statement)
    db.close()
  }
  /** The files as a crash would leave them now, in a folder of their own. */
  const crash = (name = 'copy') => {
    const copy = join(root, name)
    mkdirSync(copy)
    for (const file of ['store.db', 'store.db-wal']) copyFileSync(join(dir, file), join(copy, file))
    return copy
  }
  const refusal = async (at = dir): Promise<FlotillaError> => {
    const error = await open(at).then(
      (store) => store[Symbol.asyncDispose]().then(() => null),
      (thrown: unknown) => thrown,
    )
    if (!(error instanceof FlotillaError)) throw new Error(`expected a FlotillaError, got ${String(error)}`)
    expect(error.code).toBe('STATE_UNREADABLE')
    return error
  }
  /** 10 changes of 4 keys, compacted at revision 6, closed. */
  const fill = async () => {
    const store = await open()
    await store.lease.grant(1000, 7n)
    for (let i = 0; i < 8; i++) await write(store, `k${i % 4}`, `value ${i}`)
    await store.compact(6)
    await remove(store, 'k1')
    await write(store, 'k2', 'last', { lease: 7n })
    await store[Symbol.asyncDispose]()
  }
  const text = async (store: Store) => (await store.range(ALL)).kvs.map((kv) => brief(kv, 0))

  it('is refused by name when a newer version wrote it', async () => {
    await fill()
    edit('PRAGMA user_version = 3')
    expect((await refusal()).why).toContain('newer version')
    edit('PRAGMA user_version = 2')
    await (await open())[Symbol.asyncDispose]()
  })

  it('is refused when it is a database of another program, or none at all', async () => {
    edit('CREATE TABLE other (x)')
    expect((await refusal()).why).toContain('another program')
    writeFileSync(join(dir, 'store.db'), 'not a database at all, but long enough to be looked at as if it were one: '.repeat(200))
    await refusal()
  })

  it.each([
    ['a change is damaged', `UPDATE change SET bytes = CAST(replace(bytes, x'6b32', x'6b33') AS BLOB) WHERE seq = 10`, 'change 10'],
    ['a change stands under another number', 'UPDATE change SET seq = 99 WHERE seq = 10', 'change 99'],
    ['a change is missing in the middle', 'DELETE FROM change WHERE seq = 8', 'change 8 is missing'],
    ['the first change after the compaction is missing', 'DELETE FROM change WHERE seq = 5', 'revision 6 are missing'],
    ['a key that existed at the compaction is missing', 'DELETE FROM change WHERE seq = 4', 'does not follow'],
    ['a lease is damaged', `UPDATE lease SET bytes = x'000000000000000000000000'`, 'lease 7'],
    ['a fact is damaged', `UPDATE fact SET bytes = x'00' WHERE name = 'compactRevision'`, 'compactRevision'],
    ['everything after the compaction is missing', 'DELETE FROM change WHERE seq > 4', 'compacted at 6'],
    ['a table is missing', 'DROP TABLE value', 'value'],
  ])('is refused when %s', async (_what, statement, why) => {
    await fill()
    edit(statement)
    expect((await refusal()).why).toContain(why)
  })

  it('is refused when a key that nobody changed since the compaction is missing', async () => {
    const store = await open()
    for (const key of ['a', 'b', 'c']) await write(store, key, '1')
    await store.compact(4)
    await write(store, 'c', '2')
    await store[Symbol.asyncDispose]()
    edit('DELETE FROM change WHERE seq = 1')
    expect((await refusal()).why).toContain('2 keys')
  })

  it('is refused when its file is gone but its log is there', async () => {
    const store = await open()
    await write(store, 'a', '1')
    const copy = crash()
    await store[Symbol.asyncDispose]()
    truncateSync(join(copy, 'store.db'))
    expect((await refusal(copy)).why).toContain('log is there')
    rmSync(join(copy, 'store.db'))
    expect((await refusal(copy)).why).toContain('log is there')
  })

  it('finds a damaged or missing value when it is read, says which, and accepts no write on top of it', async () => {
    await fill()
    edit(`UPDATE value SET bytes = CAST(x'00000000' || bytes AS BLOB) WHERE seq = 10`, 'DELETE FROM value WHERE seq = 8')
    const store = await open()
    expect((await failure(store.range({ key: 'k2' }), 'corrupt')).message).toContain('"k2" at revision 11')
    expect((await failure(store.range({ key: 'k3' }), 'corrupt')).message).toContain('missing')
    expect((await store.range({ key: 'k0' })).count).toBe(1)
    expect((await store.range({ ...ALL, keysOnly: true })).count).toBe(3)
    await failure(write(store, 'new', '1'), 'corrupt')
    expect(await store.status()).toMatchObject({ alarms: ['corrupt'], revision: 11 })
    const watcher = reader(store.watch({ ...ALL, startRevision: 9 }))
    await failure(watcher.next(), 'corrupt')
    await store[Symbol.asyncDispose]()
  })

  it('finds all that is damaged when it is told to look, and serves on', async () => {
    await fill()
    const store = await open()
    expect(await store.maintenance.check()).toEqual([])
    edit(
      `UPDATE value SET bytes = CAST(x'00000000' || bytes AS BLOB) WHERE seq = 10`,
      'DELETE FROM value WHERE seq = 8',
      `INSERT INTO value VALUES (1000, x'00')`,
      `UPDATE lease SET bytes = x'000000000000000000000000'`,
    )
    const found = await store.maintenance.check()
    expect(found).toHaveLength(4)
    expect(found[0]).toContain('"k3" at revision 9 is missing')
    expect(found[1]).toContain('"k2" at revision 11 has a wrong checksum')
    expect(found[2]).toContain('1 values belong to no change')
    expect(found[3]).toContain('lease 7')
    edit(`UPDATE change SET bytes = CAST(replace(bytes, x'6b32', x'6b33') AS BLOB) WHERE seq = 10`)
    expect((await store.maintenance.check()).join()).toContain('change 10 has a wrong checksum')
    expect(await write(store, 'k0', 'on')).toBe(12)
    await store[Symbol.asyncDispose]()
  })

  it('gives no image of what is damaged', async () => {
    await fill()
    const store = await open()
    edit(`UPDATE value SET bytes = CAST(x'00000000' || bytes AS BLOB) WHERE seq = 10`)
    await using snapshot = await store.maintenance.snapshot()
    const parts: Uint8Array[] = []
    const reading = (async () => {
      for await (const part of snapshot) parts.push(part)
    })()
    expect((await failure(reading, 'corrupt')).message).toContain('"k2" at revision 11')
    await store[Symbol.asyncDispose]()
  })

  it('keeps what it has readable, and refuses every write by name, when the database fails', async () => {
    const store = await open()
    await write(store, 'a', '1')
    edit('DROP TABLE lease')
    const error = await failure(store.lease.grant(10), 'unavailable')
    expect(error.message).toContain('no write is accepted')
    await failure(write(store, 'a', '2'), 'unavailable')
    expect(await text(store)).toEqual(['a=1 2/2/1'])
    expect(await store.status()).toMatchObject({ alarms: ['ioError'], revision: 2 })
    await store[Symbol.asyncDispose]()
  })

  it('fails what is under way, and refuses every later write, when the writing thread dies', async () => {
    const thread = `import { parentPort } from 'node:worker_threads'
      parentPort.postMessage({ type: 'ready' })
      parentPort.on('message', () => process.exit(3))`
    const store = await open(dir, { workerUrl: new URL(`data:text/javascript,${encodeURIComponent(thread)}`) })
    const error = await failure(write(store, 'a', '1'), 'unavailable')
    expect(error.message).toContain('thread')
    await failure(write(store, 'a', '1'), 'unavailable')
    expect(await store.range(ALL)).toMatchObject({ revision: 1, count: 0 })
    expect((await store.status()).alarms).toEqual(['ioError'])
    await store[Symbol.asyncDispose]()
  })

  it('is not opened without its writing thread', async () => {
    const opening = open(dir, { workerUrl: new URL('data:text/javascript,throw new Error("no such thread")') })
    await expect(opening).rejects.toMatchObject({ code: 'INTERNAL', why: expect.stringContaining('no such thread') as string })
    await (await open())[Symbol.asyncDispose]()
  })

  it('drops a write that a crash cut short, wherever it was cut, and keeps each write before it whole', async () => {
    const store = await open()
    const sizes: number[] = []
    const walSize = () => readFileSync(join(dir, 'store.db-wal')).length
    for (let i = 0; i < 12; i++) {
      await store.txn({ success: [put('a', String(i)), put(`b${i}`, 'x'.repeat(5000))] })
      sizes.push(walSize())
    }
    for (let round = 1; round < 12; round++) {
      const copy = crash(String(round))
      const [before, after] = [sizes[round - 1] as number, sizes[round] as number]
      const wal = readFileSync(join(copy, 'store.db-wal')).subarray(0, after)
      if (round % 3 === 0) writeFileSync(join(copy, 'store.db-wal'), wal.subarray(0, before + ((after - before) * round) / 13))
      else if (round % 3 === 1) writeFileSync(join(copy, 'store.db-wal'), wal.subarray(0, after - 1))
      else writeFileSync(join(copy, 'store.db-wal'), wal.fill(0, before + 100, before + 200))
      log = []
      const reopened = await open(copy)
      expect(await reopened.status()).toMatchObject({ revision: 1 + round, keys: 1 + round })
      expect((await text(reopened))[0]).toBe(`a=${round - 1} 2/${round + 1}/${round}`)
      expect(log.join()).toContain('cut short')
      expect(await write(reopened, 'a', 'again')).toBe(2 + round)
      await reopened[Symbol.asyncDispose]()
    }
    await store[Symbol.asyncDispose]()
  })

  it('is refused when the log is damaged before its end, where each write had been safe', async () => {
    const store = await open()
    const sizes: number[] = []
    for (let i = 0; i < 5; i++) {
      await write(store, 'a', String(i))
      sizes.push(readFileSync(join(dir, 'store.db-wal')).length)
    }
    const copy = crash()
    await store[Symbol.asyncDispose]()
    const wal = readFileSync(join(copy, 'store.db-wal'))
    const at = (sizes[1] as number) + 500
    wal[at] = (wal[at] as number) ^ 1
    writeFileSync(join(copy, 'store.db-wal'), wal)
    const error = await refusal(copy)
    expect(error.why).toContain('write-ahead log is broken')
    expect(error.next).toContain('backup')
  })

  it('is used again after a log of an earlier run was written over', async () => {
    const store = await open()
    for (let i = 0; i < 40; i++) await write(store, `a${i}`, 'x'.repeat(1_000_000))
    await write(store, 'b', 'last')
    const copy = crash()
    await store[Symbol.asyncDispose]()
    const reopened = await open(copy)
    expect(await reopened.status()).toMatchObject({ revision: 42, keys: 41 })
    await reopened[Symbol.asyncDispose]()
    expect(log).toEqual([])
  })

  it('lets nobody else read it', async () => {
    await fill()
    expect(statSync(join(dir, 'store.db')).mode & 0o777).toBe(0o600)
  })

  it('opens once: the second is told who has it, and may when the first is closed', async () => {
    const store = await open()
    const second = await open().catch((error: unknown) => error)
    expect(second).toMatchObject({ code: 'STATE_LOCKED' })
    expect((second as FlotillaError).why).toContain(`process ${process.pid}`)
    await write(store, 'a', '1')
    await store[Symbol.asyncDispose]()
    const third = await open()
    expect((await third.status()).revision).toBe(2)
    await third[Symbol.asyncDispose]()
  })

  it('goes on clearing away compacted history that was left on disk', async () => {
    await fill()
    const rows = () => {
      const db = new DatabaseSync(join(dir, 'store.db'))
      const seqs = db
        .prepare('SELECT seq FROM change ORDER BY seq')
        .all()
        .map(({ seq }) => seq)
      db.close()
      return seqs
    }
    const before = rows()
    const store = await open()
    await store.compact(10)
    await store[Symbol.asyncDispose]()
    const again = await open()
    await write(again, 'x', '1')
    await again[Symbol.asyncDispose]()
    expect(before).toContain(2)
    expect(rows()).toEqual([5, 7, 8, 9, 10, 11])
  })

  it('does not keep values in memory beyond its cache', async () => {
    const store = await open(dir, { cacheBytes: 10_000 })
    for (let i = 0; i < 50; i++) await write(store, `k${i}`, 'x'.repeat(1000))
    await store[Symbol.asyncDispose]()
    const again = await open(dir, { cacheBytes: 10_000 })
    for (let round = 0; round < 2; round++) {
      const { kvs } = await again.range(ALL)
      expect(kvs.every(({ value }) => value.byteLength === 1000)).toBe(true)
    }
    await again[Symbol.asyncDispose]()
  })
})
