import { describe, expect, it } from 'vitest'
import { goRegExp } from './go-regexp.ts'

describe('a pattern of Go', () => {
  it.each([
    ['^(\\d+|\\*)(/\\d+)?(\\s+(\\d+|\\*)(/\\d+)?){4}$', '*/5 * * * *', '* * *'],
    ['^[[:alpha:]_-]+$', 'a_-', 'a1'],
    ['(?i)^abc$', 'ABC', 'abcd'],
    ['^(?P<name>a)$', 'a', 'b'],
    ['\\Aa\\z', 'a', 'a\n'],
    ['^a{b}$', 'a{b}', 'ab'],
    ['^[]a]+$', ']a', 'b'],
    ['^a\\-b\\@c$', 'a-b@c', 'abc'],
    ['^\\Qa.b\\E$', 'a.b', 'axb'],
    ['^[\\w.-]+$', 'a.b-c', 'a b'],
    ['^.$', '😀', 'ab'],
  ])('%s takes and refuses', (pattern, taken, refused) => {
    expect(goRegExp(pattern).test(taken)).toBe(true)
    expect(goRegExp(pattern).test(refused)).toBe(false)
  })

  it.each(['a(?=b)', 'a(?!b)', '(?<=a)b', '(a)\\1', 'a(', '[b-a]', 'a**', '\\y'])('%s is refused as Go does', (pattern) => {
    expect(() => goRegExp(pattern)).toThrow(/^error parsing regexp: /)
  })

  it('takes no longer for a pattern that other engines try in all ways', () => {
    expect(goRegExp('^(a+)+$').test(`${'a'.repeat(20_000)}b`)).toBe(false)
  })

  it('finds all places, or as many as wanted', () => {
    expect(goRegExp('[0-9]+').find('a1b22c333')).toEqual(['1', '22', '333'])
    expect(goRegExp('[0-9]+').find('a1b22c333', 1)).toEqual(['1'])
    expect(goRegExp('x').find('abc')).toEqual([])
  })
})
