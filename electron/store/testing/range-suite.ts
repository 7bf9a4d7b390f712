import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { keyFromText, keyToText, prefixRange, type RangeRequest, type Store } from '../store.ts'
import { ALL, brief, failure, type OpenSubject, remove, type Subject, text, write } from './subject.ts'

export function rangeSuite(open: OpenSubject): void {
  describe('range', () => {
    let subject: Subject
    let store: Store
    let base: number
    beforeEach(async () => {
      subject = await open()
      store = subject.store
      base = (await store.status()).revision
    })
    afterEach(() => subject.close())

    const list = async (request: RangeRequest) => (await store.range(request)).kvs.map((kv) => brief(kv, base))
    const keys = async (request: RangeRequest) => (await store.range(request)).kvs.map((kv) => kv.key).join(' ')

    it('finds nothing in an empty store, whose revision is at least 1', async () => {
      expect(base).toBeGreaterThanOrEqual(1)
      expect(await store.range(ALL)).toEqual({ revision: base, kvs: [], count: 0, more: false })
    })

    it('gives a key with its create revision, mod revision and version, which count from its last creation', async () => {
      await write(store, 'a', 'one')
      await write(store, 'a', 'two')
      expect(await list({ key: 'a' })).toEqual(['a=two 1/2/2'])
      await remove(store, 'a')
      expect(await list({ key: 'a' })).toEqual([])
      await write(store, 'a', 'three')
      expect(await list({ key: 'a' })).toEqual(['a=three 4/4/1'])
    })

    it('takes the key alone, a half-open interval, a prefix, or everything from a key on', async () => {
      for (const key of ['a', 'a/', 'a/1', 'a/2', 'a0', 'b']) await write(store, key, '')
      expect(await keys({ key: 'a/' })).toBe('a/')
      expect(await keys({ key: 'a/1', end: 'a0' })).toBe('a/1 a/2')
      expect(await keys(prefixRange('a/'))).toBe('a/ a/1 a/2')
      expect(await keys({ key: 'a/2', end: '\0' })).toBe('a/2 a0 b')
      expect(await keys(prefixRange(''))).toBe('a a/ a/1 a/2 a0 b')
      expect(await keys({ key: 'b', end: 'a' })).toBe('')
      expect(await keys({ key: 'c' })).toBe('')
    })

    it('orders keys by their bytes, whatever the bytes are', async () => {
      const names = ['\x01', '\x7f', '\x80', '\xff', '\xff\xff', keyFromText('ä'), keyFromText('漢')]
      for (const key of names) await write(store, key, '')
      expect((await store.range(ALL)).kvs.map(({ key }) => key)).toEqual([...names].sort())
      expect((await store.range(prefixRange('\xff'))).kvs.map(({ key }) => key)).toEqual(['\xff', '\xff\xff'])
      expect(keyToText((await store.range({ key: keyFromText('漢') })).kvs[0]?.key ?? '')).toBe('漢')
    })

    it('keeps values byte for byte, the empty one and large ones too', async () => {
      const every = Uint8Array.from({ length: 256 }, (_, i) => i)
      const large = new Uint8Array(1_000_000).fill(7)
      for (const [key, value] of [
        ['every', every],
        ['large', large],
        ['none', new Uint8Array(0)],
      ] as const) {
        await store.txn({ success: [{ type: 'put', key, value }] })
        expect(Buffer.compare((await store.range({ key })).kvs[0]?.value ?? Buffer.from('missing'), value)).toBe(0)
      }
    })

    it('reads as of a past revision, and says which revision the store is at', async () => {
      await write(store, 'a', '1')
      await write(store, 'b', '2')
      await write(store, 'a', '3')
      await remove(store, 'b')
      await write(store, 'b', '5')
      const at = async (revision: number) => (await list({ ...ALL, revision: base + revision })).join(', ')
      expect(await at(1)).toBe('a=1 1/1/1')
      expect(await at(2)).toBe('a=1 1/1/1, b=2 2/2/1')
      expect(await at(3)).toBe('a=3 1/3/2, b=2 2/2/1')
      expect(await at(4)).toBe('a=3 1/3/2')
      expect(await at(5)).toBe('a=3 1/3/2, b=5 5/5/1')
      expect((await store.range({ ...ALL, revision: base + 1 })).revision).toBe(base + 5)
      expect(await list({ key: 'b', revision: base + 3 })).toEqual(['b=2 2/2/1'])
    })

    it('refuses a revision that is not there yet', async () => {
      await write(store, 'a', '1')
      await failure(store.range({ key: 'a', revision: base + 2 }), 'futureRevision')
      await failure(store.txn({ success: [{ type: 'range', key: 'a', revision: base + 2 }] }), 'futureRevision')
    })

    it('limits, says whether there is more, and counts all', async () => {
      for (const key of ['a', 'b', 'c']) await write(store, key, key)
      const some = async (limit: number) => {
        const { kvs, count, more } = await store.range({ ...ALL, limit })
        return [kvs.map(({ key }) => key).join(''), count, more]
      }
      expect(await some(1)).toEqual(['a', 3, true])
      expect(await some(2)).toEqual(['ab', 3, true])
      expect(await some(3)).toEqual(['abc', 3, false])
      expect(await some(0)).toEqual(['abc', 3, false])
    })

    it('pages through at one revision while the store goes on', async () => {
      for (const key of ['a', 'b', 'c', 'd']) await write(store, key, '1')
      const first = await store.range({ ...ALL, limit: 2 })
      await remove(store, 'c')
      await write(store, 'b2', '2')
      const next = await store.range({ key: `${first.kvs.at(-1)?.key}\0`, end: '\0', limit: 2, revision: first.revision })
      expect(next.kvs.map(({ key }) => key)).toEqual(['c', 'd'])
      expect([next.count, next.more]).toEqual([2, false])
    })

    it('leaves values out with keysOnly, and everything but the count with countOnly', async () => {
      for (const key of ['a', 'b', 'c']) await write(store, key, 'value')
      expect(await list({ ...ALL, keysOnly: true })).toEqual(['a= 1/1/1', 'b= 2/2/1', 'c= 3/3/1'])
      expect(await store.range({ ...ALL, countOnly: true, limit: 2 })).toEqual({ revision: base + 3, kvs: [], count: 3, more: false })
    })

    it('sorts by key, version, create revision, mod revision or value, in both directions, before it limits', async () => {
      await write(store, 'c', 'x')
      await write(store, 'a', 'z')
      await write(store, 'b', 'y')
      await write(store, 'c', 'x')
      await write(store, 'c', 'x')
      await write(store, 'a', 'z')
      const by = async (target: 'key' | 'version' | 'create' | 'mod' | 'value', more: Partial<RangeRequest> = {}) => [
        await keys({ ...ALL, sort: { target, order: 'ascend' }, ...more }),
        await keys({ ...ALL, sort: { target, order: 'descend' }, ...more }),
      ]
      expect(await by('key')).toEqual(['a b c', 'c b a'])
      expect(await by('version')).toEqual(['b a c', 'c a b'])
      expect(await by('create')).toEqual(['c a b', 'b a c'])
      expect(await by('mod')).toEqual(['b c a', 'a c b'])
      expect(await by('value')).toEqual(['c b a', 'a b c'])
      expect(await by('value', { keysOnly: true })).toEqual(['c b a', 'a b c'])
      expect(await by('mod', { limit: 2 })).toEqual(['b c', 'a c'])
      expect((await store.range({ ...ALL, sort: { target: 'mod', order: 'descend' }, limit: 2 })).more).toBe(true)
    })

    it('filters by least and greatest revisions before it limits, and counts without the filter', async () => {
      for (const key of ['a', 'b', 'c', 'd']) await write(store, key, '1')
      await write(store, 'a', '2')
      expect(await keys({ ...ALL, minModRevision: base + 3 })).toBe('a c d')
      expect(await keys({ ...ALL, maxModRevision: base + 3 })).toBe('b c')
      expect(await keys({ ...ALL, minCreateRevision: base + 2, maxCreateRevision: base + 3 })).toBe('b c')
      expect(await keys({ ...ALL, maxCreateRevision: base + 2, minModRevision: base + 5 })).toBe('a')
      const { kvs, count, more } = await store.range({ ...ALL, minModRevision: base + 3, limit: 2 })
      expect([kvs.map(({ key }) => key).join(' '), count, more]).toEqual(['a c', 4, true])
    })

    it('sees each write that was acknowledged before it began', async () => {
      await Promise.all(
        Array.from({ length: 50 }, async (_, i) => {
          const revision = await write(store, `k${i}`, String(i))
          const response = await store.range({ key: `k${i}` })
          expect(text(response.kvs[0]?.value ?? new Uint8Array())).toBe(String(i))
          expect(response.revision).toBeGreaterThanOrEqual(revision)
        }),
      )
    })

    it('refuses keys and numbers that make no sense', async () => {
      await failure(store.range({ key: '' }), 'invalidRequest')
      await failure(store.range({ key: '漢' }), 'invalidRequest')
      await failure(store.range({ key: 'a', limit: -1 }), 'invalidRequest')
      await failure(store.range({ key: 'a', revision: 1.5 }), 'invalidRequest')
    })
  })
}
