import { describe, expect, it } from 'vitest'
import { expand, expandStrictly } from './expand.ts'

const env = new Map([
  ['A', 'one'],
  ['B', '$(A)'],
  ['EMPTY', ''],
])
const lookup = (name: string) => env.get(name)

describe('expand', () => {
  it.each([
    ['$(A)', 'one'],
    ['x$(A)y$(A)', 'xoneyone'],
    ['$(EMPTY)', ''],
    ['$(NONE)', '$(NONE)'],
    ['$$(A)', '$(A)'],
    ['$$$(A)', '$one'],
    ['$$$$(A)', '$$(A)'],
    ['$(A', '$(A'],
    ['$A', '$A'],
    ['50% of $', '50% of $'],
    ['$()', '$()'],
  ])('makes of %s: %s', (text, wanted) => {
    expect(expand(text, lookup)).toBe(wanted)
  })

  it('does not expand what came out of an expansion', () => {
    expect(expand('$(B)', lookup)).toBe('$(A)')
  })

  it('refuses unknown names where it must know them all', () => {
    expect(expandStrictly('$(A)/x', lookup)).toBe('one/x')
    expect(() => expandStrictly('$(NONE)/x', lookup)).toThrow('missing value for "NONE"')
  })
})
