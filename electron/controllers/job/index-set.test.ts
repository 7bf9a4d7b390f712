import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { IndexSet } from './index-set.ts'

const LIMIT = 40
const indexes = fc.uniqueArray(fc.nat(LIMIT - 1))
const sorted = (list: Iterable<number>) => [...new Set(list)].sort((a, b) => a - b)
const all = Array.from({ length: LIMIT }, (_, i) => i)

describe('index sets', () => {
  it('write runs of three and more with a hyphen, as Kubernetes does', () => {
    expect(IndexSet.of([7, 1, 2, 5, 4, 3, 9, 10]).toString()).toBe('1-5,7,9,10')
    expect(IndexSet.of([]).toString()).toBe('')
  })

  it('read what they wrote, but nothing from the limit on and nothing that is no number', () => {
    expect(IndexSet.parse('0,3-6,9', 6).toString()).toBe('0,3-5')
    expect(IndexSet.parse('x,2,4-y', 10).toString()).toBe('2')
    expect(IndexSet.parse(undefined, 10).size).toBe(0)
  })

  it('are sets', () => {
    fc.assert(
      fc.property(indexes, indexes, fc.nat(LIMIT), (a, b, count) => {
        const [x, y] = [IndexSet.of(a), IndexSet.of(b)]
        expect(IndexSet.parse(x.toString(), LIMIT).toString()).toBe(x.toString())
        expect(x.size).toBe(a.length)
        expect(all.filter((i) => x.has(i))).toEqual(sorted(a))
        expect(x.union(y).toString()).toBe(IndexSet.of(sorted([...a, ...b])).toString())
        expect(x.common(y)).toBe(a.filter((i) => b.includes(i)).length)
        expect(x.missing(count, LIMIT)).toEqual(all.filter((i) => !a.includes(i)).slice(0, count))
      }),
      { seed: 5, numRuns: 300 },
    )
  })
})
