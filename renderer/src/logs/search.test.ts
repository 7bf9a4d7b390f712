import { describe, expect, it } from 'vitest'
import { parseQuery, pieces, type Query } from './search.ts'

const query = (typed: string) => parseQuery(typed) as Query

describe('what is searched for', () => {
  it('is text, in whatever case, or a pattern between slashes', () => {
    expect('x [a.B] y'.search(query('[A.b]').pattern)).toBe(2)
    expect('took 41 ms'.search(query('/\\d+ ms$/').pattern)).toBe(5)
    expect('Error'.search(query('/error/').pattern)).toBe(-1)
    expect('Error'.search(query('/error/i').pattern)).toBe(0)
  })
  it('is nothing, or no pattern', () => {
    expect(parseQuery('')).toBeNull()
    expect(parseQuery('/(/')).toHaveProperty('error')
  })
  it('is marked in the text', () => {
    expect(pieces('a-b-a', query('a'))).toEqual([
      { text: 'a', hit: true },
      { text: '-b-', hit: false },
      { text: 'a', hit: true },
    ])
  })
})
