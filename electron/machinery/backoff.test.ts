import { describe, expect, it } from 'vitest'
import { FakeClock } from '../base/fake-clock.ts'
import { seededRandom } from '../base/random.ts'
import { Backoff, KeyedBackoff } from './backoff.ts'

describe('Backoff', () => {
  it('grows to its limit and begins anew after a reset', () => {
    const backoff = new Backoff({ initial: 100, max: 1000, factor: 3 })
    expect([backoff.next(), backoff.next(), backoff.next(), backoff.next()]).toEqual([100, 300, 900, 1000])
    expect(backoff.attempts).toBe(4)
    backoff.reset()
    expect(backoff.next()).toBe(100)
  })

  it('adds a random part of up to its share', () => {
    const backoff = new Backoff({ initial: 100, max: 100, jitter: 0.5, random: seededRandom(7) })
    const waits = Array.from({ length: 200 }, () => backoff.next())
    expect(Math.min(...waits)).toBeGreaterThanOrEqual(100)
    expect(Math.max(...waits)).toBeLessThan(150)
    expect(new Set(waits).size).toBeGreaterThan(150)
  })
})

describe('KeyedBackoff', () => {
  it('grows for each key by itself, and begins anew after a quiet time', async () => {
    const clock = new FakeClock()
    const backoff = new KeyedBackoff<string>(clock, { initial: 10_000, max: 60_000 })
    expect([backoff.failed('a'), backoff.failed('a'), backoff.failed('a'), backoff.failed('a')]).toEqual([10_000, 20_000, 40_000, 60_000])
    expect(backoff.failed('b')).toBe(10_000)
    await clock.advance(120_001)
    expect(backoff.failed('a')).toBe(10_000)
  })

  it('tells who must still wait', async () => {
    const clock = new FakeClock()
    const backoff = new KeyedBackoff<string>(clock, { initial: 1000, max: 4000 })
    expect(backoff.isWaiting('a')).toBe(false)
    backoff.failed('a')
    expect([backoff.isWaiting('a'), backoff.get('a')]).toEqual([true, 1000])
    await clock.advance(1000)
    expect(backoff.isWaiting('a')).toBe(false)
    backoff.reset('a')
    expect(backoff.get('a')).toBe(0)
  })

  it('forgets keys that have been quiet', async () => {
    const clock = new FakeClock()
    const backoff = new KeyedBackoff<string>(clock, { initial: 1000, max: 4000 })
    backoff.failed('old')
    await clock.advance(8001)
    backoff.failed('new')
    backoff.collect()
    expect([backoff.get('old'), backoff.get('new')]).toEqual([0, 1000])
  })
})
