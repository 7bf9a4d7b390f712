import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { FakeClock } from '../../base/fake-clock.ts'
import { jsonLogger } from '../../base/logger.ts'
import type { Store } from '../store.ts'
import { failure, put, remove, write } from '../testing/subject.ts'
import { createEmbeddedStore } from './embedded-store.ts'

const MIB = 1024 * 1024

describe('an embedded store with a quota of 2 MiB', () => {
  let dir: string
  let log: string[]
  let store: Store
  beforeEach(async () => {
    dir = mkdtempSync(join(tmpdir(), 'store-'))
    log = []
    store = await open()
  })
  afterEach(async () => {
    await store[Symbol.asyncDispose]()
    rmSync(dir, { recursive: true })
  })

  const clock = new FakeClock()
  const open = () =>
    createEmbeddedStore({
      dir,
      clock,
      logger: jsonLogger({ clock, sink: (line) => log.push(line) }),
      reserveBytes: 4096,
      quotaBytes: 2 * MIB,
    })
  const fill = async () => {
    for (let i = 0; ; i++) {
      const error = await write(store, `k${i}`, 'x'.repeat(20_000)).then(
        () => null,
        (refused: unknown) => refused as Error,
      )
      if (error) return { keys: i, error }
    }
  }
  const told = (what: string) => log.filter((line) => line.includes(what)).length

  it('refuses what takes room, by the quota’s name, once more is in use, and says so once', async () => {
    expect(await store.status()).toMatchObject({ quota: 2 * MIB, alarms: [] })
    const { keys, error } = await fill()
    expect(error).toMatchObject({ name: 'StoreError', code: 'noSpace' })
    expect(error.message).toMatch(/quota of 2\.0 MiB.*Delete/)
    expect(keys).toBeGreaterThan(80)
    expect(keys).toBeLessThan(120)
    expect(await store.status()).toMatchObject({ alarms: ['quota'], keys })
    await failure(store.lease.grant(10), 'noSpace')
    await failure(store.txn({ success: [put('a', '1'), { type: 'delete', key: 'k1' }] }), 'noSpace')
    expect((await store.range({ key: 'k0' })).count).toBe(1)
    expect(told('larger than its quota')).toBe(1)
  })

  it('has the alarm again after a restart', async () => {
    await fill()
    await store[Symbol.asyncDispose]()
    store = await open()
    expect((await store.status()).alarms).toEqual(['quota'])
    await failure(write(store, 'a', '1'), 'noSpace')
  })

  it('accepts deletions and compactions, and everything again when they have made room', async () => {
    const { keys } = await fill()
    for (let i = 0; i < keys; i += 2) await remove(store, `k${i}`)
    expect((await store.status()).alarms).toEqual(['quota'])
    await store.compact((await store.status()).revision)
    await vi.waitFor(async () => expect((await store.status()).alarms).toEqual([]), 10_000)
    expect(told('below its quota again')).toBe(1)
    await write(store, 'a', '1')
    expect((await store.status()).dbSizeInUse).toBeLessThan(2 * MIB)
  })
})
