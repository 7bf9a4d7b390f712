/** Lists and sets. Sources: cel-go `ext/{lists,sets}.go`, apiserver `cel/library/lists.go`. */
import { CelError, BudgetError } from '../errors.ts'
import { define, global, method, type FunctionDeclaration } from '../functions.ts'
import { BOOL, BYTES, DOUBLE, DURATION, DYN, INT, STRING, TIMESTAMP, UINT, listOf, param, type CelType } from '../types.ts'
import { CelList, Duration, Uint, ValueList, compare, equals, numeric, runtimeType, type Value } from '../values.ts'
import { fitInt, fitUint } from './standard.ts'

const T = param('T')
const LIST_T = listOf(T)

const includes = (items: CelList, item: Value) => {
  for (const one of items) if (equals(one, item)) return true
  return false
}
const contains = (items: CelList, wanted: CelList) => [...wanted].every((item) => includes(items, item))

export const SET_FUNCTIONS: readonly FunctionDeclaration[] = [
  define('sets.contains', global('list_sets_contains_list', [LIST_T, LIST_T], BOOL, contains)),
  define(
    'sets.equivalent',
    global('list_sets_equivalent_list', [LIST_T, LIST_T], BOOL, (a: CelList, b: CelList) => contains(a, b) && contains(b, a)),
  ),
  define(
    'sets.intersects',
    global('list_sets_intersects_list', [LIST_T, LIST_T], BOOL, (a: CelList, b: CelList) => [...b].some((item) => includes(a, item))),
  ),
]

const ORDERED: readonly (readonly [string, CelType])[] = [
  ['int', INT],
  ['uint', UINT],
  ['double', DOUBLE],
  ['bool', BOOL],
  ['duration', DURATION],
  ['timestamp', TIMESTAMP],
  ['string', STRING],
  ['bytes', BYTES],
]
const SUMMED: readonly (readonly [string, CelType, Value])[] = [
  ['int', INT, 0n],
  ['uint', UINT, new Uint(0n)],
  ['double', DOUBLE, 0],
  ['duration', DURATION, new Duration(0n)],
]

function isSorted(items: CelList): boolean {
  for (let i = 1; i < items.size; i++) if (compare(items.at(i - 1), items.at(i)) > 0) return false
  return true
}

function extreme(name: 'min' | 'max') {
  return (items: CelList): Value => {
    if (items.size === 0) throw new CelError(`${name} called on empty list`)
    let best = items.at(0)
    for (const item of items) if (name === 'min' ? compare(item, best) < 0 : compare(item, best) > 0) best = item
    return best
  }
}

function sum(zero: Value) {
  return (items: CelList): Value => {
    let total = zero
    for (const item of items) total = plus(total, item)
    return total
  }
}

function plus(a: Value, b: Value): Value {
  if (typeof a === 'bigint' && typeof b === 'bigint') return fitInt(a + b)
  if (typeof a === 'number' && typeof b === 'number') return a + b
  if (a instanceof Uint && b instanceof Uint) return fitUint(a.value + b.value)
  if (a instanceof Duration && b instanceof Duration) return new Duration(a.nanos + b.nanos)
  throw new CelError('no such overload')
}

function indexOf(items: CelList, item: Value): bigint {
  for (let i = 0; i < items.size; i++) if (equals(items.at(i), item)) return BigInt(i)
  return -1n
}

function lastIndexOf(items: CelList, item: Value): bigint {
  for (let i = items.size - 1; i >= 0; i--) if (equals(items.at(i), item)) return BigInt(i)
  return -1n
}

/** Kubernetes' own. */
export const LIST_FUNCTIONS: readonly FunctionDeclaration[] = [
  define('isSorted', ...ORDERED.map(([id, type]) => method(`list_${id}_is_sorted_bool`, [listOf(type)], BOOL, isSorted))),
  define('sum', ...SUMMED.map(([id, type, zero]) => method(`list_${id}_sum_${id}`, [listOf(type)], type, sum(zero)))),
  define('max', ...ORDERED.map(([id, type]) => method(`list_${id}_max_${id}`, [listOf(type)], type, extreme('max')))),
  define('min', ...ORDERED.map(([id, type]) => method(`list_${id}_min_${id}`, [listOf(type)], type, extreme('min')))),
  define('indexOf', method('list_a_index_of_int', [LIST_T, T], INT, indexOf)),
  define('lastIndexOf', method('list_a_last_index_of_int', [LIST_T, T], INT, lastIndexOf)),
]

/** What a list may have at most before its making costs more than any budget has. */
const LONGEST = 1_000_000n

function range(count: bigint): ValueList {
  if (count > LONGEST) throw new BudgetError()
  return new ValueList(Array.from({ length: Math.max(0, Number(count)) }, (_, i) => BigInt(i)))
}

function slice(items: CelList, from: bigint, to: bigint): ValueList {
  if (from < 0n || to < 0n) throw new CelError(`cannot slice(${from}, ${to}), negative indexes not supported`)
  if (from > to) throw new CelError(`cannot slice(${from}, ${to}), start index must be less than or equal to end index`)
  if (to > BigInt(items.size)) throw new CelError(`cannot slice(${from}, ${to}), list is length ${items.size}`)
  return new ValueList([...items].slice(Number(from), Number(to)))
}

function flatten(items: CelList, depth = 1n): ValueList {
  if (depth < 0n) throw new CelError('level must be non-negative')
  const flat: Value[] = []
  for (const item of items) {
    if (item instanceof CelList && depth > 0n) for (const inner of flatten(item, depth - 1n)) flat.push(inner)
    else flat.push(item)
  }
  return new ValueList(flat)
}

function distinct(items: CelList): ValueList {
  const kept: Value[] = []
  for (const item of items) if (!kept.some((one) => equals(one, item))) kept.push(item)
  return new ValueList(kept)
}

function sorted(items: CelList, keys: CelList): ValueList {
  if (items.size !== keys.size) throw new CelError('@sortByAssociatedKeys() expected a list of the same size as the associated keys list')
  const all = [...keys]
  const first = all[0]
  if (first !== undefined && all.some((key) => runtimeType(key).kind !== runtimeType(first).kind && numeric(key) === null))
    throw new CelError('list elements must have the same type')
  const places = all.map((_, i) => i).sort((a, b) => compare(all[a] as Value, all[b] as Value))
  return new ValueList(places.map((i) => items.at(i)))
}

/** cel-go's lists, version 3. */
export const LIST_EXTENSION: readonly FunctionDeclaration[] = [
  define('slice', method('list_slice', [LIST_T, INT, INT], LIST_T, slice)),
  define(
    'flatten',
    method('list_flatten', [listOf(LIST_T)], LIST_T, flatten),
    method('list_flatten_int', [listOf(DYN), INT], listOf(DYN), flatten),
  ),
  define(
    'sort',
    ...ORDERED.map(([id, type]) => method(`list_${id}_sort`, [listOf(type)], listOf(type), (items: CelList) => sorted(items, items))),
  ),
  define(
    '@sortByAssociatedKeys',
    ...ORDERED.map(([id, type]) => method(`list_${id}_sortByAssociatedKeys`, [LIST_T, listOf(type)], LIST_T, sorted)),
  ),
  define('lists.range', global('lists_range', [INT], listOf(INT), range)),
  define(
    'reverse',
    method('list_reverse', [LIST_T], LIST_T, (items: CelList) => new ValueList([...items].reverse())),
  ),
  define('distinct', method('list_distinct', [LIST_T], LIST_T, distinct)),
]
