import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { sleep, systemClock } from '../../../electron/base/clock.ts'
import { silentLogger } from '../../../electron/base/logger.ts'
import { createRemoteStore } from '../../../electron/store/remote/remote-store.ts'
import { type Store, StoreError, type WatchBatch } from '../../../electron/store/store.ts'
import { ALL, failure, put, reader, text, write } from '../../../electron/store/testing/subject.ts'
import { type EtcdMember, startThree } from './member.ts'

const WRITERS = 4

/** Each member may break off in the middle once. */
async function insist<T>(work: () => Promise<T>): Promise<T> {
  for (let member = 1; member <= 3; member++) {
    try {
      return await work()
    } catch (error) {
      expect(error).toMatchObject({ name: 'StoreError', code: 'unavailable' })
    }
  }
  return await work()
}

describe('a store on three members of etcd', () => {
  let dir: string
  let members: EtcdMember[]
  let store: Store
  beforeEach(async () => {
    dir = mkdtempSync(join(tmpdir(), 'etcd-cluster-'))
    members = await startThree(dir)
    store = await createRemoteStore({ endpoints: members.map(({ url }) => url), clock: systemClock, logger: silentLogger })
  })
  afterEach(async () => {
    await store[Symbol.asyncDispose]()
    await Promise.all(members.map((member) => member.kill()))
    rmSync(dir, { recursive: true, force: true })
  })

  /** Writes until it is told to stop; what was acknowledged, as key and revision. */
  async function writeOn(name: number, until: AbortSignal, acknowledged: Map<string, number>): Promise<void> {
    for (let i = 0; !until.aborted; i++) {
      const key = `w${name}/${i}`
      try {
        acknowledged.set(key, await write(store, key, String(i)))
      } catch (error) {
        if (!(error instanceof StoreError) || error.code !== 'unavailable') throw error
      }
    }
  }

  async function follow(from: number, seen: WatchBatch[]): Promise<void> {
    for await (const batch of store.watch({ ...ALL, startRevision: from })) seen.push(batch)
  }

  it('loses no acknowledged write and no event while each member is killed in turn, and keeps its leases', async () => {
    const base = (await store.status()).revision
    const acknowledged = new Map<string, number>()
    const seen: WatchBatch[] = []
    const following = follow(base + 1, seen).catch((error: unknown) => error)
    await store.lease.grant(120, 7n)
    await store.txn({ success: [put('leased', '', { lease: 7n })] })
    const stop = new AbortController()
    const writers = Promise.all(Array.from({ length: WRITERS }, (_, i) => writeOn(i, stop.signal, acknowledged)))
    for (const member of members) {
      await sleep(systemClock, 1000)
      await member.kill()
      // One of three may always be missing; what it was leading when it died, etcd gives up after 7 seconds.
      const enough = acknowledged.size + 50
      await expect.poll(() => acknowledged.size, { timeout: 30_000 }).toBeGreaterThan(enough)
      expect(await store.lease.keepAlive(7n)).toEqual({ ttl: 120 })
      await member.start()
    }
    stop.abort()
    await writers

    const { kvs, revision } = await store.range(ALL)
    const stored = new Map(kvs.map(({ key, modRevision }) => [key, modRevision]))
    for (const [key, at] of acknowledged) expect([key, stored.get(key)]).toEqual([key, at])
    expect(await store.lease.timeToLive(7n, { keys: true })).toMatchObject({ keys: ['leased'] })

    await expect.poll(() => seen.at(-1)?.revision, { timeout: 30_000 }).toBe(revision)
    expect(seen.map((batch) => batch.revision)).toEqual(Array.from({ length: revision - base }, (_, i) => base + 1 + i))
    const told = new Map(seen.flatMap(({ events }) => events.map(({ kv }) => [kv.key, text(kv.value)])))
    expect(told).toEqual(new Map(kvs.map(({ key, value }) => [key, text(value)])))
    expect(await store.maintenance.check()).toEqual([])
    await store.maintenance.defragment()
    await store[Symbol.asyncDispose]()
    expect(await following).toMatchObject({ code: 'closed' })
  })

  it('leaves a member that no longer answers, though its connection stands', async () => {
    await using watcher = store.watch(ALL)
    const { next } = reader(watcher)
    await watcher.created
    await write(store, 'a', '1')
    expect((await next()).events).toHaveLength(1)
    for (const member of members) {
      member.signal('SIGSTOP')
      const revision = await insist(() => write(store, 'a', '2'))
      for (;;) if ((await next()).revision >= revision) break
      member.signal('SIGCONT')
    }
  }, 240_000)

  it('says that nobody answers when a majority is gone, and goes on when it is back', async () => {
    const [first, second, third] = members as [EtcdMember, EtcdMember, EtcdMember]
    await write(store, 'a', '1')
    await using watcher = store.watch(ALL)
    await watcher.created
    await Promise.all([first.kill(), second.kill(), third.kill()])
    const error = await failure(store.range(ALL), 'unavailable')
    for (const { url } of members) expect(error.message).toContain(url)
    await Promise.all(members.map((member) => member.start()))
    const revision = await write(store, 'a', '2')
    expect((await reader(watcher).next()).revision).toBe(revision)
  })
})
