import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, statfsSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { FakeClock } from '../../electron/base/fake-clock.ts'
import { silentLogger } from '../../electron/base/logger.ts'
import { createEmbeddedStore } from '../../electron/store/embedded/embedded-store.ts'
import type { Store, StoreError, StoreHistory } from '../../electron/store/store.ts'

const MIB = 1024 * 1024
const ALL = { key: '\0', end: '\0' }

describe('an embedded store on a disk that fills up', () => {
  let disk: string
  let dir: string
  beforeEach(() => {
    disk = mkdtempSync(join(tmpdir(), 'store-disk-'))
    execFileSync('/usr/bin/mount', ['-t', 'tmpfs', '-o', 'size=64m', 'tmpfs', disk])
    dir = join(disk, 'state')
  })
  afterEach(() => {
    execFileSync('/usr/bin/umount', [disk])
    rmSync(disk, { recursive: true })
  })

  const takeAllRoom = () => {
    expect(() => writeFileSync(join(disk, 'ballast'), Buffer.alloc(100 * MIB))).toThrow('ENOSPC')
  }
  const leaveFree = (bytes: number) => {
    const { bavail, bsize } = statfsSync(disk)
    writeFileSync(join(disk, 'ballast'), Buffer.alloc(bavail * bsize - bytes))
  }
  const resize = (size: string) => execFileSync('/usr/bin/mount', ['-o', `remount,size=${size}`, disk])
  const clock = new FakeClock()
  const open = () => createEmbeddedStore({ dir, clock, logger: silentLogger, reserveBytes: 16 * MIB })

  /** Many write at once until a write fails; returns what was acknowledged, by key. */
  async function fill(store: Store): Promise<Map<string, number>> {
    const kept = new Map<string, number>()
    let full = false
    const one = async (writer: number) => {
      for (let i = 0; !full; i++) {
        const key = `w${writer}/${i}`
        try {
          const { revision } = await store.txn({ success: [{ type: 'put', key, value: Buffer.alloc(20_000, i) }] })
          kept.set(key, revision)
        } catch (error) {
          full = true
          expect(error).toMatchObject({ name: 'StoreError', code: 'noSpace' })
          expect((error as StoreError).message).toContain('Make room')
        }
      }
    }
    await Promise.all(Array.from({ length: 10 }, (_, i) => one(i)))
    return kept
  }

  const contents = async (store: Store) =>
    new Map((await store.range({ ...ALL, keysOnly: true })).kvs.map(({ key, modRevision }) => [key, modRevision]))

  it('fails by name what does not fit, keeps exactly what it acknowledged, and goes on when there is room', async () => {
    const store = await open()
    const kept = await fill(store)
    expect(kept.size).toBeGreaterThan(1000)
    expect(await contents(store)).toEqual(kept)
    expect(await store.status()).toMatchObject({ alarms: ['noSpace'], keys: kept.size, revision: Math.max(...kept.values()) })
    for (const { value, key } of (await store.range(ALL)).kvs) {
      expect(Buffer.compare(value, Buffer.alloc(20_000, Number(key.split('/')[1])))).toBe(0)
    }

    resize('120m')
    await clock.advance(5000)
    await vi.waitFor(async () => expect((await store.status()).alarms).toEqual([]))
    const { revision } = await store.txn({ success: [{ type: 'put', key: 'after', value: Buffer.alloc(20_000) }] })
    expect(revision).toBe(Math.max(...kept.values()) + 1)
    kept.set('after', revision)
    await store[Symbol.asyncDispose]()

    await using again = await open()
    expect(await contents(again)).toEqual(kept)
  })

  it('can be closed while the disk is full, and has everything when it is opened again', async () => {
    const store = await open()
    const kept = await fill(store)
    await store[Symbol.asyncDispose]()
    await using again = await open()
    expect(await contents(again)).toEqual(kept)
    await vi.waitFor(async () => expect((await again.status()).alarms).toEqual(['noSpace']))
    await expect(again.txn({ success: [{ type: 'put', key: 'a', value: Buffer.alloc(1) }] })).rejects.toMatchObject({ code: 'noSpace' })
    await expect(again.lease.grant(10)).rejects.toMatchObject({ code: 'noSpace' })
  })

  it('accepts deletions while the disk is full, and goes on by itself when they and a compaction have made room', async () => {
    const store = await open()
    const kept = await fill(store)
    const spared = [...kept.keys()].filter((key) => key.startsWith('w0/') || key.startsWith('w1/'))
    const doomed = new Set(kept.keys()).difference(new Set(spared))
    for (const key of doomed) await store.txn({ success: [{ type: 'delete', key }] })
    await expect(store.txn({ success: [{ type: 'put', key: 'a', value: Buffer.alloc(1) }] })).rejects.toMatchObject({ code: 'noSpace' })
    await store.compact((await store.status()).revision)
    await vi.waitFor(async () => expect((await store.status()).alarms).toEqual([]), { timeout: 20_000 })
    const { dbSize, keys } = await store.status()
    expect([keys, dbSize < 24 * MIB]).toEqual([spared.length, true])
    const again = await fill(store)
    expect(again.size).toBeGreaterThan(500)
    await store[Symbol.asyncDispose]()
    await using reopened = await open()
    expect((await reopened.status()).keys).toBe(new Set([...spared, ...again.keys()]).size)
  })

  it('gives up its history first: no write fails while that makes room', async () => {
    const store = await open()
    const value = Buffer.alloc(20_000, 1)
    for (let i = 0; i < 600; i++) await store.txn({ success: [{ type: 'put', key: 'a', value }] })
    await store.compact(601)
    const history = store.history as StoreHistory
    expect((await history.range({ key: 'a', revision: 2 })).count).toBe(1)
    expect(statSync(join(dir, 'history.db')).size).toBeGreaterThan(10 * MIB)
    leaveFree(2 * MIB)
    let keys = 1
    const add = () => store.txn({ success: [{ type: 'put', key: `b${keys++}`, value }] })
    while (existsSync(join(dir, 'history.db'))) await add()
    for (let i = 0; i < 50; i++) await add()
    expect(await store.status()).toMatchObject({ keys, alarms: [] })
    await expect(history.range({ key: 'a', revision: 2 })).rejects.toMatchObject({ code: 'unavailable' })
    await store[Symbol.asyncDispose]()
    await using again = await open()
    expect((await again.status()).keys).toBe(keys)
  })

  it('says that there is no room to write the database anew, and leaves it as it was', async () => {
    const store = await open()
    for (let i = 0; i < 100; i++) await store.txn({ success: [{ type: 'put', key: `k${i}`, value: Buffer.alloc(20_000, i) }] })
    leaveFree(MIB)
    const error: unknown = await store.maintenance.defragment().catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ name: 'StoreError', code: 'noSpace' })
    expect((error as StoreError).message).toMatch(/takes \d+ MiB in .*, where \d+ MiB are free/)
    expect((await store.status()).keys).toBe(100)
    await store.txn({ success: [{ type: 'delete', key: 'k1' }] })
    await store[Symbol.asyncDispose]()
  })

  it('opens on a disk that others have filled, and lets keys be deleted', async () => {
    const first = await open()
    await first.txn({ success: [{ type: 'put', key: 'a', value: Buffer.alloc(20_000) }] })
    await first[Symbol.asyncDispose]()
    takeAllRoom()
    await using store = await open()
    await expect(store.txn({ success: [{ type: 'put', key: 'b', value: Buffer.alloc(1) }] })).rejects.toMatchObject({ code: 'noSpace' })
    await store.txn({ success: [{ type: 'delete', key: 'a' }] })
    expect(await store.status()).toMatchObject({ keys: 0, alarms: ['noSpace'] })
    rmSync(join(disk, 'ballast'))
    await clock.advance(5000)
    await vi.waitFor(async () => expect((await store.status()).alarms).toEqual([]))
  })

  it('says at once that it cannot begin on a full disk', async () => {
    mkdirSync(dir)
    takeAllRoom()
    await expect(open()).rejects.toMatchObject({ code: 'DISK_FULL' })
    rmSync(join(disk, 'ballast'))
    await (await open())[Symbol.asyncDispose]()
  })
})
