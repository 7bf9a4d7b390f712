import { describe, expect, it } from 'vitest'
import { FakeClock } from '../../base/fake-clock.ts'
import { Pace } from './pace.ts'

describe('Pace', () => {
  it.each([
    [0, 0],
    [99, 0],
    [100, 100],
    [700, 700],
    [5000, 1000],
  ])('holds what has %i parts back for %i ms', async (parts, wait) => {
    const clock = new FakeClock()
    const pace = new Pace(clock)
    expect(pace.untilDue('a')).toBe(0)
    pace.began('a', parts)
    expect([pace.untilDue('a'), pace.untilDue('b')]).toEqual([wait, 0])
    await clock.advance(wait)
    expect(pace.untilDue('a')).toBe(0)
  })

  it('holds nothing back that shrank or is gone', () => {
    const pace = new Pace(new FakeClock())
    for (const key of ['a', 'b']) pace.began(key, 1000)
    pace.began('a', 1)
    pace.forget('b')
    expect([pace.untilDue('a'), pace.untilDue('b')]).toEqual([0, 0])
  })
})
