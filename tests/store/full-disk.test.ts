import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../electron/base/clock.ts'
import { silentLogger } from '../../electron/base/logger.ts'
import { createEmbeddedStore } from '../../electron/store/embedded/embedded-store.ts'
import type { Store, StoreError } from '../../electron/store/store.ts'

const ALL = { key: '\0', end: '\0' }

describe('an embedded store on a disk that fills up', () => {
  let disk: string
  let dir: string
  beforeEach(() => {
    disk = mkdtempSync(join(tmpdir(), 'store-disk-'))
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=6m', 'tmpfs', disk])
    dir = join(disk, 'state')
  })
  afterEach(() => {
    execFileSync('umount', [disk])
    rmSync(disk, { recursive: true })
  })

  const resize = (size: string) => execFileSync('mount', ['-o', `remount,size=${size}`, disk])
  const open = () => createEmbeddedStore({ dir, clock: systemClock, logger: silentLogger })

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
    expect(kept.size).toBeGreaterThan(50)
    expect(await contents(store)).toEqual(kept)
    expect(await store.status()).toMatchObject({ alarms: ['noSpace'], keys: kept.size, revision: Math.max(...kept.values()) })
    for (const { value, key } of (await store.range(ALL)).kvs) {
      expect(Buffer.compare(value, Buffer.alloc(20_000, Number(key.split('/')[1])))).toBe(0)
    }

    resize('20m')
    const { revision } = await store.txn({ success: [{ type: 'put', key: 'after', value: Buffer.alloc(20_000) }] })
    expect(revision).toBe(Math.max(...kept.values()) + 1)
    expect((await store.status()).alarms).toEqual([])
    kept.set('after', revision)
    await store[Symbol.asyncDispose]()

    await using again = await open()
    expect(await contents(again)).toEqual(kept)
  })

  it('can be closed while the disk is full, and has everything when it is opened again', async () => {
    const store = await open()
    const kept = await fill(store)
    await store[Symbol.asyncDispose]()
    const reopened = await open().catch((error: unknown) => error)
    if (reopened instanceof Error) {
      expect(reopened).toMatchObject({ code: 'DISK_FULL' })
      resize('20m')
    } else await (reopened as Store)[Symbol.asyncDispose]()
    await using again = await open()
    expect(await contents(again)).toEqual(kept)
    await again.txn({ success: [{ type: 'delete', ...ALL }] })
  })

  it('says at once that it cannot begin on a full disk', async () => {
    mkdirSync(dir)
    try {
      writeFileSync(join(disk, 'ballast'), Buffer.alloc(7_000_000))
    } catch (error) {
      expect(error).toMatchObject({ code: 'ENOSPC' })
    }
    await expect(open()).rejects.toMatchObject({ code: 'DISK_FULL' })
    rmSync(join(disk, 'ballast'))
    await (await open())[Symbol.asyncDispose]()
  })
})
