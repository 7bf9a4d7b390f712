import { describe, expect, it } from 'vitest'
import { AmountSum, amountIn, milliOf, unitsOf } from './amounts.ts'

describe('amounts', () => {
  it.each([
    ['100m', 100],
    ['2', 2000],
    ['0.5', 500],
    ['1e1', 10_000],
    ['1500u', 2],
  ])('%s cpu is %d thousandths of a core', (text, milli) => {
    expect(milliOf(text)).toBe(milli)
  })

  it.each([
    ['64Mi', 67_108_864],
    ['1.5Gi', 1_610_612_736],
    ['10k', 10_000],
    ['128974848', 128_974_848],
    ['1500m', 2],
  ])('%s is %d units', (text, units) => {
    expect(unitsOf(text)).toBe(units)
  })

  it('sums what is counted by name and leaves other names out', () => {
    const sum = AmountSum.of({ cpu: '1', memory: '1Gi', 'example.com/gpu': '2', 'hugepages-2Mi': '4Mi', storage: '9Gi' })
    sum.add(AmountSum.of({ cpu: '500m', 'example.com/gpu': '1' }))
    expect([sum.milliCpu, amountIn(sum, 'example.com/gpu'), amountIn(sum, 'hugepages-2Mi'), amountIn(sum, 'storage')]).toEqual([
      1500, 3, 4_194_304, 0,
    ])
    sum.add(AmountSum.of({ 'example.com/gpu': '3' }), -1)
    expect(amountIn(sum, 'example.com/gpu')).toBe(0)
  })

  it('raises each amount to the larger one', () => {
    const sum = AmountSum.of({ cpu: '1', memory: '1Gi' })
    sum.raise(AmountSum.of({ cpu: '500m', memory: '2Gi', 'example.com/gpu': '1' }))
    expect([sum.milliCpu, sum.memory, amountIn(sum, 'example.com/gpu')]).toEqual([1000, 2 ** 31, 1])
  })
})
