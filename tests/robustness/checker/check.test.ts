import { beforeEach, describe, expect, it } from 'vitest'
import { FakeClock } from '../../../electron/base/fake-clock.ts'
import type { KeyValue, StoreEvent, TxnRequest } from '../../../electron/store/store.ts'
import { type Call, type Ending, History, type Operation, type WatchRecord } from '../history.ts'
import { deletion } from '../model/transaction.ts'
import { check } from './check.ts'

const ALL = { key: '\0', end: '\0' }
const TRAITS = { keepsCompactedDeletes: true, cutOffMayComeLate: false }

const kv = (key: string, value: string, modRevision: number, more: Partial<KeyValue> = {}): KeyValue => ({
  ...{ key, value: Buffer.from(value), createRevision: modRevision, modRevision, version: 1, lease: 0n },
  ...more,
})
const put = (key: string, value: string, lease?: bigint): TxnRequest => ({
  success: [{ type: 'put', key, value: Buffer.from(value), ...(lease ? { lease } : {}) }],
})
const written = (kv: KeyValue): StoreEvent => ({ type: 'put', kv })

describe('the judgement of a history', () => {
  let clock: FakeClock
  let history: History
  let everything: WatchRecord
  beforeEach(() => {
    clock = new FakeClock()
    history = new History(clock)
    everything = history.watch('everything', { ...ALL, startRevision: 1 })
  })

  const begin = (call: Call) => history.begin('client', call)
  const end = (operation: Operation, answer?: unknown, ending: Ending = answer === undefined ? 'unknown' : 'answered') => {
    operation.call = { ...operation.call, ...(answer === undefined ? {} : { answer }) } as Call
    history.end(operation, ending)
  }
  /** A put that is answered with its revision, or cut off. */
  const write = (key: string, value: string, revision?: number) => {
    const operation = begin({ type: 'txn', request: put(key, value) })
    end(operation, revision && { succeeded: true, revision, responses: [{ type: 'put' }] })
  }
  const read = (revision: number, ...kvs: KeyValue[]) =>
    end(begin({ type: 'range', request: ALL }), { revision, kvs, count: kvs.length, more: false })
  /** Tells the watcher of everything what happened, one revision after the other from 2 on, and judges. */
  const judge = (...revisions: StoreEvent[][]) => {
    revisions.forEach((events, i) => everything.batches.push({ at: history.now(), batch: { revision: i + 2, events } }))
    history.fault(JSON.stringify({ kind: 'kill' }))
    return check(history, TRAITS, revisions.length + 1).map(({ rule }) => rule)
  }

  it('accepts answers that fit one order', () => {
    write('a', '1', 2)
    read(2, kv('a', '1', 2))
    write('b', '1', 3)
    read(3, kv('a', '1', 2), kv('b', '1', 3))
    expect(judge([written(kv('a', '1', 2))], [written(kv('b', '1', 3))])).toEqual([])
  })

  it('finds a read that is older than what was known before it, but not one that is older than what became known meanwhile', () => {
    const slow = begin({ type: 'range', request: ALL })
    write('a', '1', 2)
    end(slow, { revision: 1, kvs: [], count: 0, more: false })
    expect(judge([written(kv('a', '1', 2))])).toEqual([])
    read(1)
    expect(check(history, TRAITS, 2).map(({ rule }) => rule)).toEqual(['stale'])
  })

  it('finds an answer that the state does not give', () => {
    write('a', '1', 2)
    read(2, kv('a', 'other', 2))
    expect(judge([written(kv('a', '1', 2))])).toEqual(['answer'])
  })

  it('finds an acknowledged write that is not there in the end', () => {
    write('a', '1', 2)
    write('a', '2', 3)
    expect(judge([written(kv('a', '1', 2))])).toEqual(['lost'])
  })

  it('finds a revision that two transactions were given', () => {
    write('a', '1', 2)
    write('b', '1', 2)
    expect(judge([written(kv('a', '1', 2))])).toContain('answer')
  })

  it('explains each revision that nobody was given by a request of its own that was cut off', () => {
    const events = [[written(kv('a', '1', 2))], [deletion('a', 3)], [written(kv('a', '1', 4))], [deletion('a', 5)]]
    write('a', '1')
    write('a', '1')
    const remove = () => end(begin({ type: 'txn', request: { success: [{ type: 'delete', key: 'a' }] } }))
    remove()
    remove()
    expect(judge(...events)).toEqual([])
  })

  it('finds a revision that no request explains, or only one that explains another already', () => {
    write('a', '1')
    expect(judge([written(kv('a', '1', 2))], [written(kv('a', '1', 3, { createRevision: 2, version: 2 }))])).toEqual(['unexplained'])
  })

  it('does not explain a revision by a request that was made when it had been seen, or that had ended before an earlier one began', () => {
    write('a', '1')
    write('b', '1', 2)
    expect(judge([written(kv('b', '1', 2))], [written(kv('a', '1', 3))])).toEqual(['unexplained'])
    write('a', '1')
    expect(check(history, TRAITS, 3).map(({ rule }) => rule)).toEqual(['unexplained'])
  })

  it('knows the end of a lease, and finds one that came too early', async () => {
    end(begin({ type: 'grant', id: 7n, ttl: 10 }), { id: 7n, ttl: 10 })
    const operation = begin({ type: 'txn', request: put('a', '1', 7n) })
    end(operation, { succeeded: true, revision: 2, responses: [{ type: 'put' }] })
    const events = [[written(kv('a', '1', 2, { lease: 7n }))], [deletion('a', 3)]]
    await clock.advance(9000)
    const early = judge(...events)
    expect(early).toEqual(['unexplained'])
    for (const record of everything.batches) Object.assign(record.at, { ms: record.at.ms + 1000 })
    expect(check(history, TRAITS, 3)).toEqual([])
  })

  it('finds what a watcher was not told, was told twice, in parts, or too early', () => {
    const events = [[written(kv('a', '1', 2)), written(kv('b', '1', 2))], [deletion('a', 3)]]
    end(begin({ type: 'txn', request: { success: [...put('a', '1').success, ...put('b', '1').success] } }))
    end(begin({ type: 'txn', request: { success: [{ type: 'delete', key: 'a' }] } }))
    expect(judge(...events)).toEqual([])
    const told = (...batches: [revision: number, events: StoreEvent[]][]) => {
      const watch = history.watch('other', { key: 'a', end: 'c', startRevision: 2, filter: {} })
      for (const [revision, list] of batches) watch.batches.push({ at: history.now(), batch: { revision, events: list } })
      const rules = check(history, TRAITS, 3).map(({ rule }) => rule)
      history.watches.pop()
      return rules
    }
    const [both, removal] = events as [StoreEvent[], StoreEvent[]]
    expect(told([2, both], [3, removal], [3, []])).toEqual([])
    expect(told([3, removal])).toEqual(['watch'])
    expect(told([2, both], [2, both])).toEqual(['watch'])
    expect(told([2, both.slice(0, 1)])).toEqual(['watch'])
    expect(told([2, both.toReversed()])).toEqual(['watch'])
    expect(told([2, both], [3, []], [3, removal])).toEqual(['watch'])
    expect(told([2, []], [3, removal])).toEqual(['watch'])
  })
})
