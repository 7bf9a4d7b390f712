/** `"%s is %d".format([name, size])`. Source: cel-go `ext/formatting.go`. */
import { CelError } from '../errors.ts'
import { formatDuration, formatTimestamp } from '../time.ts'
import { CelList, CelMap, Duration, Timestamp, TypeValue, Uint, runtimeType, type Value } from '../values.ts'
import { formatReal } from './conversions.ts'

const CLAUSE = /%(?:\.(\d*))?(.)?/gsu
const MOST_DIGITS = 1000

/** Throws CelError for what has no such form. */
export function formatString(template: string, args: CelList, verbs: Verbs = VERBS): string {
  let next = 0
  return template.replace(CLAUSE, (_whole, precision: string | undefined, verb: string | undefined) => {
    if (verb === '%' && precision === undefined) return '%'
    if (verb === undefined) throw new CelError('unexpected end of string')
    const write = verbs.get(verb)
    if (!write) throw new CelError(`could not parse formatting clause: unrecognized formatting clause "${verb}"`)
    if (next >= args.size) throw new CelError(`index ${next} out of range`)
    const digits = precision === undefined ? undefined : Number(precision || '0')
    if (digits !== undefined && digits > MOST_DIGITS) throw new CelError(`precision ${digits} is too large`)
    try {
      return write(args.at(next++), digits)
    } catch (error) {
      throw error instanceof CelError ? new CelError(`error during formatting: ${error.message}`) : error
    }
  })
}

type Verb = (value: Value, digits: number | undefined) => string
export type Verbs = ReadonlyMap<string, Verb>

export const only = (what: string, value: Value) => new CelError(`${what}, was given ${runtimeType(value).name}`)

export const VERBS: Verbs = new Map<string, Verb>([
  ['s', (value) => asText(value)],
  ['d', decimal],
  ['f', (value, digits) => fixed(value, digits ?? 6)],
  ['e', (value, digits) => exponent(value, digits ?? 6)],
  [
    'b',
    (value) => (typeof value === 'boolean' ? (value ? '1' : '0') : radix(value, 2, 'only integers and bools can be formatted as binary')),
  ],
  ['o', (value) => radix(value, 8, 'octal clause can only be used on integers')],
  ['x', hex],
  ['X', (value) => hex(value).toUpperCase()],
])

export function asText(value: Value): string {
  if (typeof value === 'string') return value
  if (value === null) return 'null'
  if (typeof value === 'boolean' || typeof value === 'bigint') return String(value)
  if (typeof value === 'number') return special(value) ?? formatReal(value)
  if (value instanceof Uint) return String(value.value)
  if (value instanceof Uint8Array) return new TextDecoder().decode(value)
  if (value instanceof Timestamp) return formatTimestamp(value)
  if (value instanceof Duration) return formatDuration(value)
  if (value instanceof TypeValue) return value.name
  if (value instanceof CelList) return `[${[...value].map(asText).join(', ')}]`
  if (value instanceof CelMap) {
    const entries = [...value.keys()].map((key) => `${asText(key)}: ${asText(value.get(key) ?? null)}`)
    return `{${entries.sort().join(', ')}}`
  }
  throw only('string clause can only be used on strings, bools, bytes, ints, doubles, maps, lists, types, durations, and timestamps', value)
}

function special(value: number): string | null {
  if (Number.isNaN(value)) return 'NaN'
  return Number.isFinite(value) ? null : value > 0 ? 'Infinity' : '-Infinity'
}

function decimal(value: Value): string {
  if (typeof value === 'bigint') return String(value)
  if (value instanceof Uint) return String(value.value)
  if (typeof value === 'number') {
    const named = special(value)
    if (named) return named
  }
  throw only('decimal clause can only be used on integers', value)
}

function real(value: Value, what: string): number {
  if (typeof value === 'number') return value
  if (typeof value === 'bigint') return Number(value)
  if (value instanceof Uint) return Number(value.value)
  throw only(`${what} clause can only be used on doubles`, value)
}

function fixed(value: Value, digits: number): string {
  const number = real(value, 'fixed-point')
  return special(number) ?? toFixed(number, digits)
}

/** Halves to the even digit. The digits beyond what JavaScript writes are taken for zeros. */
function toFixed(number: number, digits: number): string {
  const exact = /^(.*?)(50*)$/.exec(Math.abs(number) < 1e21 && digits < 100 ? number.toFixed(100) : '')
  const kept = exact?.[1]?.replace(/\.$/, '')
  if (kept !== undefined && exact?.[2]?.length === 100 - digits && /[02468]$/.test(kept)) return kept
  if (Math.abs(number) >= 1e21) return `${BigInt(number)}${digits > 0 ? `.${'0'.repeat(digits)}` : ''}`
  return number.toFixed(Math.min(digits, 100)) + '0'.repeat(Math.max(0, digits - 100))
}

function exponent(value: Value, digits: number): string {
  const number = real(value, 'scientific')
  return special(number) ?? number.toExponential(Math.min(digits, 100)).replace(/e([+-])(\d)$/, 'e$10$2')
}

function whole(value: Value): bigint | null {
  return typeof value === 'bigint' ? value : value instanceof Uint ? value.value : null
}

function radix(value: Value, base: number, failure: string): string {
  const number = whole(value)
  if (number === null) throw only(failure, value)
  return number.toString(base)
}

function hex(value: Value): string {
  if (typeof value === 'string') return Buffer.from(value, 'utf8').toString('hex')
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex')
  return radix(value, 16, 'only integers, byte buffers, and strings can be formatted as hex')
}

const ESCAPES: Readonly<Record<string, string>> = {
  '\x07': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
  '\\': '\\\\',
  '"': '\\"',
}

/** As a string literal of CEL. */
export function quote(text: string): string {
  // eslint-disable-next-line no-control-regex -- they are what is escaped
  return `"${text.toWellFormed().replace(/[\x07\b\f\n\r\t\v\\"]/g, (char) => ESCAPES[char] ?? char)}"`
}
