import { expect, it } from 'vitest'
import { barHeight, lastPosition, positionAt, scaleOf, topOf, TALLEST } from './scroll.ts'

it('a list that a browser can lay out is as long as its rows', () => {
  const shape = { rows: 1000, rowHeight: 18, height: 180 }
  expect([barHeight(shape), scaleOf(shape), lastPosition(shape)]).toEqual([18_000, 1, 990])
  expect(positionAt(shape, 9000)).toBeCloseTo(500)
  expect(topOf(shape, 500)).toBeCloseTo(9000)
})

it('a longer one has its ends where they belong', () => {
  const shape = { rows: 2_000_000, rowHeight: 18, height: 600 }
  expect(barHeight(shape)).toBe(TALLEST)
  expect(positionAt(shape, 0)).toBe(0)
  expect(positionAt(shape, TALLEST - 600)).toBeCloseTo(lastPosition(shape))
  for (const position of [0, 1234.5, 1_999_000]) expect(positionAt(shape, topOf(shape, position))).toBeCloseTo(position, 3)
})

it('one that is shorter than what is seen does not move', () => {
  const shape = { rows: 3, rowHeight: 18, height: 600 }
  expect([lastPosition(shape), positionAt(shape, 50), topOf(shape, 2)]).toEqual([0, 0, 0])
})
