/** From one type to another, and the parts of times. Source: CEL language definition, "Type Conversions" and "Timezones". */
import { CelError } from '../errors.ts'
import { define, global, method, type FunctionDeclaration } from '../functions.ts'
import { formatDuration, formatTimestamp, parseDuration, parseTimestamp, timePart, type TimePart } from '../time.ts'
import { BOOL, BYTES, DOUBLE, DURATION, INT, STRING, TIMESTAMP, UINT } from '../types.ts'
import { Duration, Timestamp, type Uint, type Value } from '../values.ts'
import { fitInt, fitUint } from './standard.ts'

const SECOND = 1_000_000_000n

function fromDouble(value: number, low: number, high: number): bigint {
  if (!(value > low && value < high)) throw new CelError('integer overflow')
  return BigInt(Math.trunc(value))
}

function parseWhole(text: string, type: string): bigint {
  if (!/^[+-]?\d+$/.test(text)) throw new CelError(`type conversion error from 'string' to '${type}'`)
  return BigInt(text.replace(/^\+/, ''))
}

const REALS: Readonly<Record<string, number>> = {
  nan: NaN,
  inf: Infinity,
  '+inf': Infinity,
  '-inf': -Infinity,
  infinity: Infinity,
  '+infinity': Infinity,
  '-infinity': -Infinity,
}

function parseReal(text: string): number {
  const named = REALS[text.toLowerCase()]
  if (named !== undefined) return named
  if (!/^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(text)) throw new CelError("type conversion error from 'string' to 'double'")
  return Number(text)
}

const TRUTHS: ReadonlyMap<string, boolean> = new Map([
  ...['1', 't', 'T', 'true', 'TRUE', 'True'].map((text) => [text, true] as const),
  ...['0', 'f', 'F', 'false', 'FALSE', 'False'].map((text) => [text, false] as const),
])

function parseTruth(text: string): boolean {
  const truth = TRUTHS.get(text)
  if (truth === undefined) throw new CelError("type conversion error from 'string' to 'bool'")
  return truth
}

/** As Go's shortest form with an exponent where that is large or small. */
export function formatReal(value: number): string {
  if (Number.isNaN(value)) return 'NaN'
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf'
  if (Object.is(value, -0)) return '-0'
  const abs = Math.abs(value)
  if (abs !== 0 && (abs < 1e-4 || abs >= 1e21)) return value.toExponential().replace(/e([+-])(\d)$/, 'e$10$2')
  return String(value)
}

function text(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    throw new CelError('invalid UTF-8 in bytes, cannot convert to string')
  }
}

const same = <T extends Value>(value: T): T => value

const CASTS: readonly FunctionDeclaration[] = [
  define('bool', global('bool_to_bool', [BOOL], BOOL, same), global('string_to_bool', [STRING], BOOL, parseTruth)),
  define(
    'bytes',
    global('bytes_to_bytes', [BYTES], BYTES, same),
    global('string_to_bytes', [STRING], BYTES, (a: string) => Buffer.from(a, 'utf8')),
  ),
  define(
    'double',
    global('double_to_double', [DOUBLE], DOUBLE, same),
    global('int64_to_double', [INT], DOUBLE, (a: bigint) => Number(a)),
    global('uint64_to_double', [UINT], DOUBLE, (a: Uint) => Number(a.value)),
    global('string_to_double', [STRING], DOUBLE, parseReal),
  ),
  define(
    'int',
    global('int64_to_int64', [INT], INT, same),
    global('uint64_to_int64', [UINT], INT, (a: Uint) => fitInt(a.value)),
    global('double_to_int64', [DOUBLE], INT, (a: number) => fromDouble(a, -(2 ** 63), 2 ** 63)),
    global('string_to_int64', [STRING], INT, (a: string) => fitInt(parseWhole(a, 'int'), "type conversion error from 'string' to 'int'")),
    global('timestamp_to_int64', [TIMESTAMP], INT, (a: Timestamp) => (a.nanos - (((a.nanos % SECOND) + SECOND) % SECOND)) / SECOND),
    global('duration_to_int64', [DURATION], INT, (a: Duration) => a.nanos),
  ),
  define(
    'uint',
    global('uint64_to_uint64', [UINT], UINT, same),
    global('int64_to_uint64', [INT], UINT, (a: bigint) => fitUint(a)),
    global('double_to_uint64', [DOUBLE], UINT, (a: number) => fitUint(fromDouble(a, -1, 2 ** 64))),
    global('string_to_uint64', [STRING], UINT, (a: string) =>
      fitUint(parseWhole(a, 'uint'), "type conversion error from 'string' to 'uint'"),
    ),
  ),
  define(
    'string',
    global('string_to_string', [STRING], STRING, same),
    global('bool_to_string', [BOOL], STRING, (a: boolean) => String(a)),
    global('bytes_to_string', [BYTES], STRING, text),
    global('double_to_string', [DOUBLE], STRING, formatReal),
    global('int64_to_string', [INT], STRING, (a: bigint) => String(a)),
    global('uint64_to_string', [UINT], STRING, (a: Uint) => String(a.value)),
    global('timestamp_to_string', [TIMESTAMP], STRING, formatTimestamp),
    global('duration_to_string', [DURATION], STRING, formatDuration),
  ),
  define(
    'timestamp',
    global('timestamp_to_timestamp', [TIMESTAMP], TIMESTAMP, same),
    global('string_to_timestamp', [STRING], TIMESTAMP, parseTimestamp),
    global('int64_to_timestamp', [INT], TIMESTAMP, (a: bigint) => new Timestamp(a * SECOND)),
  ),
  define(
    'duration',
    global('duration_to_duration', [DURATION], DURATION, same),
    global('string_to_duration', [STRING], DURATION, parseDuration),
    global('int64_to_duration', [INT], DURATION, (a: bigint) => new Duration(a)),
  ),
]

/** In units of `size` nanoseconds for durations; of timestamps the part, in UTC or a zone. */
function part(name: string, id: string, what: TimePart, size?: bigint, rest?: bigint): FunctionDeclaration {
  return define(
    name,
    method(`timestamp_to_${id}`, [TIMESTAMP], INT, (a: Timestamp) => timePart(a, what)),
    method(`timestamp_to_${id}_with_tz`, [TIMESTAMP, STRING], INT, (a: Timestamp, zone: string) => timePart(a, what, zone)),
    ...(size === undefined
      ? []
      : [method(`duration_to_${id}`, [DURATION], INT, (a: Duration) => (rest === undefined ? a.nanos : a.nanos % rest) / size)]),
  )
}

const TIMES: readonly FunctionDeclaration[] = [
  part('getFullYear', 'year', 'year'),
  part('getMonth', 'month', 'month'),
  part('getDayOfYear', 'day_of_year', 'dayOfYear'),
  part('getDayOfMonth', 'day_of_month', 'dayOfMonth'),
  part('getDate', 'day_of_month_1_based', 'date'),
  part('getDayOfWeek', 'day_of_week', 'dayOfWeek'),
  part('getHours', 'hours', 'hours', 3600n * SECOND),
  part('getMinutes', 'minutes', 'minutes', 60n * SECOND),
  part('getSeconds', 'seconds', 'seconds', SECOND),
  part('getMilliseconds', 'milliseconds', 'millis', 1_000_000n, SECOND),
]

export const CONVERSIONS: readonly FunctionDeclaration[] = [...CASTS, ...TIMES]
