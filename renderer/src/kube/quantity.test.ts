import { describe, expect, it } from 'vitest'
import { amount, bytes, byteParts, cores, memoryQuantity, parseQuantity, percent } from './quantity.ts'

describe('quantities', () => {
  it('are read with each kind of suffix', () => {
    expect(['100m', '2', '1.5Gi', '64Mi', '1k', '2e3', '5n', '.5'].map(parseQuantity)).toEqual([
      0.1,
      2,
      1.5 * 2 ** 30,
      64 * 2 ** 20,
      1000,
      2000,
      5e-9,
      0.5,
    ])
  })
  it('are NaN where they are none, and 0 in sums', () => {
    for (const bad of ['', '12 Mi', '1mi', 'abc', '1Kib', undefined]) expect(parseQuantity(bad)).toBeNaN()
    expect(amount(undefined)).toBe(0)
  })
})

describe('what is shown', () => {
  it('keeps cores short', () => {
    expect([0, 0.05, 0.25, 1, 1.5, 11.84, 128].map(cores)).toEqual(['0', '50m', '250m', '1', '1.5', '11.8', '128'])
  })
  it('picks the unit of bytes', () => {
    expect([0, 512, 2 ** 20 * 255, 1.7 * 2 ** 30, 61.2 * 2 ** 30].map(bytes)).toEqual(['0 B', '512 B', '255 Mi', '1.7 Gi', '61.2 Gi'])
    expect(byteParts(512 * 2 ** 20, 'Gi')).toEqual({ value: '0.5', unit: 'Gi' })
  })
  it('writes memory as Kubernetes would', () => {
    expect([384 * 2 ** 20, 2 * 2 ** 30, 1].map(memoryQuantity)).toEqual(['384Mi', '2Gi', '1Mi'])
  })
  it('is 0% of nothing', () => {
    expect([percent(1, 3), percent(5, 0)]).toEqual([33, 0])
  })
})
