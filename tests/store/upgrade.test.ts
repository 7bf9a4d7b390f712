import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { gunzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { FakeClock } from '../../electron/base/fake-clock.ts'
import { silentLogger } from '../../electron/base/logger.ts'
import { createEmbeddedStore } from '../../electron/store/embedded/embedded-store.ts'
import { readRecord } from '../../electron/store/embedded/record.ts'
import type { Store } from '../../electron/store/store.ts'
import { ALL, brief, briefBatch, reader, write } from '../../electron/store/testing/subject.ts'

/**
 * Written by the program of storage version 1: put a, b, c (revision 2), put a, d (3), delete b (4), put a, delete c and d, put e (5),
 * put f (6); compacted at 3, of which the old a was cleared away already; lease 7.
 */
const VERSION_1 = gunzipSync(readFileSync(join(import.meta.dirname, 'data/version-1.db.gz')))

describe('a store of storage version 1', () => {
  let dir: string
  let path: string
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'store-upgrade-'))
    path = join(dir, 'store.db')
    writeFileSync(path, VERSION_1)
  })
  afterEach(() => rmSync(dir, { recursive: true }))

  const clock = new FakeClock()
  const open = () => createEmbeddedStore({ dir, clock, logger: silentLogger, reserveBytes: 4096 })
  const at = async (store: Store, revision: number) => (await store.range({ ...ALL, revision })).kvs.map((kv) => brief(kv, 0).slice(0, 16))
  const versionOnDisk = () => {
    using held = new DisposableStack()
    const db = held.adopt(new DatabaseSync(path), (opened) => opened.close())
    return db.prepare('PRAGMA user_version').get()?.['user_version']
  }

  it('has the same history when it is opened, and is one of today’s version from then on', async () => {
    expect(versionOnDisk()).toBe(1)
    for (let round = 0; round < 2; round++) {
      await using store = await open()
      expect(await store.status()).toMatchObject({ version: '2', revision: 6 + round, compactRevision: 3 })
      expect(await at(store, 3)).toEqual(['a=2 2/3/2', 'b=1 2/2/1 @7', 'c=1 2/2/1', 'd=xxxxxxxxxxxxxx'])
      expect(await at(store, 6)).toEqual(['a=5 2/5/3', 'e=5 5/5/1', 'f=6 6/6/1 @7'])
      await using watcher = store.watch({ ...ALL, startRevision: 4 })
      const batches = (await reader(watcher).upToMark()).map((batch) => briefBatch(batch, 0))
      expect(batches.slice(0, 2)).toEqual(['4: delete b 4', '5: put a=5 2/5/3, delete c 5, delete d 5, put e=5 5/5/1'])
      expect(await store.lease.timeToLive(7n, { keys: true })).toMatchObject({ grantedTtl: 1000, keys: ['f'] })
      expect(await store.maintenance.check()).toEqual([])
      await write(store, 'g', String(round))
    }
    expect(versionOnDisk()).toBe(2)
  })

  it('knows the place of each change in its revision', async () => {
    await (await open())[Symbol.asyncDispose]()
    using held = new DisposableStack()
    const db = held.adopt(new DatabaseSync(path), (opened) => opened.close())
    const records = db
      .prepare('SELECT seq, bytes FROM change ORDER BY seq')
      .all()
      .map(({ seq, bytes }) => readRecord(bytes as Uint8Array, Number(seq)))
    expect(records.filter((record) => record !== null && record.revision > 3).map((record) => [record?.revision, record?.sub])).toEqual([
      [4, 0],
      [5, 0],
      [5, 1],
      [5, 2],
      [5, 3],
      [6, 0],
    ])
  })

  it('is left as it is when it is damaged', async () => {
    const db = new DatabaseSync(path)
    db.exec(`UPDATE change SET bytes = CAST(replace(bytes, x'66', x'67') AS BLOB) WHERE seq = (SELECT max(seq) FROM change)`)
    db.close()
    const before = readFileSync(path)
    await expect(open()).rejects.toMatchObject({ code: 'STATE_UNREADABLE', why: expect.stringContaining('wrong checksum') as string })
    expect(versionOnDisk()).toBe(1)
    expect(readFileSync(path).equals(before)).toBe(true)
  })
})
