import { describe, expect, it } from 'vitest'
import { unifiedDiff } from './unified-diff.ts'

describe('unifiedDiff', () => {
  it('is empty for equal values', () => {
    expect(unifiedDiff({ a: 1 }, { a: 1 })).toBe('')
  })

  it('does not mind the order of members', () => {
    expect(unifiedDiff({ a: 1, b: { c: 1, d: 2 } }, { b: { d: 2, c: 1 }, a: 1 })).toBe('')
  })

  it('shows a changed line with three lines around it', () => {
    const before = { a: 1, b: 2, c: 3, d: 4, e: 5, f: 6, g: 7, h: 8, i: 9 }
    expect(unifiedDiff(before, { ...before, e: 50 })).toBe(
      ['@@ -3,7 +3,7 @@', '  "b": 2,', '  "c": 3,', '  "d": 4,', '- "e": 5,', '+ "e": 50,', '  "f": 6,', '  "g": 7,', '  "h": 8,', ''].join(
        '\n',
      ),
    )
  })

  it('keeps far changes in hunks of their own', () => {
    const list = Array.from({ length: 30 }, (_, i) => i)
    const changed = list.map((n) => (n === 2 || n === 25 ? -n : n))
    expect(unifiedDiff(list, changed).match(/^@@.*@@$/gm)).toEqual(['@@ -1,7 +1,7 @@', '@@ -24,7 +24,7 @@'])
  })

  it('shows what was added', () => {
    expect(unifiedDiff([1], [1, 2])).toBe(['@@ -1,3 +1,4 @@', ' [', '- 1', '+ 1,', '+ 2', ' ]', ''].join('\n'))
  })
})
