import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Compare, type Op, prefixRange, type Store, type TxnRequest } from '../store.ts'
import { ALL, brief, bytes, del, failure, type OpenSubject, put, remove, type Subject, write } from './subject.ts'

export function txnSuite(open: OpenSubject): void {
  describe('txn', () => {
    let subject: Subject
    let store: Store
    let base: number
    beforeEach(async () => {
      subject = await open()
      store = subject.store
      base = (await store.status()).revision
    })
    afterEach(() => subject.close())

    const all = async () => (await store.range(ALL)).kvs.map((kv) => brief(kv, base))
    const succeeds = async (...compare: Compare[]) => (await store.txn({ compare, success: [] })).succeeded

    it('gives all changes of a transaction the same next revision', async () => {
      const { revision, succeeded, responses } = await store.txn({ success: [put('a', '1'), put('b', '1'), del('c')] })
      expect({ revision, succeeded, responses }).toEqual({
        revision: base + 1,
        succeeded: true,
        responses: [{ type: 'put' }, { type: 'put' }, { type: 'delete', deleted: 0, prevKvs: [] }],
      })
      expect((await store.txn({ success: [put('a', '2'), del('b')] })).revision).toBe(base + 2)
      expect(await all()).toEqual(['a=2 1/2/2'])
    })

    it('does not move the revision when nothing changes', async () => {
      await write(store, 'a', '1')
      expect((await store.txn({ success: [] })).revision).toBe(base + 1)
      expect((await store.txn({ success: [del('nothing')] })).revision).toBe(base + 1)
      expect((await store.txn({ success: [{ type: 'range', key: 'a' }] })).revision).toBe(base + 1)
      expect(
        (await store.txn({ compare: [{ key: 'a', target: 'version', result: 'equal', operand: 9 }], success: [put('b', '')] })).revision,
      ).toBe(base + 1)
      expect(await write(store, 'b', '2')).toBe(base + 2)
    })

    it('gives concurrent transactions revisions of their own, without a gap', async () => {
      const revisions = await Promise.all(Array.from({ length: 100 }, (_, i) => write(store, `k${i % 7}`, String(i))))
      expect(revisions.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, i) => base + 1 + i))
    })

    it('runs success if all compares hold, else failure', async () => {
      await write(store, 'a', '1')
      const compare: Compare[] = [
        { key: 'a', target: 'version', result: 'equal', operand: 1 },
        { key: 'b', target: 'create', result: 'equal', operand: 0 },
      ]
      expect((await store.txn({ compare, success: [put('b', 'made')], failure: [put('c', 'not made')] })).succeeded).toBe(true)
      expect((await store.txn({ compare, success: [put('d', 'wrong')], failure: [put('c', 'was there')] })).succeeded).toBe(false)
      expect((await store.txn({ compare, success: [put('d', 'wrong')] })).responses).toEqual([])
      expect(await all()).toEqual(['a=1 1/1/1', 'b=made 2/2/1', 'c=was there 3/3/1'])
    })

    it('lets exactly one of many concurrent creators win', async () => {
      const create = (i: number): TxnRequest => ({
        compare: [{ key: 'lock', target: 'mod', result: 'equal', operand: 0 }],
        success: [put('lock', String(i))],
        failure: [{ type: 'range', key: 'lock' }],
      })
      const results = await Promise.all(Array.from({ length: 20 }, (_, i) => store.txn(create(i))))
      expect(results.filter(({ succeeded }) => succeeded)).toHaveLength(1)
      for (const { succeeded, responses } of results) {
        if (!succeeded) expect(responses[0]).toMatchObject({ type: 'range', count: 1 })
      }
    })

    it('compares version, create and mod revision with =, !=, > and <', async () => {
      await write(store, 'x', '')
      await write(store, 'a', '1')
      await write(store, 'a', '2')
      const facts = { version: 2, create: base + 2, mod: base + 3 }
      for (const target of ['version', 'create', 'mod'] as const) {
        const check = (result: Compare['result'], by: number) => succeeds({ key: 'a', target, result, operand: facts[target] + by })
        expect(await Promise.all([check('equal', 0), check('equal', 1)])).toEqual([true, false])
        expect(await Promise.all([check('notEqual', 1), check('notEqual', 0)])).toEqual([true, false])
        expect(await Promise.all([check('greater', -1), check('greater', 0)])).toEqual([true, false])
        expect(await Promise.all([check('less', 1), check('less', 0)])).toEqual([true, false])
      }
    })

    it('compares values by their bytes and leases by their number', async () => {
      await store.lease.grant(60, 5n)
      await store.txn({ success: [put('a', 'm\xff', { lease: 5n })] })
      const value = (result: Compare['result'], operand: string) => succeeds({ key: 'a', target: 'value', result, operand: bytes(operand) })
      expect(await Promise.all([value('equal', 'm\xff'), value('less', 'n'), value('greater', 'm'), value('notEqual', 'm')])).toEqual(
        Array(4).fill(true),
      )
      expect(await Promise.all([value('equal', 'm'), value('less', 'm'), value('greater', 'n')])).toEqual(Array(3).fill(false))
      const lease = (result: Compare['result'], operand: bigint) => succeeds({ key: 'a', target: 'lease', result, operand })
      expect(await Promise.all([lease('equal', 5n), lease('greater', 4n), lease('less', 6n), lease('notEqual', 5n)])).toEqual([
        true,
        true,
        true,
        false,
      ])
    })

    it('takes a key that does not exist for one with zeros and no value', async () => {
      for (const target of ['version', 'create', 'mod'] as const) {
        expect(await succeeds({ key: 'no', target, result: 'equal', operand: 0 })).toBe(true)
        expect(await succeeds({ key: 'no', target, result: 'less', operand: 1 })).toBe(true)
        expect(await succeeds({ key: 'no', target, result: 'notEqual', operand: 0 })).toBe(false)
      }
      expect(await succeeds({ key: 'no', target: 'lease', result: 'equal', operand: 0n })).toBe(true)
      for (const result of ['equal', 'notEqual', 'less', 'greater'] as const) {
        expect(await succeeds({ key: 'no', target: 'value', result, operand: bytes('') })).toBe(false)
      }
    })

    it('wants a compare of a range to hold for each key in it', async () => {
      await write(store, 'p/1', 'same')
      await write(store, 'p/2', 'same')
      const same: Compare = { ...prefixRange('p/'), target: 'value', result: 'equal', operand: bytes('same') }
      expect(await succeeds(same)).toBe(true)
      await write(store, 'p/3', 'other')
      expect(await succeeds(same)).toBe(false)
      expect(await succeeds({ ...prefixRange('p/'), target: 'mod', result: 'less', operand: base + 4 })).toBe(true)
      expect(await succeeds({ ...prefixRange('q/'), target: 'mod', result: 'equal', operand: 0 })).toBe(true)
    })

    it('runs nested transactions, whose compares see the store before the outermost began', async () => {
      await write(store, 'a', '1')
      const inner: Op = {
        type: 'txn',
        compare: [{ key: 'a', target: 'value', result: 'equal', operand: bytes('1') }],
        success: [put('seen', 'old'), { type: 'txn', compare: [], success: [{ type: 'range', key: 'a' }] }],
        failure: [put('seen', 'new')],
      }
      const { revision, responses } = await store.txn({ success: [put('a', '2'), inner] })
      expect(revision).toBe(base + 2)
      expect(responses[1]).toMatchObject({ type: 'txn', succeeded: true, revision: base + 2 })
      expect(await all()).toEqual(['a=2 1/2/2', 'seen=old 2/2/1'])
      const deepest = responses[1]?.type === 'txn' ? responses[1].responses[1] : undefined
      const range = deepest?.type === 'txn' ? deepest.responses[0] : undefined
      expect(range?.type === 'range' ? range.kvs.map((kv) => brief(kv, base)) : range).toEqual(['a=2 1/2/2'])
    })

    it('lets a range see what the same transaction wrote before it', async () => {
      await write(store, 'a', '1')
      const range: Op = { type: 'range', ...ALL }
      const { responses } = await store.txn({ success: [range, put('b', '2'), range, del('a'), range] })
      const seen = responses.flatMap((r) => (r.type === 'range' ? [r.kvs.map((kv) => brief(kv, base)).join(', ')] : []))
      expect(seen).toEqual(['a=1 1/1/1', 'a=1 1/1/1, b=2 2/2/1', 'b=2 2/2/1'])
    })

    it('refuses to change a key twice in one transaction, and then changes nothing', async () => {
      const twice: TxnRequest[] = [
        { success: [put('x', '1'), put('a', '1'), put('a', '2')] },
        { success: [put('a', '1'), del('a')] },
        { success: [del('a', 'c'), put('b', '1')] },
        { success: [put('a', '1'), { type: 'txn', success: [put('a', '2')] }] },
        {
          success: [
            { type: 'txn', success: [], failure: [put('a', '1')] },
            { type: 'txn', success: [put('a', '2')] },
          ],
        },
        { success: [del('a', 'b'), { type: 'txn', success: [put('a', '2')] }] },
        { success: [], failure: [put('a', '1'), put('a', '1')] },
      ]
      for (const request of twice) await failure(store.txn(request), 'duplicateKey')
      expect(await store.range(ALL)).toMatchObject({ revision: base, count: 0 })
    })

    it('accepts the same key in branches that exclude each other, and deletes that overlap', async () => {
      await write(store, 'a', '1')
      await store.txn({ success: [{ type: 'txn', success: [put('k', '1')], failure: [put('k', '2')] }], failure: [put('k', '3')] })
      const { responses } = await store.txn({ success: [del('a', 'z'), del('a')] })
      expect(responses).toMatchObject([{ deleted: 2 }, { deleted: 0 }])
    })

    it('gives previous values of puts and deletes when asked', async () => {
      await write(store, 'a', '1')
      await write(store, 'b', '2')
      const { responses } = await store.txn({ success: [put('a', '3', { prevKv: true }), put('n', '', { prevKv: true })] })
      expect(responses.map((r) => (r.type === 'put' && r.prevKv ? brief(r.prevKv, base) : null))).toEqual(['a=1 1/1/1', null])
      const deleted = (await store.txn({ success: [del('a', 'c', { prevKv: true })] })).responses[0]
      expect(deleted?.type === 'delete' ? deleted.prevKvs.map((kv) => brief(kv, base)) : deleted).toEqual(['a=3 1/3/2', 'b=2 2/2/1'])
    })

    it('keeps the value with ignoreValue and the lease with ignoreLease, if the key exists', async () => {
      await store.lease.grant(60, 7n)
      await store.txn({ success: [put('a', 'kept', { lease: 7n })] })
      await store.txn({ success: [put('a', 'new', { ignoreLease: true })] })
      expect(await all()).toEqual(['a=new 1/2/2 @7'])
      await store.txn({ success: [put('a', '', { ignoreValue: true })] })
      expect(await all()).toEqual(['a=new 1/3/3'])
      await failure(store.txn({ success: [put('x', '1'), put('b', '', { ignoreValue: true })] }), 'keyNotFound')
      await failure(store.txn({ success: [put('b', '1', { ignoreLease: true })] }), 'keyNotFound')
      await failure(store.txn({ success: [put('a', '1', { ignoreValue: true })] }), 'invalidRequest')
      await failure(store.txn({ success: [put('a', '1', { ignoreLease: true, lease: 7n })] }), 'invalidRequest')
      expect(await all()).toEqual(['a=new 1/3/3'])
    })

    it('changes nothing when an operation fails on the way', async () => {
      await write(store, 'a', '1')
      await failure(store.txn({ success: [put('a', '2'), del('b'), put('c', '3', { lease: 404n })] }), 'leaseNotFound')
      expect(await all()).toEqual(['a=1 1/1/1'])
      expect(await write(store, 'a', '2')).toBe(base + 2)
    })

    it('keeps count of the keys that exist', async () => {
      await write(store, 'a', '1')
      await write(store, 'a', '2')
      await write(store, 'b', '1')
      await remove(store, 'a')
      expect(await store.status()).toMatchObject({ revision: base + 4, keys: 1 })
    })

    it('refuses keys that make no sense', async () => {
      await failure(store.txn({ success: [put('', '1')] }), 'invalidRequest')
      await failure(store.txn({ success: [del('')] }), 'invalidRequest')
      await failure(store.txn({ compare: [{ key: '', target: 'mod', result: 'equal', operand: 0 }], success: [] }), 'invalidRequest')
    })
  })
}
