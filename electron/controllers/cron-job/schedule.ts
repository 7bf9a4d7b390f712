/**
 * When a schedule comes round. Five fields (minute, hour, day of month, month, day of week) of lists, ranges, steps and names; or
 * "@hourly" and the like, or "@every 90s". As in Kubernetes (robfig/cron v3) a day fits if its date or its weekday does where both are
 * given; a time that the clock leaps over does not come that day, and one that it shows twice comes twice. Instants are milliseconds
 * since the epoch.
 */
import { scheduleFault } from '../../api/batch/v1/cron-schedule.ts'
import { parseDurationNanos } from '../../api/values/duration.ts'
import { wallClock, type WallClock, type WallTime } from './wall-clock.ts'

export interface Schedule {
  /** The first time after `instant`; null if there is none in five years. */
  next(instant: number): number | null
}

const SECOND = 1000
const MINUTE = 60 * SECOND
const DAY = 24 * 60 * MINUTE
const HORIZON = 5 * 366 * DAY

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']
const WEEKDAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat']

const DESCRIPTORS: Readonly<Record<string, string>> = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
}

const EVERY = '@every '

/**
 * Without a zone it is UTC: that of a desktop changes with its owner's travels. Throws an Error that says what is wrong with the text,
 * and RangeError for an unknown zone.
 */
export function parseSchedule(text: string, timeZone?: string): Schedule {
  const fault = scheduleFault(text)
  if (fault) throw new Error(fault)
  if (text.startsWith(EVERY)) return every(Number((parseDurationNanos(text.slice(EVERY.length)) ?? 0n) / 1_000_000n))
  const fields = (DESCRIPTORS[text] ?? text).split(/\s+/).filter(Boolean)
  const [minute = '', hour = '', day = '', month = '', weekday = ''] = fields
  return fieldSchedule(
    {
      minute: parseField(minute, 0, 59),
      hour: parseField(hour, 0, 23),
      day: parseField(day, 1, 31),
      month: parseField(month, 1, 12, MONTHS),
      weekday: parseField(weekday, 0, 6, WEEKDAYS),
    },
    wallClock(timeZone),
  )
}

/** In whole seconds, and at least one. */
function every(ms: number): Schedule {
  const delay = Math.max(SECOND, Math.floor(ms / SECOND) * SECOND)
  return { next: (instant) => Math.floor(instant / SECOND) * SECOND + delay }
}

interface Field {
  readonly values: ReadonlySet<number>
  /** Says nothing: "*". */
  readonly open: boolean
}

function parseField(text: string, min: number, max: number, names: readonly string[] = []): Field {
  const values = new Set<number>()
  let open = false
  const numberOf = (part: string) => {
    const named = names.indexOf(part.toLowerCase())
    return named < 0 ? Number(part) : named + min
  }
  for (const item of text.split(',').filter(Boolean)) {
    const [range = '', stepText] = item.split('/')
    const [first = '', last] = range.split('-')
    const all = first === '*' || first === '?'
    const step = stepText === undefined ? 1 : Number(stepText)
    const start = all ? min : numberOf(first)
    const end = all || (last === undefined && stepText !== undefined) ? max : numberOf(last ?? first)
    for (let value = start; value <= end; value += step) values.add(value)
    open ||= all && step === 1
  }
  return { values, open }
}

interface Fields {
  readonly minute: Field
  readonly hour: Field
  readonly day: Field
  readonly month: Field
  readonly weekday: Field
}

function isDay({ day, month, weekday }: Fields, wall: WallTime): boolean {
  if (!month.values.has(wall.month)) return false
  const [date, week] = [day.values.has(wall.day), weekday.values.has(wall.weekday)]
  return day.open || weekday.open ? date && week : date || week
}

function fieldSchedule(fields: Fields, clock: WallClock): Schedule {
  return {
    next(instant) {
      let time = nextMinute(instant, clock)
      while (time - instant < HORIZON) {
        const wall = clock.at(time)
        if (!isDay(fields, wall)) time = nextDay(time, wall, clock)
        else if (!fields.hour.values.has(wall.hour)) time += (60 - wall.minute) * MINUTE
        else if (!fields.minute.values.has(wall.minute)) time += MINUTE
        else return time
      }
      return null
    },
  }
}

function nextMinute(instant: number, clock: WallClock): number {
  const whole = Math.floor(instant / SECOND) * SECOND
  return whole + MINUTE - clock.at(whole).second * SECOND
}

/** The beginning of the next day: midnight, unless the clock leaps over it. */
function nextDay(time: number, wall: WallTime, clock: WallClock): number {
  const sinceMidnight = (hour: number, minute: number) => (60 * hour + minute) * MINUTE
  const guess = time + DAY - sinceMidnight(wall.hour, wall.minute)
  const there = clock.at(guess)
  // A day of 25 hours has an hour left.
  if (there.day === wall.day) return guess
  const midnight = guess - sinceMidnight(there.hour, there.minute)
  return clock.at(midnight).day === there.day ? midnight : guess
}
