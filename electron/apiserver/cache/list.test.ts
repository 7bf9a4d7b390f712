import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { settle } from '../../base/fake-clock.ts'
import type { StatusError } from '../../machinery/status.ts'
import { cacheFixture, THING_PREFIX, type CacheFixture } from '../testing/cache-fixture.ts'
import { decodeContinue, encodeContinue } from './continue-token.ts'
import { list, type ListRequest, type ListResult } from './list.ts'

const BASE: ListRequest = { prefix: THING_PREFIX, matches: null, resourceVersion: '', match: '', limit: 0, continueToken: '' }

let f: CacheFixture
let ask: (request?: Partial<ListRequest>) => Promise<ListResult>
beforeEach(async () => {
  f = await cacheFixture()
  ask = (request) => list({ cache: f.cache, store: f.store, clock: f.clock }, { ...BASE, ...request })
})
afterEach(() => f[Symbol.asyncDispose]())

const names = ({ entries }: ListResult) => entries.map((e) => e.object.metadata.name)
const fail = async (request: Partial<ListRequest>): Promise<StatusError> =>
  ask(request).then(
    () => Promise.reject(new Error('no failure')),
    (e) => e as StatusError,
  )

describe('LIST', () => {
  it('without resourceVersion shows every acknowledged write, under the revision of the store', async () => {
    await ask()
    await f.put('b')
    const revision = await f.put('a')
    expect(names(await ask())).toEqual(['a', 'b'])
    expect((await ask()).revision).toBe(revision)
  })

  it('with 0 answers from what is known', async () => {
    await f.put('a')
    expect(names(await ask({ resourceVersion: '0' }))).toEqual(['a'])
    expect(names(await ask({ resourceVersion: '0', limit: 1 }))).toEqual(['a'])
  })

  it('with a revision is at least as new, or with Exact just so', async () => {
    const first = await f.put('a')
    await ask()
    const second = await f.put('b')
    expect(names(await ask({ resourceVersion: String(second) }))).toEqual(['a', 'b'])
    expect(names(await ask({ resourceVersion: String(first), match: 'NotOlderThan' }))).toEqual(['a', 'b'])
    const exact = await ask({ resourceVersion: String(first), match: 'Exact' })
    expect([names(exact), exact.revision]).toEqual([['a'], first])
    expect(names(await ask({ resourceVersion: String(first), limit: 10 }))).toEqual(['a'])
  })

  it('of a revision that is yet to come waits for it, and gives up after three seconds', async () => {
    const revision = await f.put('a')
    const coming = ask({ resourceVersion: String(revision + 1) })
    await settle()
    await f.put('b')
    expect(names(await coming)).toEqual(['a', 'b'])
    const never = fail({ resourceVersion: '999' })
    await f.clock.advance(3000)
    expect((await never).status).toMatchObject({
      code: 504,
      reason: 'Timeout',
      message: `Timeout: Too large resource version: 999, current: ${revision + 1}`,
      details: { causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }], retryAfterSeconds: 1 },
    })
  })

  it('refuses what is no revision', async () => {
    expect((await fail({ resourceVersion: 'x' })).status).toMatchObject({
      code: 400,
      message: 'invalid resource version: resourceVersion: Invalid value: "x": strconv.ParseUint: parsing "x": invalid syntax',
    })
  })

  it('of a forgotten revision is 410', async () => {
    const first = await f.put('a')
    await f.put('a')
    const now = await f.put('a')
    await f.store.compact(now)
    expect((await fail({ resourceVersion: String(first), match: 'Exact' })).status).toMatchObject({
      code: 410,
      reason: 'Expired',
      message: 'The resourceVersion for the provided list is too old.',
    })
  })
})

