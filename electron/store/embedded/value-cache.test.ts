import { describe, expect, it } from 'vitest'
import { type KeyEntry, Version } from '../mvcc/version.ts'
import { ValueCache } from './value-cache.ts'

const version = (seq: number, size = 100) => {
  const entry: KeyEntry = { key: `k${seq}`, head: null }
  return new Version(entry, { seq, revision: seq, sub: 0, createRevision: seq, version: 1, lease: 0n, size }, new Uint8Array(size))
}

describe('ValueCache', () => {
  it('keeps no more bytes than allowed, and lets go of the oldest first', () => {
    const cache = new ValueCache(1000)
    const versions = Array.from({ length: 5000 }, (_, i) => version(i + 1))
    for (const each of versions) cache.add(each)
    expect(cache.bytes).toBe(1000)
    expect(versions.map(({ value }) => value !== null).lastIndexOf(false)).toBe(4989)
    expect(versions.slice(-10).every(({ value }) => value !== null)).toBe(true)
  })

  it('gives what was read since a second chance', () => {
    const cache = new ValueCache(300)
    const [a, b, c, d, e] = [version(1), version(2), version(3), version(4), version(5)]
    for (const each of [a, b, c]) cache.add(each)
    a.touched = true
    cache.add(d)
    expect([a, b, c, d].map(({ value }) => value !== null)).toEqual([true, false, true, true])
    cache.add(e)
    expect([a, c, d, e].map(({ value }) => value !== null)).toEqual([true, false, true, true])
  })

  it('counts what is dropped, once', () => {
    const cache = new ValueCache(300)
    const [a, b] = [version(1), version(2)]
    for (const each of [a, b]) cache.add(each)
    cache.drop(a)
    cache.drop(a)
    expect([cache.bytes, a.value]).toEqual([100, null])
    for (let i = 3; i < 10; i++) cache.add(version(i))
    expect([cache.bytes, b.value]).toEqual([300, null])
  })

  it('does not hold a large buffer for a small value in it', () => {
    const cache = new ValueCache(1_000_000)
    const entry: KeyEntry = { key: 'k', head: null }
    const facts = { seq: 1, revision: 2, sub: 0, createRevision: 2, version: 1, lease: 0n, size: 10 }
    const small = new Version(entry, facts, new Uint8Array(1_000_000).subarray(5, 15).fill(7))
    cache.add(small)
    expect(small.value?.buffer.byteLength).toBe(10)
    expect([...(small.value ?? [])]).toEqual(Array(10).fill(7))
  })
})
