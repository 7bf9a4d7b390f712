import { describe, expect, it } from 'vitest'
import { parseLine, type LogRow } from './line.ts'
import { Matches, parseQuery, pieces, type Query } from './search.ts'

const query = (typed: string) => parseQuery(typed) as Query
const lines = (from: number, ...texts: string[]): LogRow[] => texts.map((text, i) => parseLine(text, from + i))

describe('finding in a log', () => {
  it('takes what is typed as it is, in any case', () => {
    expect(pieces('GET /pay?x=1 (Timeout)', query('/pay?x')).filter((p) => p.hit)).toEqual([{ text: '/pay?x', hit: true }])
    expect(pieces('Timeout timeout', query('TIMEOUT')).filter((p) => p.hit)).toHaveLength(2)
  })
  it('takes a pattern between slashes, and says what is wrong with one', () => {
    expect(pieces('order=51877', query(String.raw`/order=\d+/`))).toEqual([{ text: 'order=51877', hit: true }])
    expect(parseQuery('/(/')).toHaveProperty('error')
    expect(parseQuery('')).toBeNull()
  })
  it('looks at new lines only, and forgets those that were dropped', () => {
    const matches = new Matches(query('a'))
    const rows = lines(1, 'a', 'b', 'a')
    expect(matches.update(rows)).toEqual([1, 3])
    const more = [...rows.slice(1), ...lines(4, 'a')]
    expect(matches.update(more)).toEqual([3, 4])
  })
  it('marks lines alike before and after others were looked at', () => {
    const timeout = query('timeout')
    new Matches(timeout).update(lines(1, 'a long line before the timeout'))
    expect(pieces('timeout', timeout)).toEqual([{ text: 'timeout', hit: true }])
  })
  it('never loops on a pattern that matches nothing', () => {
    expect(pieces('abc', query('/x*/'))).toEqual([{ text: 'abc', hit: false }])
  })
})