describe('LIST in chunks', () => {
  const fill = async (n: number) => {
    for (let i = 0; i < n; i++) await f.put(`n${i}`)
  }

  it('shows one state, whatever happens between them', async () => {
    await fill(5)
    const first = await ask({ limit: 2 })
    expect([names(first), first.remaining]).toEqual([['n0', 'n1'], 3])
    await f.remove('n2')
    await f.put('n1b')
    const second = await ask({ limit: 2, continueToken: first.continueToken ?? '' })
    expect([names(second), second.remaining, second.revision]).toEqual([['n2', 'n3'], 1, first.revision])
    const third = await ask({ limit: 2, continueToken: second.continueToken ?? '' })
    expect([names(third), third.continueToken, third.remaining]).toEqual([['n4'], undefined, undefined])
  })

  it('gives the same chunks from the store as from the cache', async () => {
    await fill(25)
    const whole = async (between: () => Promise<unknown>) => {
      const found: string[] = []
      let continueToken = ''
      do {
        const page = await ask({ limit: 7, continueToken })
        found.push(...names(page))
        continueToken = page.continueToken ?? ''
        await between()
      } while (continueToken)
      return found
    }
    const all = names(await ask())
    expect(await whole(async () => undefined)).toEqual(all)
    expect(await whole(() => f.put('n7'))).toEqual(all)
  })

  it('counts no remaining items under a selector, and fills its chunks', async () => {
    for (let i = 0; i < 30; i++) await f.put(`n${String(i).padStart(2, '0')}`, { labels: { third: String(i % 3) } })
    const matches: ListRequest['matches'] = (entry) => entry.object.metadata.labels?.['third'] === '0'
    const first = await ask({ limit: 4, matches })
    expect([names(first), first.remaining]).toEqual([['n00', 'n03', 'n06', 'n09'], undefined])
    await f.put('n12', { labels: { third: '1' } })
    const second = await ask({ limit: 4, matches, continueToken: first.continueToken ?? '' })
    expect(names(second)).toEqual(['n12', 'n15', 'n18', 'n21'])
    const third = await ask({ limit: 4, matches, continueToken: second.continueToken ?? '' })
    expect([names(third), third.continueToken]).toEqual([['n24', 'n27'], undefined])
  })

  it('goes on at the present state once its own is forgotten, if the client wants that', async () => {
    await fill(4)
    const first = await ask({ limit: 2 })
    await f.remove('n2')
    const now = await f.put('n9')
    await f.store.compact(now)
    const error = await fail({ limit: 2, continueToken: first.continueToken ?? '' })
    expect(error.status).toMatchObject({ code: 410, reason: 'Expired' })
    expect(error.message).toContain('The provided continue parameter is too old to display a consistent list result.')
    const token = (error.status.metadata as { continue: string }).continue
    expect(decodeContinue(token)).toEqual({ revision: -1, start: 'default/n1\0' })
    const rest = await ask({ limit: 2, continueToken: token })
    expect([names(rest), rest.revision]).toEqual([['n3', 'n9'], now])
  })

  it('refuses a token whose start is no key', async () => {
    await fill(3)
    for (const start of ['', 'n1\u{fffd}\0', '../n1', 'a//b']) {
      const { status } = await fail({ limit: 2, continueToken: encodeContinue({ revision: f.cache.revision, start }) })
      expect([status.code, status.message]).toEqual([400, expect.stringContaining('continue key is not valid')])
    }
  })

  it('says so also where nothing of what is listed has changed since', async () => {
    await fill(3)
    const first = await ask({ limit: 2 })
    const elsewhere = [{ type: 'put' as const, key: '/registry/elsewhere', value: Buffer.from('{}') }]
    await f.store.txn({ success: elsewhere })
    expect(names(await ask({ limit: 2, continueToken: first.continueToken ?? '' }))).toEqual(['n2'])
    await f.store.compact((await f.store.txn({ success: elsewhere })).revision)
    expect((await fail({ limit: 2, continueToken: first.continueToken ?? '' })).status).toMatchObject({ code: 410, reason: 'Expired' })
  })

  it('refuses a token that it did not make', async () => {
    const wrong = 'invalid continue token: continue key is not valid'
    await expect(ask({ continueToken: '!' })).rejects.toMatchObject({ code: 400, message: wrong })
    await expect(ask({ continueToken: encodeContinue({ revision: 0, start: 'a' }) })).rejects.toThrow(
      'incorrect encoded start resourceVersion',
    )
    await expect(ask({ continueToken: encodeContinue({ revision: 1, start: '../x' }) })).rejects.toThrow(`${wrong}: ../x`)
    await expect(ask({ continueToken: encodeContinue({ revision: 1, start: 'a' }), resourceVersion: '1' })).rejects.toThrow(
      'specifying resource version is not allowed when using continue',
    )
  })
})
