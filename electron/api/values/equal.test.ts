import { describe, expect, it } from 'vitest'
import { semanticEqual } from './equal.ts'

describe('semanticEqual', () => {
  it.each<[unknown, unknown]>([
    [
      { a: 1, b: [1, { c: 2 }] },
      { b: [1, { c: 2 }], a: 1 },
    ],
    [{ a: undefined }, {}],
    [{ a: null }, {}],
    [{ a: [] }, {}],
    [undefined, null],
  ])('%j is the same as %j', (a, b) => {
    expect(semanticEqual(a, b)).toBe(true)
  })

  it.each<[unknown, unknown]>([
    [{ a: 1 }, { a: 2 }],
    [{ a: {} }, {}],
    [{ a: 0 }, {}],
    [
      [1, 2],
      [2, 1],
    ],
    [[1], { 0: 1 }],
    ['1', 1],
  ])('%j is not the same as %j', (a, b) => {
    expect(semanticEqual(a, b)).toBe(false)
  })
})
