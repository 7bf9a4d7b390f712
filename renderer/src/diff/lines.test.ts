import { describe, expect, it } from 'vitest'
import { diffLines, folded } from './lines.ts'

const text = (lines: ReturnType<typeof diffLines>) => lines.map((line) => line.sign + line.parts.map((part) => part.text).join(''))

describe('a diff', () => {
  it('is the fewest lines that differ', () => {
    expect(text(diffLines('a\nb\nc\n', 'a\nx\nc\nd\n'))).toEqual([' a', '-b', '+x', ' c', '+d'])
  })
  it('numbers lines in both texts', () => {
    expect(diffLines('a\nb\n', 'b\n').map((line) => [line.sign, line.old, line.new])).toEqual([
      ['-', 1, null],
      [' ', 2, 1],
    ])
  })
  it('marks what changed within a line', () => {
    const [old, now] = diffLines('  memory: 12Gi\n', '  memory: 10Gi\n')
    expect(old?.parts.filter((part) => part.changed)).toEqual([{ text: '2', changed: true }])
    expect(now?.parts.filter((part) => part.changed)).toEqual([{ text: '0', changed: true }])
  })
  it('knows texts that are equal, empty, or have nothing in common', () => {
    expect(text(diffLines('a\n', 'a\n'))).toEqual([' a'])
    expect(diffLines('', '')).toEqual([])
    expect(text(diffLines('a\nb\n', 'c\n'))).toEqual(['-a', '-b', '+c'])
    expect(text(diffLines('', 'a\n'))).toEqual(['+a'])
  })
  it('applies: minus and equal lines are the old text, plus and equal lines the new one', () => {
    const before = 'a b c a b b a'.split(' ').join('\n')
    const after = 'c b a b a c'.split(' ').join('\n')
    const lines = diffLines(before, after)
    const side = (signs: string) =>
      lines
        .filter((line) => signs.includes(line.sign))
        .map((line) => line.parts.map((part) => part.text).join(''))
        .join('\n')
    expect([side(' -'), side(' +')]).toEqual([before, after])
  })
  it('folds what is equal and far from a change', () => {
    const before = Array.from({ length: 20 }, (_, i) => String(i)).join('\n')
    const rows = folded(diffLines(before, before.replace('10', 'ten')), 2)
    expect(rows[0]).toEqual({ fold: 8 })
    expect(rows.at(-1)).toEqual({ fold: 7 })
  })
})
