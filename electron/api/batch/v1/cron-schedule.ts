/**
 * The form of a CronJob's schedule: five fields of cron, or a descriptor such as "@daily". Faults are told in the words of the library
 * that Kubernetes reads schedules with (robfig/cron v3).
 */
import { goQuote } from '../../values/field-error.ts'
import { parseDurationNanos } from '../../values/duration.ts'

interface Bounds {
  readonly min: number
  readonly max: number
  readonly names?: readonly string[]
}

const MONTHS = ['', 'jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']
const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat']
const FIELDS: readonly Bounds[] = [
  { min: 0, max: 59 },
  { min: 0, max: 23 },
  { min: 1, max: 31 },
  { min: 1, max: 12, names: MONTHS },
  { min: 0, max: 6, names: DAYS },
]
const DESCRIPTORS = ['@yearly', '@annually', '@monthly', '@weekly', '@daily', '@midnight', '@hourly']
const EVERY = '@every '

/** Why the text is no schedule; null if it is one. */
export function scheduleFault(schedule: string): string | null {
  const zone = /^(?:CRON_)?TZ=(\S*)\s/.exec(schedule)
  if (zone && !isTimeZone(zone[1] ?? '')) return `provided bad location ${zone[1]}: unknown time zone ${zone[1]}`
  const text = zone ? schedule.slice(zone[0].length).trim() : schedule
  if (text.startsWith('@')) return descriptorFault(text)
  const fields = text.split(/\s+/).filter(Boolean)
  if (fields.length !== FIELDS.length) return `expected exactly 5 fields, found ${fields.length}: [${fields.join(' ')}]`
  for (const [i, bounds] of FIELDS.entries()) {
    for (const range of (fields[i] ?? '').split(',').filter(Boolean)) {
      const fault = rangeFault(range, bounds)
      if (fault) return fault
    }
  }
  return null
}

function descriptorFault(text: string): string | null {
  if (DESCRIPTORS.includes(text)) return null
  if (!text.startsWith(EVERY)) return `unrecognized descriptor: ${text}`
  const duration = text.slice(EVERY.length)
  return parseDurationNanos(duration) === null ? `failed to parse duration ${text}: time: invalid duration ${goQuote(duration)}` : null
}

/** One of "*", "5", "1-5", each with "/2" or without. */
function rangeFault(range: string, { min, max, names }: Bounds): string | null {
  const parts = range.split('/')
  const ends = (parts[0] ?? '').split('-')
  const every = ends[0] === '*' || ends[0] === '?'
  const start = every ? min : numberOf(ends[0] ?? '', names)
  if (typeof start === 'string') return start
  if (!every && ends.length > 2) return `too many hyphens: ${range}`
  const end = every ? max : ends.length === 2 ? numberOf(ends[1] ?? '', names) : start
  if (typeof end === 'string') return end
  if (parts.length > 2) return `too many slashes: ${range}`
  const step = parts.length === 2 ? numberOf(parts[1] ?? '') : 1
  if (typeof step === 'string') return step
  const last = parts.length === 2 && ends.length === 1 ? max : end
  if (start < min) return `beginning of range (${start}) below minimum (${min}): ${range}`
  if (last > max) return `end of range (${last}) above maximum (${max}): ${range}`
  if (start > last) return `beginning of range (${start}) beyond end of range (${last}): ${range}`
  return step === 0 ? `step of range should be a positive number: ${range}` : null
}

/** The number that the text is or names, or what is wrong with it. */
function numberOf(text: string, names: readonly string[] = []): number | string {
  const named = text === '' ? -1 : names.indexOf(text.toLowerCase())
  if (named >= 0) return named
  if (!/^[-+]?\d+$/.test(text)) return `failed to parse int from ${text}: strconv.Atoi: parsing ${goQuote(text)}: invalid syntax`
  const number = Number(text)
  return number < 0 ? `negative number (${number}) not allowed: ${text}` : number
}

const ZONE_PART = /^[A-Za-z.\-_0-9+]{1,14}$/

/** Whether the name is one of the time zone database. */
export function isTimeZone(name: string): boolean {
  if (!name.split('/').every((part) => part !== '.' && part !== '..' && !part.startsWith('-') && ZONE_PART.test(part))) return false
  try {
    return Boolean(new Intl.DateTimeFormat('en', { timeZone: name }))
  } catch {
    return false
  }
}
