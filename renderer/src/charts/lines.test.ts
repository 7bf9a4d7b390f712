import { expect, it } from 'vitest'
import { extentOf, tableOf } from './lines.ts'

it('what is least and most leaves out gaps; now is the newest, which may be on its way', () => {
  expect(extentOf([null, 3, null, 1, 2])).toEqual({ now: 2, least: 1, most: 3 })
  expect(extentOf([1, 5, null])).toEqual({ now: 5, least: 1, most: 5 })
  expect(extentOf([null, null])).toEqual({ now: null, least: null, most: null })
})

it('a table has means of steps, the newest first, and gaps', () => {
  const line = { label: 'a', color: 'src-1', values: [1, 3, null, null, 5, null] }
  expect(tableOf(1000, 10, [line], 3)).toEqual([
    { at: 1040, values: [5] },
    { at: 1020, values: [null] },
    { at: 1000, values: [2] },
  ])
})
