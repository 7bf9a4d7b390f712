/**
 * What expressions compute with: `int` is bigint, `double` number, `string`, `bool` and `null` are JavaScript's own, `bytes` a
 * Uint8Array; the rest are classes. Objects of the API are looked at in place and converted where they are looked at.
 */
import { NULL, BOOL, INT, UINT, DOUBLE, STRING, BYTES, TIMESTAMP, DURATION, TYPE, LIST_DYN, MAP_DYN, DYN, type CelType } from './types.ts'
import { CelError } from './errors.ts'

export type Value =
  | null
  | boolean
  | bigint
  | number
  | string
  | Uint8Array
  | Uint
  | Timestamp
  | Duration
  | TypeValue
  | Optional
  | CelList
  | CelMap
  | CelObject
  | Opaque

export class Uint {
  readonly value: bigint
  constructor(value: bigint) {
    this.value = value
  }
}

/** Nanoseconds since 1970, from year 1 to 9999. */
export class Timestamp {
  readonly nanos: bigint
  constructor(nanos: bigint) {
    if (nanos < MIN_TIME || nanos > MAX_TIME) throw new CelError('timestamp overflow')
    this.nanos = nanos
  }
}
const MIN_TIME = -62_135_596_800_000_000_000n
const MAX_TIME = 253_402_300_799_999_999_999n

export class Duration {
  readonly nanos: bigint
  constructor(nanos: bigint) {
    if (nanos < MIN_INT || nanos > MAX_INT) throw new CelError('duration overflow')
    this.nanos = nanos
  }
}

export const MIN_INT = -(2n ** 63n)
export const MAX_INT = 2n ** 63n - 1n
export const MAX_UINT = 2n ** 64n - 1n

export class TypeValue {
  readonly name: string
  constructor(name: string) {
    this.name = name
  }
}

export class Optional {
  readonly value: Value | undefined
  constructor(value: Value | undefined) {
    this.value = value
  }
}
export const NONE = new Optional(undefined)

/** What only a library knows: an IP address, a quantity, an authorizer. */
export abstract class Opaque {
  abstract readonly type: CelType
  abstract equals(other: Opaque): boolean
}

export abstract class CelList {
  abstract readonly size: number
  /** Within bounds. */
  abstract at(index: number): Value
  *[Symbol.iterator](): Iterator<Value> {
    for (let i = 0; i < this.size; i++) yield this.at(i)
  }
  equals(other: CelList): boolean {
    if (this.size !== other.size) return false
    for (let i = 0; i < this.size; i++) if (!equals(this.at(i), other.at(i))) return false
    return true
  }
  plus(other: CelList): CelList {
    return new ValueList([...this, ...other])
  }
}

export class ValueList extends CelList {
  readonly items: readonly Value[]
  constructor(items: readonly Value[]) {
    super()
    this.items = items
  }
  get size(): number {
    return this.items.length
  }
  at(index: number): Value {
    return this.items[index] as Value
  }
  override [Symbol.iterator](): Iterator<Value> {
    return this.items[Symbol.iterator]()
  }
}

export abstract class CelMap {
  abstract readonly size: number
  abstract get(key: Value): Value | undefined
  abstract keys(): Iterable<Value>
  has(key: Value): boolean {
    return this.get(key) !== undefined
  }
}

