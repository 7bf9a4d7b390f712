import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { FakeClock } from '../../base/fake-clock.ts'
import { silentLogger } from '../../base/logger.ts'
import { createEmbeddedStore } from '../embedded/embedded-store.ts'
import { ALL, brief, write } from '../testing/subject.ts'
import { listedImage } from './listed-image.ts'
import { readSnapshot, type SnapshotFile } from './read-snapshot.ts'
import { restoreSnapshot } from './restore-snapshot.ts'
import { writeSnapshot } from './write-snapshot.ts'
import type { StoreImage } from './image.ts'

describe('restoreSnapshot', () => {
  const deps = { clock: new FakeClock(), logger: silentLogger }
  let root: string
  let dir: string
  let opened: AsyncDisposableStack
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'snapshot-'))
    dir = join(root, 'state/store')
    opened = new AsyncDisposableStack()
  })
  afterEach(async () => {
    await opened.disposeAsync()
    rmSync(root, { recursive: true })
  })
  const open = async () => opened.use(await createEmbeddedStore({ ...deps, dir, reserveBytes: 4096 }))
  const fileOf = async (image: StoreImage): Promise<SnapshotFile> => {
    const path = join(root, 'snapshot')
    writeFileSync(path, Buffer.concat(await Array.fromAsync(await writeSnapshot(image))))
    return opened.use(await readSnapshot(path))
  }
  const image = () => {
    const steps = [{ key: 'a', value: '1' }, { key: 'b', value: '2', lease: 7n }, { key: 'a', value: '3' }, { key: 'b' }]
    return listedImage(steps, { leases: [{ id: 7n, ttl: 60 }], compactRevision: 3 })
  }

  it('makes a store with the same keys, history and leases, which goes on where it was', async () => {
    await restoreSnapshot({ ...deps, file: await fileOf(image()), dir })
    expect(readdirSync(dir).filter((name) => name.startsWith('store.db'))).toEqual(['store.db'])
    const store = await open()
    expect(await store.status()).toMatchObject({ revision: 5, compactRevision: 3, keys: 1, alarms: [] })
    expect((await store.range({ ...ALL, revision: 4 })).kvs.map((kv) => brief(kv, 0))).toEqual(['a=3 2/4/2', 'b=2 3/3/1 @7'])
    await expect(store.range({ ...ALL, revision: 2 })).rejects.toMatchObject({ code: 'compacted' })
    expect(await store.lease.timeToLive(7n)).toMatchObject({ grantedTtl: 60, ttl: 60 })
    expect(await store.maintenance.check()).toEqual([])
    expect(await write(store, 'a', '4')).toBe(6)
  })

  it('begins at a later revision if it is told to, with what existed and nothing before it', async () => {
    await restoreSnapshot({ ...deps, file: await fileOf(image()), dir, bumpRevision: 1000 })
    const store = await open()
    expect(await store.status()).toMatchObject({ revision: 1005, compactRevision: 1005, keys: 1 })
    expect((await store.range(ALL)).kvs.map((kv) => brief(kv, 0))).toEqual(['a=3 2/4/2'])
    await expect(store.range({ ...ALL, revision: 5 })).rejects.toMatchObject({ code: 'compacted' })
    expect(await write(store, 'a', '4')).toBe(1006)
    await store[Symbol.asyncDispose]()
    expect((await (await open()).range(ALL)).kvs.map((kv) => brief(kv, 0))).toEqual(['a=4 2/1006/3'])
  })

  it('refuses a folder that has a store, and leaves it alone', async () => {
    const store = await open()
    await write(store, 'mine', '1')
    const file = await fileOf(image())
    await expect(restoreSnapshot({ ...deps, file, dir })).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      why: expect.stringContaining(dir) as string,
    })
    await store[Symbol.asyncDispose]()
    await expect(restoreSnapshot({ ...deps, file, dir })).rejects.toMatchObject({ code: 'INVALID_INPUT' })
    expect((await (await open()).range(ALL)).kvs.map(({ key }) => key)).toEqual(['mine'])
  })

  it('leaves nothing behind when the changes do not follow from each other', async () => {
    const whole = listedImage([
      { key: 'a', value: '1' },
      { key: 'b', value: '1' },
      { key: 'b', value: '2' },
      { key: 'c', value: '1' },
    ])
    const without = (revision: number): StoreImage => ({
      ...whole,
      changes: async function* () {
        for await (const batch of whole.changes()) yield batch.filter((change) => change.revision !== revision)
      },
      entries: async function* () {
        for await (const batch of whole.entries()) yield batch.filter((change) => change.revision !== revision)
      },
    })
    const error = expect.objectContaining({
      code: 'STATE_UNREADABLE',
      why: expect.stringContaining('revision 3 are missing') as string,
    }) as unknown
    await expect(restoreSnapshot({ ...deps, file: await fileOf(without(3)), dir })).rejects.toEqual(error)
    expect(existsSync(join(root, 'state'))).toBe(false)
    mkdirSync(dir, { recursive: true })
    await expect(restoreSnapshot({ ...deps, file: await fileOf(without(3)), dir })).rejects.toEqual(error)
    expect(readdirSync(dir)).toEqual(['lock'])
  })

  it('clears away what an earlier try left that was killed', async () => {
    mkdirSync(dir, { recursive: true })
    for (const end of ['', '-wal', '-shm']) writeFileSync(join(dir, `store.db.restoring${end}`), 'the rest of something')
    await restoreSnapshot({ ...deps, file: await fileOf(image()), dir })
    expect(readdirSync(dir).sort()).toEqual(['lock', 'store.db'])
    expect((await (await open()).status()).revision).toBe(5)
  })
})
