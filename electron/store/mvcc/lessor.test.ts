import { beforeEach, describe, expect, it } from 'vitest'
import { FakeClock } from '../../base/fake-clock.ts'
import { seededRandom } from '../../base/random.ts'
import type { LeaseId } from '../store.ts'
import { Lessor } from './lessor.ts'

describe('Lessor', () => {
  let clock: FakeClock
  let expired: LeaseId[]
  let lessor: Lessor
  beforeEach(() => {
    clock = new FakeClock()
    expired = []
    lessor = new Lessor({
      clock,
      random: seededRandom(1),
      expire: (id) => {
        expired.push(id)
        lessor.remove(id)
      },
    })
  })

  it('rings once for each lease, at its time', async () => {
    lessor.add(lessor.make(10, 1n))
    lessor.add(lessor.make(5, 2n))
    await clock.advance(4999)
    expect(expired).toEqual([])
    await clock.advance(1)
    expect(expired).toEqual([2n])
    await clock.advance(5000)
    expect(expired).toEqual([2n, 1n])
    await clock.advance(60_000)
    expect([expired.length, clock.pending]).toEqual([2, 0])
  })

  it('gives each lease its whole time again after the machine slept', async () => {
    lessor.add(lessor.make(10, 1n))
    lessor.add(lessor.make(3600, 2n))
    await clock.advance(4000)
    clock.jump(3_600_000)
    await clock.advance(6000)
    expect(expired).toEqual([])
    await clock.advance(9999)
    expect(expired).toEqual([])
    await clock.advance(1)
    expect(expired).toEqual([1n])
    expect(lessor.describe(2n, false).ttl).toBeGreaterThan(3500)
  })

  it('has no timer while there is no lease', () => {
    expect(clock.pending).toBe(0)
    lessor.add(lessor.make(10))
    expect(clock.pending).toBe(1)
    lessor[Symbol.dispose]()
    expect(clock.pending).toBe(0)
  })

  it('chooses positive ids of 63 bits', () => {
    for (let i = 0; i < 100; i++) {
      const { id } = lessor.make(10)
      expect(id > 0n && id < 2n ** 63n).toBe(true)
    }
  })
})