export class ValueMap extends CelMap {
  readonly #entries = new Map<string, readonly [Value, Value]>()
  /** Of two entries with the same key the last is kept. Throws CelError if a key has a type that no key can have. */
  constructor(entries: Iterable<readonly [Value, Value]> = []) {
    super()
    for (const entry of entries) this.#entries.set(requireKey(entry[0]), entry)
  }
  /** Throws CelError if two entries have the same key. */
  static unique(entries: readonly (readonly [Value, Value])[]): ValueMap {
    const map = new ValueMap(entries)
    if (map.size === entries.length) return map
    const seen = new ValueMap()
    for (const [key, value] of entries) seen.insert(key, value, 'Failed with repeated key')
    return map
  }
  /** Only by who made it and has shown it to nobody. Throws CelError if the key is there. */
  insert(key: Value, value: Value, failure = 'insert failed: key already exists'): void {
    const id = requireKey(key)
    if (this.#entries.has(id)) throw new CelError(failure)
    this.#entries.set(id, [key, value])
  }
  get size(): number {
    return this.#entries.size
  }
  get(key: Value): Value | undefined {
    const id = keyOf(key)
    return id === null ? undefined : this.#entries.get(id)?.[1]
  }
  *keys(): Iterable<Value> {
    for (const [key] of this.#entries.values()) yield key
  }
}

/** The same for keys that are equal; null: no key. Numbers of all types share their keys. */
export function keyOf(key: Value): string | null {
  switch (typeof key) {
    case 'string':
      return `s${key}`
    case 'boolean':
      return `b${key}`
    case 'bigint':
      return `n${key}`
    case 'number':
      return Number.isInteger(key) ? `n${BigInt(key)}` : `n${key}`
    default:
      return key instanceof Uint ? `n${key.value}` : null
  }
}

function requireKey(key: Value): string {
  const id = keyOf(key)
  if (id === null || typeof key === 'number') throw new CelError('unsupported key type')
  return id
}

/** An object with declared fields. */
export abstract class CelObject {
  abstract readonly type: CelType
  /** Undefined if the object has not got it. Throws CelError if there is no such field. */
  abstract get(field: string): Value | undefined
  has(field: string): boolean {
    return this.get(field) !== undefined
  }
  /** Names of the fields that are there. */
  abstract fields(): Iterable<string>
}

export class ValueObject extends CelObject {
  readonly type: CelType
  readonly #values: ReadonlyMap<string, Value>
  constructor(type: CelType, values: ReadonlyMap<string, Value>) {
    super()
    this.type = type
    this.#values = values
  }
  get(field: string): Value | undefined {
    return this.#values.get(field)
  }
  fields(): Iterable<string> {
    return this.#values.keys()
  }
}

export function equals(a: Value, b: Value): boolean {
  if (a === b) return true
  const [x, y] = [numeric(a), numeric(b)]
  // eslint-disable-next-line eqeqeq -- the numbers count, whatever holds them
  if (x !== null || y !== null) return x !== null && y !== null && x == y
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (a instanceof CelList) return b instanceof CelList && a.equals(b)
  if (a instanceof CelMap) return b instanceof CelMap && equalMaps(a, b)
  if (a instanceof CelObject) return b instanceof CelObject ? equalObjects(a, b) : false
  if (a instanceof Timestamp) return b instanceof Timestamp && a.nanos === b.nanos
  if (a instanceof Duration) return b instanceof Duration && a.nanos === b.nanos
  if (a instanceof Uint8Array) return b instanceof Uint8Array && compareBytes(a, b) === 0
  if (a instanceof TypeValue) return b instanceof TypeValue && a.name === b.name
  if (a instanceof Opaque) return b instanceof Opaque && a.type.name === b.type.name && a.equals(b)
  if (a instanceof Optional && b instanceof Optional)
    return a.value === undefined || b.value === undefined ? a.value === b.value : equals(a.value, b.value)
  return false
}

function equalMaps(a: CelMap, b: CelMap): boolean {
  if (a.size !== b.size) return false
  for (const key of a.keys()) {
    const [x, y] = [a.get(key), b.get(key)]
    if (x === undefined || y === undefined || !equals(x, y)) return false
  }
  return true
}

function equalObjects(a: CelObject, b: CelObject): boolean {
  const [one, other] = [new Set(a.fields()), new Set(b.fields())]
  if (one.size !== other.size) return false
  for (const field of one) {
    if (!other.has(field)) return false
    const [x, y] = [a.get(field), b.get(field)]
    if (x === undefined || y === undefined || !equals(x, y)) return false
  }
  return true
}

/** The number that a value is, else null. */
export function numeric(value: Value): bigint | number | null {
  if (typeof value === 'bigint' || typeof value === 'number') return value
  return value instanceof Uint ? value.value : null
}

/** Negative, zero or positive; NaN if neither is less. Throws CelError if the two have no order. */
export function compare(a: Value, b: Value): number {
  const [x, y] = [numeric(a), numeric(b)]
  if (x !== null && y !== null) return compareNumbers(x, y)
  if (typeof a === 'string' && typeof b === 'string') return compareText(a, b)
  if (typeof a === 'boolean' && typeof b === 'boolean') return Number(a) - Number(b)
  if ((a instanceof Timestamp && b instanceof Timestamp) || (a instanceof Duration && b instanceof Duration))
    return a.nanos < b.nanos ? -1 : a.nanos > b.nanos ? 1 : 0
  if (a instanceof Uint8Array && b instanceof Uint8Array) return compareBytes(a, b)
  throw new CelError('no such overload')
}

/** A whole number and a double are compared as doubles: what is lost by that counts as equal. */
function compareNumbers(a: bigint | number, b: bigint | number): number {
  const [x, y] = typeof a === typeof b ? [a, b] : [Number(a), Number(b)]
  return x < y ? -1 : x > y ? 1 : Number.isNaN(x) || Number.isNaN(y) ? NaN : 0
}

/** By code points, as the bytes of UTF-8 would be. */
function compareText(a: string, b: string): number {
  if (a === b) return 0
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const [x, y] = [a.charCodeAt(i), b.charCodeAt(i)]
    if (x === y) continue
    const [high, low] = [isSurrogate(x), isSurrogate(y)]
    return high === low ? x - y : high ? 1 : -1
  }
  return a.length - b.length
}

const isSurrogate = (unit: number) => unit >= 0xd800 && unit <= 0xdfff

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0)
    if (difference !== 0) return difference
  }
  return a.length - b.length
}

