/** Values that may be absent. Source: cel-go `cel/library.go`, OptionalTypes. */
import { CelError } from '../errors.ts'
import { define, global, method, type FunctionDeclaration } from '../functions.ts'
import { BOOL, INT, listOf, mapOf, optionalOf, param } from '../types.ts'
import { CelList, CelMap, NONE, Optional, Uint, ValueList, showValue, type Value } from '../values.ts'

const V = param('V')
const K = param('K')
const OPTIONAL_V = optionalOf(V)
const LIST_V = listOf(V)
const MAP_KV = mapOf(K, V)

const some = (value: Value) => new Optional(value)

function isZero(value: Value): boolean {
  if (value === null || value === false || value === '' || value === 0n || value === 0) return true
  if (value instanceof Uint) return value.value === 0n
  if (value instanceof Uint8Array) return value.length === 0
  return (value instanceof CelList || value instanceof CelMap) && value.size === 0
}

function held({ value }: Optional): Value {
  if (value === undefined) throw new CelError('optional.none() dereference')
  return value
}

const unwrapped = (items: CelList) => {
  const values: Value[] = []
  for (const item of items) if (item instanceof Optional && item.value !== undefined) values.push(item.value)
  return new ValueList(values)
}

function end(items: CelList, index: number): Value {
  return items.size === 0 ? NONE : some(items.at(index))
}

export const OPTIONAL_FUNCTIONS: readonly FunctionDeclaration[] = [
  define('optional.of', global('optional_of', [V], OPTIONAL_V, some)),
  define(
    'optional.ofNonZeroValue',
    global('optional_ofNonZeroValue', [V], OPTIONAL_V, (value: Value) => (isZero(value) ? NONE : some(value))),
  ),
  define(
    'optional.none',
    global('optional_none', [], OPTIONAL_V, () => NONE),
  ),
  define('value', method('optional_value', [OPTIONAL_V], V, held)),
  define(
    'hasValue',
    method('optional_hasValue', [OPTIONAL_V], BOOL, ({ value }: Optional) => value !== undefined),
  ),
  define(
    'or',
    method('optional_or_optional', [OPTIONAL_V, OPTIONAL_V], OPTIONAL_V, (one: Optional, other: Optional) =>
      one.value === undefined ? other : one,
    ),
  ),
  define(
    'orValue',
    method('optional_orValue_value', [OPTIONAL_V, V], V, ({ value }: Optional, other: Value) => value ?? other),
  ),
  // Evaluated by themselves; declared for their types.
  define(
    '_[?_]',
    global('list_optindex_optional_int', [LIST_V, INT], OPTIONAL_V, () => NONE),
    global('optional_list_optindex_optional_int', [optionalOf(LIST_V), INT], OPTIONAL_V, () => NONE),
    global('map_optindex_optional_value', [MAP_KV, K], OPTIONAL_V, () => NONE),
    global('optional_map_optindex_optional_value', [optionalOf(MAP_KV), K], OPTIONAL_V, () => NONE),
  ),
  define(
    '_[_]',
    global('optional_list_index_int', [optionalOf(LIST_V), INT], OPTIONAL_V, () => NONE),
    global('optional_map_index_value', [optionalOf(MAP_KV), K], OPTIONAL_V, () => NONE),
  ),
  define(
    'first',
    method('list_first', [LIST_V], OPTIONAL_V, (items: CelList) => end(items, 0)),
  ),
  define(
    'last',
    method('list_last', [LIST_V], OPTIONAL_V, (items: CelList) => end(items, items.size - 1)),
  ),
  define('optional.unwrap', global('optional_unwrap', [listOf(OPTIONAL_V)], LIST_V, unwrapped)),
  define('unwrapOpt', method('optional_unwrapOpt', [listOf(OPTIONAL_V)], LIST_V, unwrapped)),
]

/** Of comprehensions that make maps. */
export const MAP_INSERT: FunctionDeclaration = define(
  'cel.@mapInsert',
  global('@mapInsert_map_key_value', [MAP_KV, K, V], MAP_KV, inserted),
  global('@mapInsert_map_map', [MAP_KV, MAP_KV], MAP_KV, (map: CelMap, other: CelMap) => {
    let result: Value = map
    for (const key of other.keys()) result = inserted(result as CelMap, key, other.get(key) ?? null)
    return result
  }),
)

/** The map is its comprehension's own. */
function inserted(map: CelMap, key: Value, value: Value): Value {
  const grown = map as CelMap & { insert(key: Value, value: Value, failure: string): void }
  grown.insert(key, value, `insert failed: key '${showValue(key)}' already exists`)
  return map
}
