import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { normalizeMicroTime, normalizeTime } from './time-text.ts'

fc.configureGlobal({ seed: 1 })

const LAYOUT = '2006-01-02T15:04:05Z07:00'
const faultOf = (normalize: (text: string) => unknown, text: string): string => {
  try {
    normalize(text)
  } catch (error) {
    return (error as Error).message
  }
  return 'no fault'
}

describe('normalizeTime', () => {
  it.each([
    ['2026-11-21T08:00:00Z', '2026-11-21T08:00:00Z'],
    ['2026-11-21T08:00:00.999Z', '2026-11-21T08:00:00Z'],
    ['2026-11-21T08:00:00,5Z', '2026-11-21T08:00:00Z'],
    ['2026-11-21T00:30:00+01:00', '2026-11-20T23:30:00Z'],
    ['2026-11-21T23:30:00-01:30', '2026-11-22T01:00:00Z'],
    ['2024-02-29T00:00:00Z', '2024-02-29T00:00:00Z'],
    ['0099-01-31T00:00:00Z', '0099-01-31T00:00:00Z'],
    ['0001-01-01T00:00:00Z', undefined],
    ['0001-01-01T01:00:00+01:00', undefined],
  ])('reads %s', (text, expected) => {
    expect(normalizeTime(text)).toBe(expected)
  })

  it('leaves what it wrote', () => {
    fc.assert(
      fc.property(fc.date({ min: new Date('0002-01-01'), max: new Date('9999-01-01'), noInvalidDate: true }), (date) => {
        const text = normalizeTime(date.toISOString())
        expect(text).toBe(`${date.toISOString().slice(0, 19)}Z`)
        expect(normalizeTime(text ?? '')).toBe(text)
      }),
    )
  })

  it.each([
    ['', `parsing time "" as "${LAYOUT}": cannot parse "" as "2006"`],
    ['2026', `parsing time "2026" as "${LAYOUT}": cannot parse "" as "-"`],
    ['2026-1-02T00:00:00Z', `parsing time "2026-1-02T00:00:00Z" as "${LAYOUT}": cannot parse "1-02T00:00:00Z" as "01"`],
    ['2026-11-21 08:00:00Z', `parsing time "2026-11-21 08:00:00Z" as "${LAYOUT}": cannot parse " 08:00:00Z" as "T"`],
    ['2026-11-21T08:00:00', `parsing time "2026-11-21T08:00:00" as "${LAYOUT}": cannot parse "" as "Z07:00"`],
    ['2026-13-21T08:00:00Z', 'parsing time "2026-13-21T08:00:00Z": month out of range'],
    ['2026-02-29T08:00:00Z', 'parsing time "2026-02-29T08:00:00Z": day out of range'],
    ['2026-11-00T08:00:00Z', 'parsing time "2026-11-00T08:00:00Z": day out of range'],
    ['2026-11-21T24:00:00Z', 'parsing time "2026-11-21T24:00:00Z": hour out of range'],
    ['2026-11-21T08:60:00Z', 'parsing time "2026-11-21T08:60:00Z": minute out of range'],
    ['2026-11-21T08:00:60Z', 'parsing time "2026-11-21T08:00:60Z": second out of range'],
    ['2026-11-21T08:00:00Zx', 'parsing time "2026-11-21T08:00:00Zx": extra text: "x"'],
  ])('refuses %j in the words of Go', (text, message) => {
    expect(faultOf(normalizeTime, text)).toBe(message)
  })
})

describe('normalizeMicroTime', () => {
  it.each([
    ['2026-11-21T08:00:00.000001Z', '2026-11-21T08:00:00.000001Z'],
    ['2026-11-21T09:00:00.123456+01:00', '2026-11-21T08:00:00.123456Z'],
    ['0001-01-01T00:00:00.000000Z', undefined],
  ])('reads %s', (text, expected) => {
    expect(normalizeMicroTime(text)).toBe(expected)
  })

  it('wants six decimals', () => {
    const layout = '2006-01-02T15:04:05.000000Z07:00'
    expect(faultOf(normalizeMicroTime, '2026-11-21T08:00:00Z')).toBe(
      `parsing time "2026-11-21T08:00:00Z" as "${layout}": cannot parse "Z" as ".000000"`,
    )
    expect(faultOf(normalizeMicroTime, '2026-11-21T08:00:00.1234567Z')).toBe(
      `parsing time "2026-11-21T08:00:00.1234567Z" as "${layout}": cannot parse "7Z" as "Z07:00"`,
    )
  })
})
