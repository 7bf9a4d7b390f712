import { describe, expect, it } from 'vitest'
import { LEVELS, LineParser, levelOf, timeText } from './line.ts'

const parse = (raw: string) => new LineParser().parse(raw)

describe('a line', () => {
  it('has its time apart, to the nanosecond', () => {
    const { sec, nano, text } = parse('2026-11-21T14:50:51.2Z hello')
    expect([timeText(sec, nano), text]).toEqual(['2026-11-21T14:50:51.200000000Z', 'hello'])
    const other = parse('2026-11-21T16:50:51.123456789+02:00 hello')
    expect(timeText(other.sec, other.nano)).toBe('2026-11-21T14:50:51.123456789Z')
    expect(parse('no time')).toMatchObject({ sec: 0, text: 'no time' })
  })
  it('loses the colours of terminals', () => {
    expect(parse('\u001b[31mERROR\u001b[0m down')).toMatchObject({ text: 'ERROR down', level: LEVELS.indexOf('err') })
  })
})

describe('a level', () => {
  it.each([
    ['ERROR: down', 'err'],
    ['12:00 [WARN] heap', 'warn'],
    ['{"ts":1,"level":"error","msg":"x"}', 'err'],
    ['time=1 level=warning msg=x', 'warn'],
    ['W1121 14:50:51.208 pkg.go:1] x', 'warn'],
    ['INFO ready', 'info'],
    ['GET /errors 200', ''],
    ['no error here', ''],
  ])('of %j is %j', (text, level) => {
    expect(LEVELS[levelOf(text)]).toBe(level)
  })
})
