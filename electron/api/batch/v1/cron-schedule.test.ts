import { describe, expect, it } from 'vitest'
import { isTimeZone, scheduleFault } from './cron-schedule.ts'

describe('a schedule', () => {
  it.each([
    '* * * * *',
    '*/5 0-6,12 1 jan-MAR sun',
    '0 0 ? * mon-fri/2',
    '10/15 * * * *',
    '  1   2 3 4  5 ',
    '@daily',
    '@every 1h30m',
    'TZ=Europe/Paris 0 6 * * *',
    'CRON_TZ=UTC @hourly',
  ])('%j is one', (schedule) => {
    expect(scheduleFault(schedule)).toBeNull()
  })

  it.each([
    ['* * * *', 'expected exactly 5 fields, found 4: [* * * *]'],
    ['* * * * * *', 'expected exactly 5 fields, found 6: [* * * * * *]'],
    ['60 * * * *', 'end of range (60) above maximum (59): 60'],
    ['* * 0 * *', 'beginning of range (0) below minimum (1): 0'],
    ['5-1 * * * *', 'beginning of range (5) beyond end of range (1): 5-1'],
    ['*/0 * * * *', 'step of range should be a positive number: */0'],
    ['1-2-3 * * * *', 'too many hyphens: 1-2-3'],
    ['1/2/3 * * * *', 'too many slashes: 1/2/3'],
    ['a * * * *', 'failed to parse int from a: strconv.Atoi: parsing "a": invalid syntax'],
    ['* * * * 7', 'end of range (7) above maximum (6): 7'],
    ['@sometimes', 'unrecognized descriptor: @sometimes'],
    ['@every day', 'failed to parse duration @every day: time: invalid duration "day"'],
    ['TZ=Mars/Olympus * * * * *', 'provided bad location Mars/Olympus: unknown time zone Mars/Olympus'],
  ])('%j is none: %s', (schedule, fault) => {
    expect(scheduleFault(schedule)).toBe(fault)
  })
})

it.each([
  ['Europe/Berlin', true],
  ['UTC', true],
  ['America/Argentina/Buenos_Aires', true],
  ['Europe/../Berlin', false],
  ['/Europe', false],
  ['Nowhere', false],
  ['+02:00', false],
])('%j is a time zone: %s', (name, is) => {
  expect(isTimeZone(name)).toBe(is)
})