/** Items, entries, code points or bytes; 1 for what has no size. */
export function sizeOf(value: Value): number {
  if (typeof value === 'string') return codePoints(value)
  if (value instanceof CelList || value instanceof CelMap) return value.size
  if (value instanceof Uint8Array) return value.length
  if (value instanceof Optional && value.value !== undefined) return sizeOf(value.value)
  if (value instanceof CelObject) return [...value.fields()].length
  return 1
}

export function codePoints(text: string): number {
  let count = text.length
  for (let i = 0; i < text.length - 1; i++) {
    const unit = text.charCodeAt(i)
    if (unit < 0xd800 || unit > 0xdbff) continue
    const next = text.charCodeAt(i + 1)
    if (next >= 0xdc00 && next <= 0xdfff) count--
  }
  return count
}

/** The type as it is seen while an expression runs. */
export function runtimeType(value: Value): CelType {
  switch (typeof value) {
    case 'string':
      return STRING
    case 'boolean':
      return BOOL
    case 'bigint':
      return INT
    case 'number':
      return DOUBLE
    default:
  }
  if (value === null) return NULL
  if (value instanceof CelList) return LIST_DYN
  if (value instanceof CelMap) return MAP_DYN
  if (value instanceof CelObject || value instanceof Opaque) return value.type
  if (value instanceof Uint) return UINT
  if (value instanceof Uint8Array) return BYTES
  if (value instanceof Timestamp) return TIMESTAMP
  if (value instanceof Duration) return DURATION
  if (value instanceof TypeValue) return TYPE
  return OPTIONAL
}
const OPTIONAL: CelType = { kind: 'opaque', name: 'optional_type', params: [DYN] }

/** For messages: numbers and text as they are, the type of everything else. */
export function showValue(value: Value): string {
  return typeof value === 'object' && value !== null && !(value instanceof Uint)
    ? runtimeType(value).name
    : String(value instanceof Uint ? value.value : value)
}
