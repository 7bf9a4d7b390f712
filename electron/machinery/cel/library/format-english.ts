/**
 * `format` as cel-go has it up to version 3 of its strings, and so Kubernetes: numbers with fractions as English writes them, and what
 * lists and maps hold as literals. Sources: cel-go `ext/formatting.go`, golang.org/x/text `message`.
 */
import { CelList, CelMap, Duration, Timestamp, TypeValue, Uint, type Value } from '../values.ts'
import { VERBS, asText, formatString, only, quote, type Verbs } from './format.ts'

const DIGITS = 6
const MOST = 100
const SUPERSCRIPTS = '⁰¹²³⁴⁵⁶⁷⁸⁹'

export const formatEnglish = (template: string, args: CelList): string => formatString(template, args, ENGLISH)

function whole(value: Value): string {
  if (typeof value === 'bigint') return String(value)
  if (value instanceof Uint) return String(value.value)
  throw only('decimal clause can only be used on integers', value)
}

const SPECIAL: ReadonlyMap<string, number> = new Map([
  ['NaN', NaN],
  ['Infinity', Infinity],
  ['-Infinity', -Infinity],
])

function real(value: Value, what: string): number {
  const number = typeof value === 'string' ? SPECIAL.get(value) : value
  if (typeof number === 'number') return number
  throw only(`${what} clause can only be used on doubles`, value)
}

function special(number: number): string | null {
  if (Number.isNaN(number)) return 'NaN'
  return Number.isFinite(number) ? null : number > 0 ? '∞' : '-∞'
}

function fixed(value: Value, digits = DIGITS): string {
  const number = real(value, 'fixed-point')
  const places = Math.min(digits, MOST)
  const english = { minimumFractionDigits: places, maximumFractionDigits: places, roundingMode: 'halfEven' } as const
  return special(number) ?? new Intl.NumberFormat('en-US', english).format(number) + '0'.repeat(digits - places)
}

function exponent(value: Value, digits = DIGITS): string {
  const number = real(value, 'scientific')
  const named = special(number)
  if (named) return named
  const [mantissa = '', power = ''] = number.toExponential(Math.min(digits, MOST)).split('e')
  const raised = Array.from(power.replace(/^[+-]/, '').padStart(2, '0'), (digit) => SUPERSCRIPTS[Number(digit)]).join('')
  return `${mantissa}×10${power.startsWith('-') ? '⁻' : ''}${raised}`
}

/** As it stands in a list or map. */
function inside(value: Value): string {
  if (typeof value === 'string') return quote(value)
  if (value instanceof Uint8Array) return `b${quote(asText(value))}`
  if (typeof value === 'number') return Number.isFinite(value) ? value.toFixed(DIGITS) : quote(asText(value))
  if (value instanceof Timestamp) return `timestamp(${quote(asText(value))})`
  if (value instanceof Duration) return `duration(${quote(asText(value))})`
  if (value instanceof TypeValue) return `type(${value.name})`
  return text(value)
}

function text(value: Value): string {
  if (value instanceof CelList) return `[${[...value].map(inside).join(', ')}]`
  if (!(value instanceof CelMap)) return asText(value)
  const entries = [...value.keys()].map((key): [string, string] => [inside(key), inside(value.get(key) ?? null)])
  const sorted = entries.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
  return `{${sorted.map(([key, one]) => `${key}:${one}`).join(', ')}}`
}

const ENGLISH: Verbs = new Map([...VERBS, ['s', text], ['d', whole], ['f', fixed], ['e', exponent]])
