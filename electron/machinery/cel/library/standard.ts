/** What CEL itself brings. Source: CEL language definition, "List of Standard Definitions". */
import { entryAt, itemAt } from '../access.ts'
import { CelError } from '../errors.ts'
import { define, global, method, type FunctionDeclaration } from '../functions.ts'
import { BOOL, BYTES, DOUBLE, DURATION, DYN, INT, STRING, TIMESTAMP, TYPE, UINT, listOf, mapOf, param, type CelType } from '../types.ts'
import {
  Duration,
  MAX_INT,
  MAX_UINT,
  MIN_INT,
  Timestamp,
  TypeValue,
  Uint,
  codePoints,
  compare,
  equals,
  runtimeType,
  type CelList,
  type CelMap,
  type Value,
} from '../values.ts'
import { regexp } from './regex.ts'

const A = param('A')
const B = param('B')
const LIST_A = listOf(A)
const MAP_AB = mapOf(A, B)

/** Throws CelError. */
export function fitInt(value: bigint, failure = 'integer overflow'): bigint {
  if (value < MIN_INT || value > MAX_INT) throw new CelError(failure)
  return value
}

/** Throws CelError. */
export function fitUint(value: bigint, failure = 'unsigned integer overflow'): Uint {
  if (value < 0n || value > MAX_UINT) throw new CelError(failure)
  return new Uint(value)
}

type Numbers<T> = (a: T, b: T) => T

function arithmetic(name: string, id: string, whole: Numbers<bigint>, real: Numbers<number> | null): FunctionDeclaration {
  return define(
    name,
    global(`${id}_int64`, [INT, INT], INT, (a: bigint, b: bigint) => fitInt(whole(a, b))),
    global(`${id}_uint64`, [UINT, UINT], UINT, (a: Uint, b: Uint) => fitUint(whole(a.value, b.value))),
    ...(real ? [global(`${id}_double`, [DOUBLE, DOUBLE], DOUBLE, real)] : []),
  )
}

function divisor(by: bigint, what: string): bigint {
  if (by === 0n) throw new CelError(`${what} by zero`)
  return by
}

const ARITHMETIC: readonly FunctionDeclaration[] = [
  arithmetic(
    '_+_',
    'add',
    (a, b) => a + b,
    (a, b) => a + b,
  ),
  arithmetic(
    '_-_',
    'subtract',
    (a, b) => a - b,
    (a, b) => a - b,
  ),
  arithmetic(
    '_*_',
    'multiply',
    (a, b) => a * b,
    (a, b) => a * b,
  ),
  arithmetic(
    '_/_',
    'divide',
    (a, b) => a / divisor(b, 'division'),
    (a, b) => a / b,
  ),
  arithmetic('_%_', 'modulo', (a, b) => a % divisor(b, 'modulus'), null),
  define(
    '_+_',
    global('add_string', [STRING, STRING], STRING, (a: string, b: string) => a + b),
    global('add_bytes', [BYTES, BYTES], BYTES, (a: Uint8Array, b: Uint8Array) => Buffer.concat([a, b])),
    global('add_list', [LIST_A, LIST_A], LIST_A, (a: CelList, b: CelList) => a.plus(b)),
    global('add_timestamp_duration', [TIMESTAMP, DURATION], TIMESTAMP, (a: Timestamp, b: Duration) => new Timestamp(a.nanos + b.nanos)),
    global('add_duration_timestamp', [DURATION, TIMESTAMP], TIMESTAMP, (a: Duration, b: Timestamp) => new Timestamp(a.nanos + b.nanos)),
    global('add_duration_duration', [DURATION, DURATION], DURATION, (a: Duration, b: Duration) => new Duration(a.nanos + b.nanos)),
  ),
  define(
    '_-_',
    global(
      'subtract_timestamp_timestamp',
      [TIMESTAMP, TIMESTAMP],
      DURATION,
      (a: Timestamp, b: Timestamp) => new Duration(a.nanos - b.nanos),
    ),
    global(
      'subtract_timestamp_duration',
      [TIMESTAMP, DURATION],
      TIMESTAMP,
      (a: Timestamp, b: Duration) => new Timestamp(a.nanos - b.nanos),
    ),
    global('subtract_duration_duration', [DURATION, DURATION], DURATION, (a: Duration, b: Duration) => new Duration(a.nanos - b.nanos)),
  ),
  define(
    '-_',
    global('negate_int64', [INT], INT, (a: bigint) => fitInt(-a)),
    global('negate_double', [DOUBLE], DOUBLE, (a: number) => -a),
  ),
  define(
    '!_',
    global('logical_not', [BOOL], BOOL, (a: boolean) => !a),
  ),
]

