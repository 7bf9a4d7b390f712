import fc from 'fast-check'
import { beforeEach, describe, expect, it } from 'vitest'
import { defineKind } from '../api/kind.ts'
import type { KubeObject } from '../api/meta/v1/object.ts'
import { FakeClock, settle } from '../base/fake-clock.ts'
import { silentLogger } from '../base/logger.ts'
import { seededRandom } from '../base/random.ts'
import { forbidden, unavailable } from '../machinery/status.ts'
import type { Informer, Informers } from './informer.ts'
import { createInformers } from './informers.ts'
import { ListWatchServer } from './testing/list-watch-server.ts'

interface Thing extends KubeObject {
  size: number
}
const things = defineKind<Thing>({
  group: 'test.example',
  version: 'v1',
  kind: 'Thing',
  resource: 'things',
  model: 'Thing',
  namespaced: true,
})

let server: ListWatchServer<Thing>
let clock: FakeClock
beforeEach(() => {
  server = new ListWatchServer()
  clock = new FakeClock()
})

const put = (name: string, size = 1, uid = name, namespace = 'default') =>
  server.put({ apiVersion: 'test.example/v1', kind: 'Thing', metadata: { name, namespace, uid }, size })
const informersOf = (): Informers => createInformers(server.client, { clock, logger: silentLogger, random: seededRandom(1) })
const shown = (informer: Informer<Thing>) =>
  informer
    .list()
    .map((o) => `${o.metadata.name}=${o.size}`)
    .sort()

function record(informer: Informer<Thing>): string[] {
  const seen: string[] = []
  informer.on({
    add: (o) => seen.push(`+${o.metadata.name}=${o.size}`),
    update: (o, old) => seen.push(`~${o.metadata.name}=${old.size}>${o.size}`),
    delete: (o) => seen.push(`-${o.metadata.name}=${o.size}`),
  })
  return seen
}

describe('an informer', () => {
  it('hands out the first list before it says that it is synced, then each change in order', async () => {
    put('a')
    put('b')
    await using informers = informersOf()
    const informer = informers.for(things)
    const seen = record(informer)
    expect(informer.synced).toBe(false)
    const synced = informer.whenSynced().then(() => seen.push('synced'))
    await informers.start()
    await synced
    put('a', 2)
    server.remove('b', 'default')
    put('c')
    await settle()
    expect(seen).toEqual(['+a=1', '+b=1', 'synced', '~a=1>2', '-b=1', '+c=1'])
    expect(shown(informer)).toEqual(['a=2', 'c=1'])
    expect(informer.get('default', 'a')?.size).toBe(2)
    expect(informer.get('other', 'a')).toBeUndefined()
  })

  it('reads long lists in pages', async () => {
    for (let i = 0; i < 1100; i++) put(`t${i}`)
    await using informers = informersOf()
    const informer = informers.for(things)
    await informers.start()
    expect(informer.list().length).toBe(1100)
    expect(server.calls.slice(0, 3)).toEqual(['list', 'list 500', 'list 1000'])
  })

  it('gives a late handler every present object, and a disposed one nothing more', async () => {
    put('a')
    await using informers = informersOf()
    const informer = informers.for(things)
    await informers.start()
    const seen: string[] = []
    const handler = informer.on({ add: (o) => seen.push(o.metadata.name) })
    expect(seen).toEqual(['a'])
    handler[Symbol.dispose]()
    put('b')
    await settle()
    expect(seen).toEqual(['a'])
  })

  it('is not stopped by a handler that throws', async () => {
    await using informers = informersOf()
    const informer = informers.for(things)
    informer.on({
      add() {
        throw new Error('handler')
      },
    })
    const seen = record(informer)
    await informers.start()
    put('a')
    put('b')
    await settle()
    expect(seen).toEqual(['+a=1', '+b=1'])
  })

  it('is shared by all who ask for the same selection, and starts when asked for later', async () => {
    put('a')
    await using informers = informersOf()
    await informers.start()
    const informer = informers.for(things, { labelSelector: 'x=y' })
    expect(informers.for(things, { labelSelector: 'x=y' })).toBe(informer)
    expect(informers.for(things)).not.toBe(informer)
    await informer.whenSynced()
    expect(shown(informer)).toEqual(['a=1'])
    expect(informers.kinds).toEqual([things])
  })

  it('finds objects by index through additions, changes and deletions', async () => {
    put('a', 1)
    put('b', 1)
    await using informers = informersOf()
    const informer = informers.for(things)
    informer.addIndex('size', (o) => [String(o.size)])
    await informers.start()
    const names = (size: number) =>
      informer
        .byIndex('size', String(size))
        .map((o) => o.metadata.name)
        .sort()
    expect(names(1)).toEqual(['a', 'b'])
    put('a', 2)
    server.remove('b', 'default')
    await settle()
    expect([names(1), names(2)]).toEqual([[], ['a']])
    expect(() => informer.byIndex('nope', '')).toThrow('no index')
  })

  it('rejects those who wait when it is stopped before its first list', async () => {
    server.failNext(...Array.from({ length: 20 }, () => unavailable('down')))
    const informers = informersOf()
    const informer = informers.for(things)
    const started = informers.start()
    const waiting = informer.whenSynced()
    await settle()
    await informers[Symbol.asyncDispose]()
    await expect(waiting).rejects.toThrow('stopped before its first list')
    await expect(started).rejects.toThrow()
    expect(clock.pending).toBe(0)
  })

  it('leaves no watch and no timer behind', async () => {
    const informers = informersOf()
    informers.for(things)
    await informers.start()
    expect(server.watchers).toBe(1)
    await informers[Symbol.asyncDispose]()
    expect([server.watchers, clock.pending]).toEqual([0, 0])
    expect(() => informers.for(things, { namespace: 'x' })).toThrow('stopped')
  })
})

