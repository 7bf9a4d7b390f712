import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseSchedule } from './schedule.ts'
import { wallClock } from './wall-clock.ts'

const MINUTE = 60_000
const iso = (instant: number | null) => (instant === null ? null : new Date(instant).toISOString().replace('.000', ''))

/** The next times after an instant. */
function runs(schedule: string, after: string, count: number, timeZone?: string): (string | null)[] {
  const next = (instant: number) => parseSchedule(schedule, timeZone).next(instant)
  const out: (string | null)[] = []
  for (let time = next(Date.parse(after)); out.length < count && time !== null; time = next(time)) out.push(iso(time))
  return out
}

describe('schedules', () => {
  it('know lists, ranges, steps and names', () => {
    expect(runs('*/20 8-10/2 * * *', '2026-01-01T08:05:00Z', 5)).toEqual([
      '2026-01-01T08:20:00Z',
      '2026-01-01T08:40:00Z',
      '2026-01-01T10:00:00Z',
      '2026-01-01T10:20:00Z',
      '2026-01-01T10:40:00Z',
    ])
    expect(runs('0 0 1 feb,JUN ?', '2026-01-15T00:00:00Z', 2)).toEqual(['2026-02-01T00:00:00Z', '2026-06-01T00:00:00Z'])
    expect(runs('30 6 * * Mon-Tue', '2026-01-01T00:00:00Z', 2)).toEqual(['2026-01-05T06:30:00Z', '2026-01-06T06:30:00Z'])
    expect(runs('50/5 * * * *', '2026-01-01T00:00:00Z', 3)).toEqual([
      '2026-01-01T00:50:00Z',
      '2026-01-01T00:55:00Z',
      '2026-01-01T01:50:00Z',
    ])
  })

  it('take a date or a weekday where both are given', () => {
    const both = runs('0 0 13 * fri', '2026-03-01T00:00:00Z', 4)
    expect(both).toEqual(['2026-03-06T00:00:00Z', '2026-03-13T00:00:00Z', '2026-03-20T00:00:00Z', '2026-03-27T00:00:00Z'])
    expect(runs('0 0 13 * *', '2026-03-01T00:00:00Z', 1)).toEqual(['2026-03-13T00:00:00Z'])
  })

  it('have short names', () => {
    const after = '2026-01-02T03:04:05Z'
    expect(runs('@hourly', after, 1)).toEqual(['2026-01-02T04:00:00Z'])
    expect(runs('@daily', after, 1)).toEqual(['2026-01-03T00:00:00Z'])
    expect(runs('@weekly', after, 1)).toEqual(['2026-01-04T00:00:00Z'])
    expect(runs('@monthly', after, 1)).toEqual(['2026-02-01T00:00:00Z'])
    expect(runs('@yearly', after, 1)).toEqual(['2027-01-01T00:00:00Z'])
    expect(runs('@every 1m30s', after, 2)).toEqual(['2026-01-02T03:05:35Z', '2026-01-02T03:07:05Z'])
  })

  it('find days that are years away, and none where there is none', () => {
    expect(runs('0 0 29 2 *', '2026-01-01T00:00:00Z', 1)).toEqual(['2028-02-29T00:00:00Z'])
    expect(runs('0 0 31 2 *', '2026-01-01T00:00:00Z', 1)).toEqual([])
  })

  it('say what is wrong', () => {
    expect(() => parseSchedule('61 * * * *')).toThrow('end of range (61) above maximum (59): 61')
    expect(() => parseSchedule('* * * * *', 'Mars/Olympus')).toThrow(RangeError)
  })

  it('go by the clocks of their zone', () => {
    expect(runs('0 9 * * *', '2026-01-01T00:00:00Z', 1, 'Asia/Shanghai')).toEqual(['2026-01-01T01:00:00Z'])
    expect(runs('0 9 * * *', '2026-01-01T02:00:00Z', 1, 'Asia/Shanghai')).toEqual(['2026-01-02T01:00:00Z'])
    expect(runs('15 0 1 * *', '2026-01-01T00:00:00Z', 1, 'Asia/Kathmandu')).toEqual(['2026-01-31T18:30:00Z'])
  })

  it('leave out what the clock leaps over, and come twice when it shows a time twice', () => {
    expect(runs('30 2 * * *', '2026-03-07T12:00:00Z', 1, 'America/New_York')).toEqual(['2026-03-09T06:30:00Z'])
    expect(runs('30 1 * * *', '2026-10-31T12:00:00Z', 3, 'America/New_York')).toEqual([
      '2026-11-01T05:30:00Z',
      '2026-11-01T06:30:00Z',
      '2026-11-02T06:30:00Z',
    ])
    expect(runs('0 0 * * *', '2026-03-28T12:00:00Z', 2, 'Europe/Berlin')).toEqual(['2026-03-28T23:00:00Z', '2026-03-29T22:00:00Z'])
    // There is no midnight on this day in Beirut.
    expect(runs('0 * 29 3 *', '2026-03-28T12:00:00Z', 1, 'Asia/Beirut')).toEqual(['2026-03-28T22:00:00Z'])
  })

  it('find the same as a look at every minute', () => {
    const number = (min: number, max: number) =>
      fc.oneof(
        { weight: 2, arbitrary: fc.constant('*') },
        fc.integer({ min, max }).map(String),
        fc.integer({ min: 2, max: 7 }).map((step) => `*/${step}`),
      )
    const fields = fc.tuple(number(0, 59), number(0, 23), number(1, 28), number(1, 12), number(0, 6))
    const zone = fc.constantFrom('UTC', 'Europe/Berlin', 'Australia/Lord_Howe', 'America/St_Johns', 'Asia/Beirut', 'Africa/Cairo')
    // Around the days on which clocks change.
    const start = fc.constantFrom('2026-03-07', '2026-03-28', '2026-04-04', '2026-04-23', '2026-10-03', '2026-10-24', '2026-10-29')
    const matches = (text: string, value: number) => text === '*' || (text.startsWith('*/') ? null : Number(text) === value)
    fc.assert(
      fc.property(fields, zone, start, fc.nat(1440), ([minute, hour, day, month, weekday], timeZone, date, offset) => {
        const clock = wallClock(timeZone)
        const after = Date.parse(`${date}T00:00:00Z`) + offset * MINUTE
        const step = (text: string, value: number, min: number) => matches(text, value) ?? (value - min) % Number(text.slice(2)) === 0
        const fits = (instant: number) => {
          const wall = clock.at(instant)
          const [onDate, onWeekday] = [step(day, wall.day, 1), step(weekday, wall.weekday, 0)]
          const onDay = day === '*' || weekday === '*' ? onDate && onWeekday : onDate || onWeekday
          return onDay && step(minute, wall.minute, 0) && step(hour, wall.hour, 0) && step(month, wall.month, 1)
        }
        let expected: number | null = null
        const limit = after + 3 * 1440 * MINUTE
        for (let time = after + MINUTE; time <= limit && expected === null; time += MINUTE) if (fits(time)) expected = time
        const found = parseSchedule([minute, hour, day, month, weekday].join(' '), timeZone).next(after)
        expect(found !== null && found <= limit ? iso(found) : null).toBe(iso(expected))
      }),
      { seed: 4, numRuns: 60 },
    )
  })

  it('write instants with the distance of the zone', () => {
    const instant = Date.parse('2026-07-01T00:00:00Z')
    expect(wallClock().format(instant)).toBe('2026-07-01T00:00:00Z')
    expect(wallClock('Asia/Kolkata').format(instant)).toBe('2026-07-01T05:30:00+05:30')
    expect(wallClock('America/New_York').format(instant)).toBe('2026-06-30T20:00:00-04:00')
  })
})
