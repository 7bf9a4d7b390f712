/** More that strings can do. Source: cel-go `ext/strings.go`, version 2. */
import { CelError } from '../errors.ts'
import { define, global, method, type FunctionDeclaration } from '../functions.ts'
import { INT, LIST_DYN, STRING, listOf } from '../types.ts'
import { ValueList, codePoints, type CelList, type Value } from '../values.ts'
import { formatEnglish } from './format-english.ts'
import { formatString, quote } from './format.ts'

const TEXTS = listOf(STRING)

/** Positions count code points: of most texts these are their units. */
class Points {
  readonly #chars: readonly string[] | null
  readonly #text: string
  constructor(text: string) {
    this.#text = text
    this.#chars = codePoints(text) === text.length ? null : Array.from(text)
  }
  get size(): number {
    return this.#chars?.length ?? this.#text.length
  }
  slice(from: number, to?: number): string {
    return this.#chars ? this.#chars.slice(from, to).join('') : this.#text.slice(from, to)
  }
  /** The code point that begins at a unit. */
  pointAt(unit: number): number {
    return this.#chars && unit > 0 ? codePoints(this.#text.slice(0, unit)) : unit
  }
}

function charAt(text: string, index: bigint): string {
  const points = new Points(text)
  if (index < 0n || index > BigInt(points.size)) throw new CelError(`index out of range: ${index}`)
  return points.slice(Number(index), Number(index) + 1)
}

function indexOf(text: string, part: string, offset = 0n): bigint {
  const points = new Points(text)
  if (offset < 0n || offset > BigInt(points.size)) throw new CelError(`index out of range: ${offset}`)
  const start = points.slice(0, Number(offset)).length
  const found = text.indexOf(part, start)
  return found < 0 ? -1n : BigInt(points.pointAt(found))
}

function lastIndexOf(text: string, part: string): bigint {
  const found = text.lastIndexOf(part)
  return found < 0 ? -1n : BigInt(new Points(text).pointAt(found))
}

function lastIndexOfFrom(text: string, part: string, offset: bigint): bigint {
  const points = new Points(text)
  if (offset < 0n || offset > BigInt(points.size)) throw new CelError(`index out of range: ${offset}`)
  const found = text.lastIndexOf(part, points.slice(0, Number(offset)).length)
  return found < 0 ? -1n : BigInt(points.pointAt(found))
}

const textOf = (item: Value) => (typeof item === 'string' ? item : '')
const join = (items: CelList, separator = '') => Array.from(items, textOf).join(separator)

function replace(text: string, old: string, next: string, count = -1n): string {
  if (count < 0n) return old === '' ? replaceFew(text, old, next, Infinity) : text.replaceAll(old, () => next)
  return replaceFew(text, old, next, Number(count))
}

function replaceFew(text: string, old: string, next: string, count: number): string {
  if (old === '') {
    const chars = Array.from(text)
    const made = chars.map((char, i) => (i < count ? next + char : char)).join('')
    return chars.length < count ? made + next : made
  }
  const parts: string[] = []
  let from = 0
  for (let i = 0; i < count; i++) {
    const found = text.indexOf(old, from)
    if (found < 0) break
    parts.push(text.slice(from, found), next)
    from = found + old.length
  }
  return parts.join('') + text.slice(from)
}

function split(text: string, separator: string, limit = -1n): ValueList {
  if (limit === 0n) return new ValueList([])
  const parts = separator === '' ? Array.from(text) : text.split(separator)
  const most = limit < 0n ? parts.length : Number(limit)
  if (parts.length <= most) return new ValueList(parts)
  return new ValueList([...parts.slice(0, most - 1), parts.slice(most - 1).join(separator)])
}

function substring(text: string, from: bigint, to?: bigint): string {
  const points = new Points(text)
  const size = BigInt(points.size)
  const end = to ?? size
  if (from < 0n || from > size) throw new CelError(`index out of range: ${from}`)
  if (end < 0n || end > size) throw new CelError(`index out of range: ${end}`)
  if (from > end) throw new CelError(`invalid substring range. start: ${from}, end: ${end}`)
  return points.slice(Number(from), Number(end))
}

const ascii = (text: string, letters: RegExp, change: (letter: string) => string) => text.replace(letters, change)
/** What Go counts as white space. */
const TRIM =
  /^[\t\n\v\f\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+|[\t\n\v\f\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+$/g

export const STRING_FUNCTIONS: readonly FunctionDeclaration[] = [
  define('charAt', method('string_char_at_int', [STRING, INT], STRING, charAt)),
  define('format', method('string_format', [STRING, LIST_DYN], STRING, formatString)),
  define(
    'indexOf',
    method('string_index_of_string', [STRING, STRING], INT, indexOf),
    method('string_index_of_string_int', [STRING, STRING, INT], INT, indexOf),
  ),
  define(
    'lastIndexOf',
    method('string_last_index_of_string', [STRING, STRING], INT, lastIndexOf),
    method('string_last_index_of_string_int', [STRING, STRING, INT], INT, lastIndexOfFrom),
  ),
  define('join', method('list_join', [TEXTS], STRING, join), method('list_join_string', [TEXTS, STRING], STRING, join)),
  define(
    'lowerAscii',
    method('string_lower_ascii', [STRING], STRING, (text: string) => ascii(text, /[A-Z]+/g, (a) => a.toLowerCase())),
  ),
  define(
    'upperAscii',
    method('string_upper_ascii', [STRING], STRING, (text: string) => ascii(text, /[a-z]+/g, (a) => a.toUpperCase())),
  ),
  define(
    'replace',
    method('string_replace_string_string', [STRING, STRING, STRING], STRING, replace),
    method('string_replace_string_string_int', [STRING, STRING, STRING, INT], STRING, replace),
  ),
  define(
    'split',
    method('string_split_string', [STRING, STRING], TEXTS, split),
    method('string_split_string_int', [STRING, STRING, INT], TEXTS, split),
  ),
  define(
    'substring',
    method('string_substring_int', [STRING, INT], STRING, substring),
    method('string_substring_int_int', [STRING, INT, INT], STRING, substring),
  ),
  define('strings.quote', global('strings_quote', [STRING], STRING, quote)),
  define(
    'trim',
    method('string_trim', [STRING], STRING, (text: string) => text.replace(TRIM, '')),
  ),
]

/** `format` as Kubernetes has it. */
export const ENGLISH_FORMAT: FunctionDeclaration = define('format', method('string_format', [STRING, LIST_DYN], STRING, formatEnglish))

/** Of cel-go's version 3, which Kubernetes has not. */
export const STRING_REVERSE: FunctionDeclaration = define(
  'reverse',
  method('string_reverse', [STRING], STRING, (text: string) => Array.from(text).reverse().join('')),
)
