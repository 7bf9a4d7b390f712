import { describe, expect, it } from 'vitest'
import { dayTime, elapsed, longAge, shortAge } from './format.ts'

const NOW = Date.parse('2026-11-21T12:00:00Z')

describe('ages', () => {
  it('are short in tables', () => {
    expect(shortAge('2026-11-21T11:59:51Z', NOW)).toBe('9s')
    expect(shortAge('2026-11-21T11:41:00Z', NOW)).toBe('19m')
    expect(shortAge('2026-11-19T12:00:00Z', NOW)).toBe('2d')
  })
  it('are long in sentences', () => {
    expect(longAge('2026-11-21T11:59:51Z', NOW)).toBe('9 s')
    expect(longAge('2026-11-21T11:41:00Z', NOW)).toBe('19 min')
    expect(longAge('2026-11-21T08:59:00Z', NOW)).toBe('3 h')
  })
  it('say nothing of what has no time, and never count backwards', () => {
    expect(shortAge(undefined, NOW)).toBe('–')
    expect(longAge('not a time', NOW)).toBe('–')
    expect(shortAge('2026-11-21T12:00:04Z', NOW)).toBe('0s')
  })
})

describe('elapsed', () => {
  it('grows coarser as it grows', () => {
    expect([400, 53_100, 125_000, 12_000_000, 200_000_000].map(elapsed)).toEqual(['0.4 s', '53.1 s', '2 min 5 s', '3 h 20 min', '2 d 7 h'])
  })
})

describe('a time of day', () => {
  it('names the day unless it is today', () => {
    expect(dayTime(new Date(NOW).toISOString(), NOW)).toMatch(/^\d\d:\d\d$/)
    expect(dayTime('2026-11-18T12:00:00Z', NOW)).toMatch(/^Nov 18, \d\d:\d\d$/)
  })
})
