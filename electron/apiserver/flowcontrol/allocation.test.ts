import { describe, expect, it } from 'vitest'
import { allocate, limitsOf } from './allocation.ts'
import { Demand } from './demand.ts'

describe('the seats of a server', () => {
  it('are divided by shares, and lent and borrowed within bounds', () => {
    const levels = [
      { shares: 30, lendablePercent: 33, borrowingPercent: null },
      { shares: 10, lendablePercent: 0, borrowingPercent: 50 },
      { shares: 0, lendablePercent: 0, borrowingPercent: null },
    ]
    expect(limitsOf(levels, 100)).toEqual([
      { nominal: 75, min: 50, max: 175 },
      { nominal: 25, min: 25, max: 38 },
      { nominal: 0, min: 0, max: 100 },
    ])
  })

  const limits = { nominal: 50, min: 10, max: 150 }
  it('go to who needs them, while the others keep what they do not lend', () => {
    const { seats } = allocate(
      [
        { limits, high: 90, smooth: 90 },
        { limits, high: 0, smooth: 0 },
      ],
      100,
    )
    expect(seats).toEqual([90, 10])
  })

  it('come back to who needs its own again', () => {
    const { seats } = allocate(
      [
        { limits, high: 90, smooth: 90 },
        { limits, high: 60, smooth: 20 },
      ],
      100,
    )
    expect(seats).toEqual([50, 50])
  })

  it('are not given beyond what may be borrowed', () => {
    const { seats } = allocate(
      [
        { limits: { ...limits, max: 60 }, high: 90, smooth: 90 },
        { limits, high: 1, smooth: 1 },
      ],
      100,
    )
    expect(seats[0]).toBe(60)
  })
})

describe('demand', () => {
  it('is what was wanted over the period, and is forgotten slowly', () => {
    const demand = new Demand(0)
    demand.set(10, 0)
    demand.set(0, 500)
    expect(demand.take(1000)).toEqual({ high: 10, average: 5, deviation: 5 })
    expect(demand.smooth).toBe(10)
    expect(demand.take(2000)).toEqual({ high: 0, average: 0, deviation: 0 })
    expect(demand.smooth).toBeCloseTo(9.77)
    expect(demand.idle).toBe(false)
  })
})
