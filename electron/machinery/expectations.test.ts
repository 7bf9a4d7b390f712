import { describe, expect, it } from 'vitest'
import { FakeClock } from '../base/fake-clock.ts'
import { Expectations } from './expectations.ts'

describe('Expectations', () => {
  it('hold an owner up until all creations are seen', () => {
    const expectations = new Expectations(new FakeClock())
    expect(expectations.satisfied('a')).toBe(true)
    expectations.expectCreations('a', 2)
    expectations.creationObserved('a')
    expect(expectations.satisfied('a')).toBe(false)
    expect(expectations.satisfied('b')).toBe(true)
    expectations.creationObserved('a')
    expect(expectations.satisfied('a')).toBe(true)
  })

  it('count the deletion of an object once, however often it is seen', () => {
    const expectations = new Expectations(new FakeClock())
    expectations.expectDeletions('a', ['x', 'y'])
    expectations.deletionObserved('a', 'x')
    expectations.deletionObserved('a', 'x')
    expectations.deletionObserved('a', 'unknown')
    expect(expectations.satisfied('a')).toBe(false)
    expectations.deletionObserved('a', 'y')
    expect(expectations.satisfied('a')).toBe(true)
  })

  it('count deletions by number where names are not known', () => {
    const expectations = new Expectations(new FakeClock())
    expectations.expectDeletionCount('a', 1)
    expect(expectations.satisfied('a')).toBe(false)
    expectations.deletionObserved('a')
    expect(expectations.satisfied('a')).toBe(true)
  })

  it('can be raised, replaced and forgotten', () => {
    const expectations = new Expectations(new FakeClock())
    expectations.expectCreations('a', 1)
    expectations.raise('a', 1, 1)
    expectations.creationObserved('a')
    expectations.creationObserved('a')
    expect(expectations.satisfied('a')).toBe(false)
    expectations.deletionObserved('a')
    expect(expectations.satisfied('a')).toBe(true)
    expectations.expectCreations('a', 5)
    expectations.expectCreations('a', 0)
    expect(expectations.satisfied('a')).toBe(true)
    expectations.expectCreations('a', 5)
    expectations.forget('a')
    expect(expectations.satisfied('a')).toBe(true)
  })

  it('hold nobody up for ever', async () => {
    const clock = new FakeClock()
    const expectations = new Expectations(clock)
    expectations.expectCreations('a', 1)
    await clock.advance(5 * 60_000)
    expect(expectations.satisfied('a')).toBe(false)
    await clock.advance(1)
    expect(expectations.satisfied('a')).toBe(true)
    expect(expectations.untilSatisfied('a')).toBeNull()
    expectations.expectCreations('a', 1)
    await clock.advance(expectations.untilSatisfied('a') ?? 0)
    expect(expectations.satisfied('a')).toBe(true)
  })
})
