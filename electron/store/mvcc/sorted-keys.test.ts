import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { covers, SortedKeys } from './sorted-keys.ts'

const keys = fc.string({ unit: fc.constantFrom('\0', 'a', 'b', '\xff'), minLength: 1, maxLength: 6 })

function walked(sorted: SortedKeys<{ key: string }>, range: { key: string; end?: string }): string[] {
  const found: string[] = []
  sorted.walk(range, ({ key }) => {
    found.push(key)
    return true
  })
  return found
}

const byKey = (keys: readonly string[]) => new Map(keys.map((key) => [key, { key }]))

describe('SortedKeys', () => {
  it('walks any range in order, after any insertions and removals', () => {
    fc.assert(
      fc.property(
        fc.array(keys, { maxLength: 50 }),
        fc.array(fc.record({ key: keys, insert: fc.boolean() }), { maxLength: 200 }),
        fc.record({ key: keys, end: fc.oneof(keys, fc.constant('\0')) }),
        (initial, steps, range) => {
          const expected = new Set(initial)
          const sorted = new SortedKeys(byKey(initial))
          for (const { key, insert } of steps) {
            if (!insert) {
              sorted.remove(key)
              expected.delete(key)
            } else if (!expected.has(key)) {
              sorted.insert({ key })
              expected.add(key)
            }
          }
          expect(sorted.size).toBe(expected.size)
          expect(walked(sorted, { key: '\0', end: '\0' })).toEqual([...expected].sort())
          expect(walked(sorted, range)).toEqual([...expected].filter((key) => covers(range, key)).sort())
          expect(walked(sorted, { key: range.key })).toEqual(expected.has(range.key) ? [range.key] : [])
        },
      ),
      { seed: 1, numRuns: 300 },
    )
  })

  it('stays in order over many chunks', () => {
    const name = (i: number) => `k${String((i * 7919) % 10_000).padStart(5, '0')}`
    const sorted = new SortedKeys<{ key: string }>()
    for (let i = 0; i < 10_000; i++) sorted.insert({ key: name(i) })
    for (let i = 0; i < 10_000; i += 2) sorted.remove(name(i))
    const left = Array.from({ length: 5000 }, (_, i) => name(2 * i + 1)).sort()
    expect(walked(sorted, { key: 'k', end: 'l' })).toEqual(left)
    expect(walked(sorted, { key: 'k05', end: 'k051' })).toEqual(left.filter((key) => key.startsWith('k050')))
  })

  it('stops where the visitor says', () => {
    const sorted = new SortedKeys(byKey(['a', 'b', 'c']))
    const seen: string[] = []
    sorted.walk({ key: 'a', end: '\0' }, ({ key }) => seen.push(key) < 2)
    expect(seen).toEqual(['a', 'b'])
  })
})
