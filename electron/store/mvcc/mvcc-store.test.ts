import { beforeEach, describe, expect, it } from 'vitest'
import { FakeClock, settle } from '../../base/fake-clock.ts'
import { silentLogger } from '../../base/logger.ts'
import { seededRandom } from '../../base/random.ts'
import { StoreError } from '../store.ts'
import { brief, briefBatch, bytes, del, failure, put, reader, write } from '../testing/subject.ts'
import { heldBackend } from '../testing/held-backend.ts'
import { Keyspace } from './keyspace.ts'
import { MvccStore } from './mvcc-store.ts'

const ALL = { key: '\0', end: '\0' }

describe('a store whose disk takes its time', () => {
  let clock: FakeClock
  let backend: ReturnType<typeof heldBackend>
  let store: MvccStore
  let damagedRevision: number
  beforeEach(() => {
    clock = new FakeClock()
    backend = heldBackend({
      depth: 2,
      read: ({ value, revision }) => {
        if (revision === damagedRevision) throw new StoreError('corrupt', 'the value is damaged')
        return value ?? bytes('')
      },
    })
    damagedRevision = 0
    store = new MvccStore({ clock, backend, random: seededRandom(1), logger: silentLogger, space: new Keyspace(), leases: [] })
  })

  const list = async () => (await store.range(ALL)).kvs.map((kv) => brief(kv, 1))
  /** The next batch becomes durable, or fails. */
  const answer = async (error?: StoreError) => {
    await settle()
    const batch = backend.batches.shift()
    if (!batch) throw new Error('no batch is under way')
    if (error) batch.answer.reject(error)
    else batch.answer.resolve()
    await settle()
  }
  const full = new StoreError('noSpace', 'the disk is full')

  it('acknowledges, shows and announces a write when it is durable, not before', async () => {
    const watcher = reader(store.watch(ALL))
    let acknowledged = false
    const written = write(store, 'a', '1').then(() => (acknowledged = true))
    await settle()
    expect([acknowledged, await list(), (await store.status()).revision]).toEqual([false, [], 1])
    expect(await watcher.upToMark()).toEqual([])
    await answer()
    await written
    expect(await list()).toEqual(['a=1 1/1/1'])
    expect((await watcher.upToMark()).map((batch) => briefBatch(batch, 1))).toEqual(['1: put a=1 1/1/1'])
  })

  it('works out a transaction on top of those that are not durable yet, and answers in their order', async () => {
    const first = write(store, 'a', '1')
    await settle()
    const created = store.txn({ compare: [{ key: 'a', target: 'mod', result: 'equal', operand: 0 }], success: [put('a', '2')] })
    const second = store.txn({ success: [put('a', '3', { prevKv: true })] })
    await settle()
    expect(backend.batches.map(({ proposals }) => proposals.length)).toEqual([1, 1])
    await answer()
    expect(await first).toBe(2)
    await answer()
    expect((await created).succeeded).toBe(false)
    expect(await second).toMatchObject({ revision: 3, responses: [{ prevKv: { modRevision: 2 } }] })
  })

  it('writes together what was asked for while it was busy', async () => {
    const writes = [write(store, 'a', '1'), write(store, 'b', '2')]
    await settle()
    writes.push(write(store, 'c', '3'))
    await settle()
    writes.push(write(store, 'd', '4'), write(store, 'e', '5'))
    await settle()
    expect(backend.batches.map(({ proposals }) => proposals.length)).toEqual([2, 1])
    await answer()
    expect(backend.batches.map(({ proposals }) => proposals.length)).toEqual([1, 2])
    await answer()
    await answer()
    expect(await Promise.all(writes)).toEqual([2, 3, 4, 5, 6])
  })

  it('splits what is too much for one batch, and keeps the order', async () => {
    const writes = Array.from({ length: 1100 }, (_, i) => write(store, `k${i}`, 'x'))
    await settle()
    expect(backend.batches.map(({ proposals }) => proposals.length)).toEqual([512, 512])
    await answer()
    expect(backend.batches.map(({ proposals }) => proposals.length)).toEqual([512, 76])
    await answer()
    await answer()
    expect(await Promise.all(writes)).toEqual(Array.from({ length: 1100 }, (_, i) => i + 2))
    const large = Array.from({ length: 3 }, (_, i) => write(store, `k${i}`, 'x'.repeat(3_000_000)))
    await settle()
    expect(backend.batches.map(({ proposals }) => proposals.length)).toEqual([2, 1])
    await answer()
    await answer()
    await Promise.all(large)
  })

  it('does not answer a read in a transaction with what may still be lost', async () => {
    const failing = failure(write(store, 'a', '1'), 'noSpace')
    const read = failure(
      store.txn({ compare: [{ key: 'a', target: 'version', result: 'equal', operand: 1 }], success: [{ type: 'range', key: 'a' }] }),
      'noSpace',
    )
    await answer(full)
    await Promise.all([failing, read])
  })

  it('does not refuse for a reason that may still be lost', async () => {
    const kept = [write(store, 'a', '1'), store.lease.grant(100, 5n)]
    await answer()
    await Promise.all(kept)
    const failing = [
      failure(store.txn({ success: [del('a')] }), 'noSpace'),
      failure(store.lease.revoke(5n), 'noSpace'),
      failure(store.txn({ success: [put('a', '', { ignoreValue: true })] }), 'noSpace'),
      failure(write(store, 'b', '1', { lease: 5n }), 'noSpace'),
      failure(store.lease.keepAlive(5n), 'noSpace'),
      failure(store.lease.revoke(5n), 'noSpace'),
    ]
    await answer(full)
    await Promise.all(failing)
    expect(await store.lease.keepAlive(5n)).toEqual({ ttl: 100 })
  })

  it('fails by name whatever was built on a write that failed, and goes on from the last durable state', async () => {
    const kept = [write(store, 'a', '1'), store.lease.grant(100, 5n)]
    await answer()
    await Promise.all(kept)
    const watcher = reader(store.watch(ALL))
    const lost = [
      write(store, 'a', '2', { lease: 5n }),
      store.txn({ success: [put('b', '1'), del('a')] }),
      store.lease.grant(100, 6n),
      store.compact(2),
    ].map((work) => failure(work, 'noSpace'))
    await settle()
    lost.push(failure(write(store, 'c', '1', { lease: 6n }), 'noSpace'), failure(store.lease.revoke(5n), 'noSpace'))
    await settle()
    lost.push(failure(write(store, 'd', '1'), 'noSpace'))
    expect(backend.batches).toHaveLength(2)
    backend.batches[1]?.answer.reject(new StoreError('unavailable', 'a write that it depended on failed'))
    await answer(full)
    backend.batches.length = 0
    await Promise.all(lost)
    expect(await list()).toEqual(['a=1 1/1/1'])
    expect(await store.status()).toMatchObject({ revision: 2, compactRevision: 0, keys: 1 })
    expect(await store.lease.list()).toEqual([5n])
    expect((await store.lease.timeToLive(5n, { keys: true })).keys).toEqual([])
    expect(await watcher.upToMark()).toEqual([])

    const again = [write(store, 'a', '3', { lease: 5n }), store.compact(2)]
    await answer()
    expect(await Promise.all(again)).toEqual([3, undefined])
    expect(await list()).toEqual(['a=3 1/2/2 @5'])
    expect((await watcher.upToMark()).map((batch) => briefBatch(batch, 1))).toEqual(['2: put a=3 1/2/2 @5'])
  })

  it('tries again, once a second, to take away the keys of an expired lease', async () => {
    const kept = [store.lease.grant(1, 5n), write(store, 'a', '1', { lease: 5n })]
    await answer()
    await Promise.all(kept)
    await clock.advance(1000)
    await answer(full)
    expect(backend.batches).toHaveLength(0)
    await clock.advance(500)
    expect(backend.batches).toHaveLength(0)
    await clock.advance(500)
    await answer()
    expect(await list()).toEqual([])
    expect(await store.lease.list()).toEqual([])
  })

  it('finishes what it accepted before it closes', async () => {
    const written = write(store, 'a', '1')
    let closed = false
    const closing = store[Symbol.asyncDispose]().then(() => (closed = true))
    await settle()
    expect(closed).toBe(false)
    await answer()
    expect(await written).toBe(2)
    await closing
  })

  it('tells those whose write fails while it closes', async () => {
    const written = failure(write(store, 'a', '1'), 'noSpace')
    const closing = store[Symbol.asyncDispose]()
    await answer(full)
    await written
    await closing
  })

  it('ends a watcher whose previous value is damaged, and nobody else', async () => {
    const written = write(store, 'a', '1')
    await answer()
    await written
    damagedRevision = 2
    const withPrevious = reader(store.watch({ key: 'a', prevKv: true }))
    const plain = reader(store.watch({ key: 'a' }))
    const again = write(store, 'a', '2')
    await answer()
    expect(await again).toBe(3)
    expect((await failure(withPrevious.next(), 'corrupt')).message).toBe('the value is damaged')
    expect((await plain.next()).revision).toBe(3)
  })
})
