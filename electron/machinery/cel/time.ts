/** Timestamps and durations as text, and their parts in time zones. Sources: RFC 3339, CEL "Timezones", Go `time.ParseDuration`. */
import { parseDurationNanos } from '../../api/values/duration.ts'
import { CelError } from './errors.ts'
import { Duration, Timestamp } from './values.ts'

const SECOND = 1_000_000_000n
const RFC3339 = /^(\d{4}-\d{2}-\d{2})T(\d{2}:\d{2}:\d{2})(?:[.,](\d+))?(Z|[+-]\d{2}:\d{2})$/

/** Throws CelError. */
export function parseTimestamp(text: string): Timestamp {
  const match = RFC3339.exec(text)
  const millis = match ? Date.parse(`${match[1]}T${match[2]}${match[4]}`) : NaN
  const day = match?.[1] ?? ''
  if (!match || Number.isNaN(millis) || !exists(day)) throw new CelError(`invalid timestamp ${JSON.stringify(text)}`)
  const nanos = BigInt((match[3] ?? '').slice(0, 9).padEnd(9, '0'))
  return new Timestamp((BigInt(millis) / 1000n) * SECOND + nanos)
}

/** Date.parse takes February 30 for March 1. */
function exists(day: string): boolean {
  const date = new Date(`${day}T00:00:00Z`)
  return !Number.isNaN(date.getTime()) && date.toISOString().slice(0, 10) === day
}

export function formatTimestamp({ nanos }: Timestamp): string {
  const seconds = floorDiv(nanos, SECOND)
  const fraction = (nanos - seconds * SECOND).toString().padStart(9, '0').replace(/0+$/, '')
  const whole = new Date(Number(seconds) * 1000).toISOString().slice(0, 19)
  return `${whole}${fraction ? `.${fraction}` : ''}Z`
}

/** Throws CelError. */
export function parseDuration(text: string): Duration {
  const nanos = parseDurationNanos(text)
  if (nanos === null) throw new CelError(`invalid duration ${JSON.stringify(text)}`)
  return new Duration(nanos)
}

/** In seconds: "5400s", "0.001s". */
export function formatDuration({ nanos }: Duration): string {
  const sign = nanos < 0n ? '-' : ''
  const abs = nanos < 0n ? -nanos : nanos
  const fraction = (abs % SECOND).toString().padStart(9, '0').replace(/0+$/, '')
  return `${sign}${abs / SECOND}${fraction ? `.${fraction}` : ''}s`
}

export function floorDiv(value: bigint, by: bigint): bigint {
  const quotient = value / by
  return value < 0n && quotient * by !== value ? quotient - 1n : quotient
}

export type TimePart = 'year' | 'month' | 'dayOfYear' | 'dayOfMonth' | 'date' | 'dayOfWeek' | 'hours' | 'minutes' | 'seconds' | 'millis'

/** `zone`: an IANA name or an offset such as "-08:00"; UTC if it is empty. Months, days of the month and of the year count from 0. Throws CelError. */
export function timePart({ nanos }: Timestamp, part: TimePart, zone = ''): bigint {
  const local = new Date(Number(floorDiv(nanos, 1_000_000n)))
  const offset = zone === '' || zone === 'UTC' ? 0 : offsetOf(local, zone)
  const date = new Date(local.getTime() + offset)
  switch (part) {
    case 'year':
      return BigInt(date.getUTCFullYear())
    case 'month':
      return BigInt(date.getUTCMonth())
    case 'dayOfYear':
      return BigInt(Math.floor((date.getTime() - yearStart(date)) / 86_400_000))
    case 'dayOfMonth':
      return BigInt(date.getUTCDate() - 1)
    case 'date':
      return BigInt(date.getUTCDate())
    case 'dayOfWeek':
      return BigInt(date.getUTCDay())
    case 'hours':
      return BigInt(date.getUTCHours())
    case 'minutes':
      return BigInt(date.getUTCMinutes())
    case 'seconds':
      return BigInt(date.getUTCSeconds())
    case 'millis':
      return BigInt(date.getUTCMilliseconds())
  }
}

function yearStart(date: Date): number {
  const start = new Date(0)
  start.setUTCFullYear(date.getUTCFullYear(), 0, 1)
  return start.getTime()
}

/** Milliseconds east of UTC. */
function offsetOf(date: Date, zone: string): number {
  const fixed = /^([+-]?)(\d{2}):(\d{2})$/.exec(zone)
  if (fixed) {
    const minutes = Number(fixed[2]) * 60 + Number(fixed[3])
    return (fixed[1] === '-' ? -minutes : minutes) * 60_000
  }
  try {
    const shown = new Intl.DateTimeFormat('en-US', { timeZone: zone, timeZoneName: 'longOffset' }).formatToParts(date)
    const name = shown.find(({ type }) => type === 'timeZoneName')?.value ?? ''
    const match = /^GMT(?:([+-])(\d{2}):(\d{2})(?::(\d{2}))?)?$/.exec(name)
    const seconds = Number(match?.[2] ?? 0) * 3600 + Number(match?.[3] ?? 0) * 60 + Number(match?.[4] ?? 0)
    return (match?.[1] === '-' ? -seconds : seconds) * 1000
  } catch {
    throw new CelError(`unknown time zone ${zone}`)
  }
}
