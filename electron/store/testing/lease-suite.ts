import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { LeaseId, Store } from '../store.ts'
import { ALL, briefBatch, del, failure, type OpenSubject, put, reader, type Subject, write } from './subject.ts'

export function leaseSuite(open: OpenSubject): void {
  describe('lease', () => {
    let subject: Subject
    let store: Store
    let base: number
    beforeEach(async () => {
      subject = await open()
      store = subject.store
      base = (await store.status()).revision
    })
    afterEach(() => subject.close())

    const keysOf = async (id: LeaseId) => (await store.lease.timeToLive(id, { keys: true })).keys
    const exists = async (key: string) => (await store.range({ key, countOnly: true })).count === 1

    it('is granted under the id asked for, or under one the store chooses', async () => {
      expect(await store.lease.grant(60, 12n)).toEqual({ id: 12n, ttl: 60 })
      const chosen = await store.lease.grant(60)
      expect(chosen.id).not.toBe(0n)
      expect(new Set(await store.lease.list())).toEqual(new Set([12n, chosen.id]))
      await failure(store.lease.grant(60, 12n), 'leaseExists')
      await failure(store.lease.grant(0), 'invalidRequest')
      await failure(store.lease.grant(1e12), 'invalidRequest')
      expect((await store.status()).revision).toBe(base)
    })

    it('takes all its keys with it in one revision when it is revoked', async () => {
      await store.lease.grant(60, 1n)
      await store.lease.grant(60, 2n)
      await store.txn({
        success: [put('b', '1', { lease: 1n }), put('a', '1', { lease: 1n }), put('c', '1', { lease: 2n }), put('d', '1')],
      })
      await using watcher = store.watch(ALL)
      await watcher.created
      expect(await store.lease.revoke(1n)).toEqual({ revision: base + 2 })
      expect(briefBatch(await reader(watcher).next(), base)).toBe('2: delete a 2, delete b 2')
      expect((await store.range(ALL)).kvs.map(({ key }) => key)).toEqual(['c', 'd'])
      expect(await store.lease.list()).toEqual([2n])
      await failure(store.lease.revoke(1n), 'leaseNotFound')
      await failure(store.lease.keepAlive(1n), 'leaseNotFound')
      await failure(write(store, 'e', '1', { lease: 1n }), 'leaseNotFound')
    })

    it('can be granted again under the same id at once, without the keys of before', async () => {
      await store.lease.grant(60, 1n)
      await write(store, 'a', '1', { lease: 1n })
      await Promise.all([store.lease.revoke(1n), store.lease.grant(70, 1n), store.lease.revoke(1n), store.lease.grant(80, 1n)])
      expect(await store.lease.timeToLive(1n, { keys: true })).toMatchObject({ grantedTtl: 80, keys: [] })
      if (subject.reopen) store = await subject.reopen()
      expect(await store.lease.list()).toEqual([1n])
      expect(await exists('a')).toBe(false)
    })

    it('does not move the revision when a lease without keys is revoked', async () => {
      await store.lease.grant(60, 1n)
      expect(await store.lease.revoke(1n)).toEqual({ revision: base })
    })

    it('knows which keys hang on it, as they are put again, moved and deleted', async () => {
      await store.lease.grant(60, 1n)
      await store.lease.grant(60, 2n)
      await store.txn({ success: ['a', 'b', 'c', 'd'].map((key) => put(key, '1', { lease: 1n })) })
      expect(await keysOf(1n)).toEqual(['a', 'b', 'c', 'd'])
      await store.txn({ success: [put('a', '2'), put('b', '2', { lease: 2n }), del('c'), put('d', '2', { lease: 1n })] })
      expect([await keysOf(1n), await keysOf(2n)]).toEqual([['d'], ['b']])
      expect((await store.lease.timeToLive(1n)).keys).toEqual([])
      await store.lease.revoke(1n)
      expect([await exists('a'), await exists('b'), await exists('d')]).toEqual([true, true, false])
    })

    it('forgets nothing and takes nothing when a transaction with its keys fails', async () => {
      await store.lease.grant(60, 1n)
      await write(store, 'a', '1', { lease: 1n })
      await failure(store.txn({ success: [put('b', '1', { lease: 1n }), del('a'), put('c', '1', { lease: 404n })] }), 'leaseNotFound')
      expect(await keysOf(1n)).toEqual(['a'])
    })

    it('says of a lease that never was, that it has expired', async () => {
      expect(await store.lease.timeToLive(99n)).toMatchObject({ id: 99n, ttl: -1 })
    })
  })
}
