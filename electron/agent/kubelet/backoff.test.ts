import { expect, it } from 'vitest'
import { FakeClock } from '../../base/fake-clock.ts'
import { Backoff } from './backoff.ts'

const OPTIONS = { initial: 10_000, max: 300_000 }

it('lets the first failure pass at once, then waits twice as long each time, up to a limit', async () => {
  const clock = new FakeClock()
  const backoff = new Backoff(clock, OPTIONS)
  const waits: number[] = []
  for (let i = 0; i < 8; i++) {
    const failed = clock.now()
    waits.push(backoff.remaining('a', failed))
    await clock.advance(backoff.remaining('a', failed))
    backoff.next('a', failed)
  }
  expect(waits).toEqual([0, 10_000, 20_000, 40_000, 80_000, 160_000, 300_000, 300_000])
})

it('counts the wait from the failure, and each key for itself', async () => {
  const clock = new FakeClock()
  const backoff = new Backoff(clock, OPTIONS)
  backoff.next('a', clock.now())
  const failed = clock.now()
  await clock.advance(4000)
  expect(backoff.remaining('a', failed)).toBe(6000)
  expect(backoff.remaining('b', failed)).toBe(0)
})

it('begins anew after ten good minutes, and what is forgotten', async () => {
  const clock = new FakeClock()
  const backoff = new Backoff(clock, OPTIONS)
  for (let i = 0; i < 5; i++) backoff.next('a', clock.now())
  await clock.advance(600_001)
  expect(backoff.remaining('a', clock.now())).toBe(0)
  backoff.next('a', clock.now())
  expect(backoff.delay('a')).toBe(10_000)
  backoff.next('uid/b', clock.now())
  backoff.forgetAll('uid/')
  expect(backoff.delay('uid/b')).toBe(0)
})