describe('when the watch is lost an informer', () => {
  const started = async () => {
    put('a')
    put('b')
    const informers = informersOf()
    const informer = informers.for(things)
    const seen = record(informer)
    await informers.start()
    await clock.advance(20_000)
    seen.length = 0
    server.calls.length = 0
    return { informers, informer, seen }
  }

  it('goes on from the last revision it saw, a bookmark included, without listing', async () => {
    const { informers, informer, seen } = await started()
    await using _ = informers
    server.bookmark()
    await settle()
    server.endWatches()
    put('c')
    await settle()
    expect(server.calls).toEqual(['watch 4'])
    expect(seen).toEqual(['+c=1'])
    expect(informer.staleSince).toBeNull()
  })

  it('says since when its copy may be stale, tries again with growing pauses, and lists anew after three faults', async () => {
    const { informers, informer, seen } = await started()
    await using _ = informers
    server.failNext(unavailable('1'), unavailable('2'), unavailable('3'))
    server.endWatches(unavailable('0'))
    await settle()
    const since = clock.now()
    expect(informer.staleSince).toBe(since)
    put('c')
    await clock.advance(299)
    expect(server.calls.filter((call) => call.startsWith('watch')).length).toBeGreaterThan(0)
    expect(informer.staleSince).toBe(since)
    await clock.advance(10_000)
    expect(server.calls.at(-1)).toBe('watch 4')
    expect(server.calls).toContain('list')
    expect(seen).toEqual(['+c=1'])
    expect(informer.staleSince).toBeNull()
  })

  it('tries again at once when it hears that the server is back', async () => {
    const { informers, informer, seen } = await started()
    await using _ = informers
    server.failNext(...Array.from({ length: 8 }, (_, i) => unavailable(String(i))))
    server.endWatches(unavailable('down'))
    await clock.advance(60_000)
    expect(informer.staleSince).not.toBeNull()
    put('c')
    await clock.advance(1000)
    expect(seen).toEqual([])
    informers.retryNow()
    await settle()
    expect(seen).toEqual(['+c=1'])
  })

  it('lists anew when history is gone, at once, and hands out only the difference', async () => {
    const { informers, informer, seen } = await started()
    await using _ = informers
    server.failNext(unavailable('down'))
    server.endWatches(unavailable('down'))
    await settle()
    put('a', 5)
    server.remove('b', 'default')
    put('c')
    server.compact()
    await clock.advance(5_000)
    expect(seen).toEqual(['-b=1', '~a=1>5', '+c=1'])
    expect(shown(informer)).toEqual(['a=5', 'c=1'])
  })

  it('tells a deleted and made again object from a changed one', async () => {
    const { informers, seen } = await started()
    await using _ = informers
    server.endWatches(unavailable('down'))
    await settle()
    server.remove('a', 'default')
    put('a', 7, 'another')
    server.compact()
    await clock.advance(5_000)
    expect(seen).toEqual(['-a=1', '+a=7'])
  })

  it('does not ask in a loop when every watch ends at once or is refused', async () => {
    const { informers } = await started()
    await using _ = informers
    server.failNext(...Array.from({ length: 1000 }, () => forbidden({ group: '', resource: 'things' }, '', 'no')))
    server.endWatches()
    await clock.advance(60_000)
    expect(server.calls.length).toBeGreaterThan(3)
    expect(server.calls.length).toBeLessThan(30)
  })
})

it('whatever happens, an informer ends with what the server has, and its handlers saw a consistent story', async () => {
  const step = fc.oneof(
    fc.record({ do: fc.constant('put' as const), name: fc.constantFrom('a', 'b', 'c'), size: fc.nat(9) }),
    fc.record({ do: fc.constant('remove' as const), name: fc.constantFrom('a', 'b', 'c') }),
    fc.constantFrom(
      { do: 'bookmark' as const },
      { do: 'break' as const },
      { do: 'end' as const },
      { do: 'compact' as const },
      { do: 'wait' as const },
    ),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      server = new ListWatchServer()
      clock = new FakeClock()
      const truth = new Map<string, number>()
      await using informers = informersOf()
      const informer = informers.for(things)
      const told = new Map<string, number>()
      informer.on({
        add(o) {
          expect(told.has(o.metadata.name)).toBe(false)
          told.set(o.metadata.name, o.size)
        },
        update(o, old) {
          expect(told.get(o.metadata.name)).toBe(old.size)
          told.set(o.metadata.name, o.size)
        },
        delete: (o) => expect(told.delete(o.metadata.name)).toBe(true),
      })
      await informers.start()
      let uid = 0
      for (const one of steps) {
        if (one.do === 'put') {
          put(one.name, one.size, truth.has(one.name) ? (informer.get('default', one.name)?.metadata.uid ?? String(uid)) : String(++uid))
          truth.set(one.name, one.size)
        } else if (one.do === 'remove') {
          server.remove(one.name, 'default')
          truth.delete(one.name)
        } else if (one.do === 'bookmark') server.bookmark()
        else if (one.do === 'break') server.endWatches(unavailable('broken'))
        else if (one.do === 'end') server.endWatches()
        else if (one.do === 'compact') server.compact()
        else await clock.advance(3000)
      }
      await clock.advance(120_000)
      expect(shown(informer)).toEqual([...truth].map(([name, size]) => `${name}=${size}`).sort())
      expect([...told].map(([name, size]) => `${name}=${size}`).sort()).toEqual(shown(informer))
    }),
    { numRuns: 60, seed: 7 },
  )
})