const ORDERED: readonly (readonly [string, CelType])[] = [
  ['bool', BOOL],
  ['int64', INT],
  ['uint64', UINT],
  ['double', DOUBLE],
  ['string', STRING],
  ['bytes', BYTES],
  ['timestamp', TIMESTAMP],
  ['duration', DURATION],
]
const MIXED: readonly (readonly [string, CelType, CelType])[] = [
  ['int64_double', INT, DOUBLE],
  ['int64_uint64', INT, UINT],
  ['uint64_double', UINT, DOUBLE],
  ['uint64_int64', UINT, INT],
  ['double_int64', DOUBLE, INT],
  ['double_uint64', DOUBLE, UINT],
]

function order(name: string, id: string, holds: (difference: number) => boolean): FunctionDeclaration {
  const run = (a: Value, b: Value) => holds(compare(a, b))
  return define(
    name,
    ...ORDERED.map(([suffix, type]) => global(`${id}_${suffix}`, [type, type], BOOL, run)),
    ...MIXED.map(([suffix, one, other]) => global(`${id}_${suffix}`, [one, other], BOOL, run)),
  )
}

const RELATIONS: readonly FunctionDeclaration[] = [
  define(
    '_==_',
    global('equals', [A, A], BOOL, (a: Value, b: Value) => equals(a, b)),
  ),
  define(
    '_!=_',
    global('not_equals', [A, A], BOOL, (a: Value, b: Value) => !equals(a, b)),
  ),
  order('_<_', 'less', (difference) => difference < 0),
  order('_<=_', 'less_equals', (difference) => difference <= 0),
  order('_>_', 'greater', (difference) => difference > 0),
  order('_>=_', 'greater_equals', (difference) => difference >= 0),
  define(
    '@in',
    global('in_list', [A, LIST_A], BOOL, (item: Value, items: CelList) => {
      for (const one of items) if (equals(one, item)) return true
      return false
    }),
    global('in_map', [A, MAP_AB], BOOL, (key: Value, map: CelMap) => map.has(key)),
  ),
  // Evaluated by themselves, for their second term may never be: declared for their types.
  define(
    '_&&_',
    global('logical_and', [BOOL, BOOL], BOOL, (a: boolean, b: boolean) => a && b),
  ),
  define(
    '_||_',
    global('logical_or', [BOOL, BOOL], BOOL, (a: boolean, b: boolean) => a || b),
  ),
  define(
    '_?_:_',
    global('conditional', [BOOL, A, A], A, (condition: boolean, a: Value, b: Value) => (condition ? a : b)),
  ),
  define(
    '@not_strictly_false',
    global('not_strictly_false', [BOOL], BOOL, (a: boolean) => a),
  ),
]

const sizes = (type: CelType, id: string, size: (value: never) => number) => {
  const run = (value: never) => BigInt(size(value))
  return [global(`size_${id}`, [type], INT, run), method(`${id}_size`, [type], INT, run)]
}

const CONTAINERS: readonly FunctionDeclaration[] = [
  define('_[_]', global('index_list', [LIST_A, INT], A, itemAt), global('index_map', [MAP_AB, A], B, entryAt)),
  define(
    'size',
    ...sizes(STRING, 'string', codePoints),
    ...sizes(BYTES, 'bytes', (value: Uint8Array) => value.length),
    ...sizes(LIST_A, 'list', (value: CelList) => value.size),
    ...sizes(MAP_AB, 'map', (value: CelMap) => value.size),
  ),
  define(
    'dyn',
    global('to_dyn', [A], DYN, (a: Value) => a),
  ),
  define(
    'type',
    global('type', [A], TYPE, (a: Value) => new TypeValue(runtimeType(a).name)),
  ),
]

function test(name: string, id: string, holds: (text: string, part: string) => boolean): FunctionDeclaration {
  return define(name, method(id, [STRING, STRING], BOOL, holds))
}

const matches = (text: string, pattern: string) => regexp(pattern).test(text)

const TEXT: readonly FunctionDeclaration[] = [
  test('contains', 'contains_string', (text, part) => text.includes(part)),
  test('startsWith', 'starts_with_string', (text, part) => text.startsWith(part)),
  test('endsWith', 'ends_with_string', (text, part) => text.endsWith(part)),
  define('matches', global('matches', [STRING, STRING], BOOL, matches), method('matches_string', [STRING, STRING], BOOL, matches)),
]

export const STANDARD: readonly FunctionDeclaration[] = [...ARITHMETIC, ...RELATIONS, ...CONTAINERS, ...TEXT]
