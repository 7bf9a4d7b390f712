/**
 * Timestamps as Go reads them (RFC 3339 through `time.Parse`), with Go's words for what is wrong, and normalised to what
 * Kubernetes writes: UTC, whole seconds or microseconds.
 */
const SECONDS_LAYOUT = '2006-01-02T15:04:05Z07:00'
const MICROS_LAYOUT = '2006-01-02T15:04:05.000000Z07:00'
const DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
/** The first of January of the year 1, which Go takes for no time at all. */
const ZERO = Date.UTC(2000, 0, 1) - 63082281600000

export class TimeError extends Error {
  override readonly name = 'TimeError'
}

/** "2026-11-21T09:00:00+01:00" -> "2026-11-21T08:00:00Z"; undefined for Go's zero time. Throws TimeError. */
export function normalizeTime(text: string): string | undefined {
  if (isCanonicalTime(text)) return text.startsWith('0001-01-01T00:00:00') ? undefined : text
  const { ms } = parse(text, SECONDS_LAYOUT)
  return ms === ZERO ? undefined : iso(ms)
}

/** The same with microseconds: six decimals are required. */
export function normalizeMicroTime(text: string): string | undefined {
  const { ms, fraction } = parse(text, MICROS_LAYOUT)
  return ms === ZERO && Number(fraction) === 0 ? undefined : `${iso(ms).slice(0, -1)}.${fraction}Z`
}

function iso(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, -5)}Z`
}

/** Whole seconds in UTC with every part in range. Days beyond the 28th are left to `parse`. */
function isCanonicalTime(text: string): boolean {
  if (text.length !== 20) return false
  const digit = (i: number) => {
    const code = text.charCodeAt(i) - 48
    return code >= 0 && code <= 9 ? code : 100
  }
  const pair = (i: number) => digit(i) * 10 + digit(i + 1)
  if (pair(0) > 99 || pair(2) > 99) return false
  const [month, day] = [pair(5), pair(8)]
  if (month < 1 || month > 12 || day < 1 || day > 28) return false
  if (pair(11) > 23 || pair(14) > 59 || pair(17) > 59) return false
  return (
    text.charCodeAt(4) === 45 &&
    text.charCodeAt(7) === 45 &&
    text.charCodeAt(10) === 84 &&
    text.charCodeAt(13) === 58 &&
    text.charCodeAt(16) === 58 &&
    text.charCodeAt(19) === 90
  )
}

function parse(text: string, layout: string): { ms: number; fraction: string } {
  let rest = text
  let outOfRange = ''
  const fail = (part: string): never => {
    throw new TimeError(`parsing time ${JSON.stringify(text)} as "${layout}": cannot parse ${JSON.stringify(rest)} as "${part}"`)
  }
  const range = (what: string): never => {
    throw new TimeError(`parsing time ${JSON.stringify(text)}: ${what} out of range`)
  }
  const take = (pattern: RegExp, part: string): string => {
    const found = pattern.exec(rest)?.[0] ?? fail(part)
    rest = rest.slice(found.length)
    return found
  }
  const skip = (literal: string) => {
    if (!rest.startsWith(literal)) fail(literal)
    rest = rest.slice(literal.length)
  }
  const number = (pattern: RegExp, part: string, what: string, max: number): number => {
    const value = Number(take(pattern, part))
    if (value > max) range(what)
    return value
  }
  const year = Number(take(/^\d{4}/, '2006'))
  skip('-')
  const month = number(/^\d{2}/, '01', 'month', 12)
  if (month === 0) range('month')
  skip('-')
  const day = number(/^\d{2}/, '02', 'day', 99)
  skip('T')
  const hour = number(/^\d{1,2}/, '15', 'hour', 23)
  skip(':')
  const minute = number(/^\d{2}/, '04', 'minute', 59)
  skip(':')
  const second = number(/^\d{2}/, '05', 'second', 59)
  let fraction = ''
  if (layout === MICROS_LAYOUT) fraction = take(/^[.,]\d{6}/, '.000000').slice(1)
  else if (/^[.,]\d/.test(rest)) fraction = take(/^[.,]\d+/, '').slice(1)
  let offset = 0
  if (rest.startsWith('Z')) rest = rest.slice(1)
  else {
    const zone = take(/^[+-]\d{2}:\d{2}/, 'Z07:00')
    const [hours, minutes] = [Number(zone.slice(1, 3)), Number(zone.slice(4))]
    if (hours > 24) outOfRange = 'time zone offset hour'
    if (minutes > 60) outOfRange = 'time zone offset minute'
    offset = (zone.startsWith('-') ? -1 : 1) * (hours * 60 + minutes) * 60_000
  }
  if (outOfRange) range(outOfRange)
  if (rest !== '') throw new TimeError(`parsing time ${JSON.stringify(text)}: extra text: ${JSON.stringify(rest)}`)
  const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
  if (day < 1 || day > (DAYS[month - 1] ?? 0) + (month === 2 && leap ? 1 : 0)) range('day')
  const date = new Date(0)
  date.setUTCFullYear(year, month - 1, day)
  date.setUTCHours(hour, minute, second)
  return { ms: date.getTime() - offset, fraction }
}
