import { describe, expect, it } from 'vitest'
import { ALL, briefBatch, type OpenSubject, put, reader, remove, type Subject, write } from './subject.ts'

/** What takes its time with engines whose clock is the real one, so that it runs side by side. */
export function leaseTimeSuite(open: OpenSubject): void {
  const opened = async (): Promise<AsyncDisposable & { subject: Subject }> => {
    const subject = await open()
    return { subject, [Symbol.asyncDispose]: () => subject.close() }
  }
  const keys = async ({ store }: Pick<Subject, 'store'>) => (await store.range(ALL)).kvs.map(({ key }) => key).join('')

  describe.concurrent('lease, as time goes by', () => {
    it('expires when its time is over, as a transaction that watchers see', async () => {
      await using held = await opened()
      const { store, pass } = held.subject
      const base = (await store.status()).revision
      await store.lease.grant(10, 1n)
      await store.txn({ success: [put('a', '1', { lease: 1n }), put('b', '1', { lease: 1n }), put('c', '1')] })
      await using watcher = store.watch(ALL)
      await watcher.created
      const batch = reader(watcher).next()
      await pass(5000)
      expect(await keys({ store })).toBe('abc')
      await pass(8000)
      expect(briefBatch(await batch, base)).toBe('2: delete a 2, delete b 2')
      expect(await store.lease.timeToLive(1n)).toMatchObject({ id: 1n, ttl: -1, keys: [] })
      expect(await store.lease.list()).toEqual([])
    })

    it('lives on while it is kept alive, and says how long it has left', async () => {
      await using held = await opened()
      const { store, pass } = held.subject
      await store.lease.grant(10, 1n)
      await write(store, 'a', '1', { lease: 1n })
      for (let i = 0; i < 3; i++) {
        await pass(6000)
        const { ttl, grantedTtl } = await store.lease.timeToLive(1n)
        expect(grantedTtl).toBe(10)
        expect(ttl).toBeGreaterThanOrEqual(2)
        expect(ttl).toBeLessThanOrEqual(4)
        expect(await store.lease.keepAlive(1n)).toEqual({ ttl: 10 })
      }
      expect(await keys({ store })).toBe('a')
      await pass(13_000)
      expect(await keys({ store })).toBe('')
    })

    it('expires in the order of time, whatever the order of granting', async () => {
      await using held = await opened()
      const { store, pass } = held.subject
      await store.lease.grant(30, 3n)
      await store.lease.grant(10, 1n)
      await store.lease.grant(20, 2n)
      await store.txn({ success: [put('c', '', { lease: 3n }), put('a', '', { lease: 1n }), put('b', '', { lease: 2n })] })
      const left: string[] = []
      for (let i = 0; i < 4; i++) {
        left.push(await keys({ store }))
        await pass(i === 0 ? 13_000 : 10_000)
      }
      expect(left).toEqual(['abc', 'bc', 'c', ''])
    })

    it('survives a restart with its keys, and has its whole time again', async () => {
      await using held = await opened()
      const { pass, reopen } = held.subject
      let { store } = held.subject
      if (!reopen) return
      await store.lease.grant(10, 1n)
      await store.lease.grant(10, 2n)
      await store.txn({ success: [put('a', '1', { lease: 1n }), put('b', '1', { lease: 1n }), put('c', '1', { lease: 1n })] })
      await remove(store, 'b')
      await write(store, 'c', '2')
      await store.lease.revoke(2n)
      await pass(6000)
      store = await reopen()
      expect(await store.lease.list()).toEqual([1n])
      expect(await store.lease.timeToLive(1n, { keys: true })).toMatchObject({ grantedTtl: 10, keys: ['a'] })
      await pass(6000)
      expect(await keys({ store })).toBe('ac')
      await pass(7000)
      expect(await keys({ store })).toBe('c')
    })
  })
}
