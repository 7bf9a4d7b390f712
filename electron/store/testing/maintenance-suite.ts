import { createHash } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Snapshot, Store } from '../store.ts'
import { ALL, brief, failure, type OpenSubject, put, remove, type Subject, write } from './subject.ts'

export function maintenanceSuite(open: OpenSubject): void {
  describe('maintenance', () => {
    let subject: Subject
    let store: Store
    let base: number
    beforeEach(async () => {
      subject = await open()
      store = subject.store
      base = (await store.status()).revision
    })
    afterEach(() => subject.close())

    const contents = async () => (await store.range(ALL)).kvs.map((kv) => brief(kv, base))
    const history = async () => {
      await store.lease.grant(1000, 7n)
      await store.txn({ success: [put('a', '1'), put('b', '1', { lease: 7n }), put('c', '1')] })
      await write(store, 'a', '2')
      await remove(store, 'b')
      await store.txn({ success: [put('a', '4'), put('d', 'x'.repeat(5000))] })
    }
    const bytesOf = async (snapshot: Snapshot) => {
      const parts: Uint8Array[] = []
      for await (const part of snapshot) parts.push(part)
      return Buffer.concat(parts)
    }

    it('makes a snapshot: as many bytes as it says, of which the last 32 are the SHA-256 of the others', async () => {
      await history()
      await using snapshot = await store.maintenance.snapshot()
      expect(snapshot.revision).toBe(base + 4)
      const bytes = await bytesOf(snapshot)
      expect(bytes.byteLength).toBe(snapshot.size)
      const [data, sum] = [bytes.subarray(0, -32), bytes.subarray(-32)]
      expect(data.byteLength % 512).toBe(0)
      expect(createHash('sha256').update(data).digest('hex')).toBe(sum.toString('hex'))
    })

    it('serves on while a snapshot is read, and lets it be left off', async () => {
      await history()
      await using snapshot = await store.maintenance.snapshot()
      for await (const part of snapshot) {
        expect(part.byteLength).toBeGreaterThan(0)
        break
      }
      expect(await write(store, 'later', '1')).toBe(base + 5)
      await store.compact(base + 5)
    })

    it('has a hash of each readable revision, which later writes and compactions of earlier ones do not change', async () => {
      await history()
      const at = await store.maintenance.hash(base + 4)
      expect(at.revision).toBe(base + 4)
      expect(await store.maintenance.hash()).toEqual(at)
      expect((await store.maintenance.hash(base + 3)).hash).not.toBe(at.hash)
      await write(store, 'later', '1')
      expect(await store.maintenance.hash(base + 4)).toEqual(at)
      expect((await store.maintenance.hash()).hash).not.toBe(at.hash)
      await failure(store.maintenance.hash(base + 6), 'futureRevision')
      await failure(store.maintenance.hash(-1), 'invalidRequest')
    })

    it('has no hash of a compacted revision', async () => {
      await history()
      await store.compact(base + 3)
      expect(await store.maintenance.hash(base + 4)).toMatchObject({ revision: base + 4, compactRevision: base + 3 })
      for (const revision of [2, 3]) {
        expect((await failure(store.maintenance.hash(base + revision), 'compacted')).compactRevision).toBe(base + 3)
      }
      await store.compact(base + 4)
      expect(await store.maintenance.hash()).toMatchObject({ revision: base + 4, compactRevision: base + 4 })
    })

    it('has the same hash after a restart', async () => {
      if (!subject.reopen) return
      await history()
      await store.compact(base + 2)
      const before = await store.maintenance.hash(base + 4)
      store = await subject.reopen()
      expect(await store.maintenance.hash(base + 4)).toEqual(before)
    })

    it('is defragmented while it serves, without a change to what it holds', async () => {
      await history()
      for (let i = 0; i < 50; i++) await write(store, 'e', `${i} ${'x'.repeat(5000)}`)
      await store.compact(base + 54)
      const before = await contents()
      const [, ...writes] = await Promise.all([
        store.maintenance.defragment(),
        ...Array.from({ length: 10 }, (_, i) => write(store, 'during', String(i))),
      ])
      expect((await contents()).filter((line) => !line.startsWith('during'))).toEqual(before)
      expect(writes).toHaveLength(10)
      await write(store, 'after', '1')
      if (subject.reopen) store = await subject.reopen()
      expect((await contents()).filter((line) => !/^(during|after)/.test(line))).toEqual(before)
    })

    it('finds nothing wrong with itself, while it serves', async () => {
      await history()
      await store.compact(base + 3)
      const [found] = await Promise.all([store.maintenance.check(), write(store, 'f', '1')])
      expect(found).toEqual([])
      await store.compact((await store.status()).revision)
      expect(await store.maintenance.check()).toEqual([])
    })

    it('refuses all of it by name once it is closed', async () => {
      await store[Symbol.asyncDispose]()
      await failure(store.maintenance.snapshot(), 'closed')
      await failure(store.maintenance.hash(), 'closed')
      await failure(store.maintenance.defragment(), 'closed')
      await failure(store.maintenance.check(), 'closed')
    })
  })
}
