import { describe, expect, it } from 'vitest'
import type { Clock } from '../../base/clock.ts'
import { FakeClock } from '../../base/fake-clock.ts'
import { Wakefulness } from './wakefulness.ts'

describe('wakefulness', () => {
  it('lasts while time goes on evenly', async () => {
    const clock = new FakeClock()
    const wakefulness = new Wakefulness(clock)
    using _ = wakefulness.watch()
    const begin = wakefulness.check()
    await clock.advance(3_600_000)
    expect(wakefulness.check()).toBe(begin)
  })

  it('begins anew after a sleep, for whoever asks first', async () => {
    const clock = new FakeClock()
    const wakefulness = new Wakefulness(clock)
    using _ = wakefulness.watch()
    await clock.advance(60_000)
    clock.jump(16_000)
    expect(wakefulness.check()).toBe(clock.monotonic())
  })

  it('sees a sleep of which only the wall clock tells', () => {
    const fake = new FakeClock()
    let wall = 0
    const clock: Clock = {
      now: () => fake.now() + wall,
      monotonic: () => fake.monotonic() - 7,
      setTimeout: (fn, ms) => fake.setTimeout(fn, ms),
      setInterval: (fn, ms) => fake.setInterval(fn, ms),
    }
    const wakefulness = new Wakefulness(clock)
    const begin = wakefulness.check()
    wall = 10_000
    expect(wakefulness.check()).toBe(begin)
    wall = 3_600_000
    fake.jump(1)
    expect(wakefulness.check()).toBe(begin + 1)
  })
})
