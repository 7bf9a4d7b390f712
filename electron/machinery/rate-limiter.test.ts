import { describe, expect, it } from 'vitest'
import { FakeClock } from '../base/fake-clock.ts'
import { bucketLimiter, controllerRateLimiter, exponentialLimiter, maxOfLimiters } from './rate-limiter.ts'

describe('exponentialLimiter', () => {
  it('doubles for each key by itself, up to the limit', () => {
    const limiter = exponentialLimiter<string>(5, 60)
    expect(Array.from({ length: 6 }, () => limiter.when('a'))).toEqual([5, 10, 20, 40, 60, 60])
    expect(limiter.when('b')).toBe(5)
    limiter.forget('a')
    expect([limiter.retries('a'), limiter.retries('b'), limiter.when('a')]).toEqual([0, 1, 5])
  })

  it('does not overflow', () => {
    const limiter = exponentialLimiter<string>(5, 1_000_000)
    for (let i = 0; i < 5000; i++) limiter.when('a')
    expect(limiter.when('a')).toBe(1_000_000)
  })
})

describe('bucketLimiter', () => {
  it('lets a burst pass, then spreads the rest, and fills up again', async () => {
    const clock = new FakeClock()
    const limiter = bucketLimiter<string>(clock, 10, 3)
    expect(Array.from({ length: 5 }, () => limiter.when('x'))).toEqual([0, 0, 0, 100, 200])
    await clock.advance(10_000)
    expect(Array.from({ length: 4 }, () => limiter.when('x'))).toEqual([0, 0, 0, 100])
    expect(limiter.retries('x')).toBe(0)
  })
})

describe('controllerRateLimiter', () => {
  it('takes the longer wait of key and bucket', () => {
    const limiter = controllerRateLimiter<string>(new FakeClock())
    for (let i = 0; i < 100; i++) limiter.when(`k${i}`)
    expect(limiter.when('late')).toBe(100)
    expect(limiter.retries('late')).toBe(1)
    limiter.forget('late')
    expect(limiter.retries('late')).toBe(0)
    expect(maxOfLimiters(exponentialLimiter(7, 9), exponentialLimiter(3, 9)).when('x')).toBe(7)
  })
})
