/**
 * Objects of the API as values, by their declared types where those are known. Nothing is copied: each part is converted when an
 * expression looks at it. Source: apiserver `cel/common/values`.
 */
import { bytesFromBase64 } from '../../api/values/base64.ts'
import { getOwn, isObject, type JsonObject } from '../json-value.ts'
import { CelError } from './errors.ts'
import { escapeName } from './names.ts'
import { parseDuration, parseTimestamp } from './time.ts'
import { DYN, parameter, type CelType } from './types.ts'
import { CelList, CelMap, CelObject, Duration, equals, NONE, Opaque, Optional, Timestamp, TypeValue, Uint, type Value } from './values.ts'

/** Throws CelError if the JSON is not of that type. */
export function fromJson(json: unknown, type: CelType = DYN): Value {
  if (json === null || json === undefined) return null
  switch (typeof json) {
    case 'boolean':
      return json
    case 'number':
      return fromNumber(json, type)
    case 'string':
      return fromText(json, type)
    default:
  }
  if (Array.isArray(json)) {
    if (type.kind !== 'list' && type.kind !== 'dyn') throw mismatch('list', type)
    return new JsonList(json, type)
  }
  if (!isObject(json)) throw new CelError('unsupported value')
  if (type.kind === 'object') return new JsonStruct(json, type)
  if (type.kind === 'map' || type.kind === 'dyn') return new JsonMap(json, parameter(type, 1))
  throw mismatch('map', type)
}

function fromNumber(json: number, type: CelType): Value {
  if (type.kind === 'double') return json
  if (type.kind === 'uint') return new Uint(BigInt(json))
  if (type.kind !== 'int' && type.kind !== 'dyn') throw mismatch('number', type)
  if (Number.isInteger(json) && Math.abs(json) < 2 ** 63) return BigInt(json)
  if (type.kind === 'int') throw mismatch('double', type)
  return json
}

function fromText(json: string, type: CelType): Value {
  switch (type.kind) {
    case 'timestamp':
      return parseTimestamp(json.length === DATE_LENGTH ? `${json}T00:00:00Z` : json)
    case 'duration':
      return parseDuration(json)
    case 'bytes':
      return bytes(json)
    case 'string':
    case 'dyn':
      return json
    default:
      throw mismatch('string', type)
  }
}

const DATE_LENGTH = '2006-01-02'.length

function bytes(base64: string): Uint8Array {
  try {
    return bytesFromBase64(base64)
  } catch {
    throw new CelError('invalid base64')
  }
}

const mismatch = (found: string, type: CelType) => new CelError(`invalid data, expected ${type.name}, got ${found}`)

export class JsonList extends CelList {
  readonly json: readonly unknown[]
  readonly #item: CelType
  constructor(json: readonly unknown[], type: CelType) {
    super()
    this.json = json
    this.#item = parameter(type, 0)
    const { setOf } = type as SetType
    this.#sets = setOf ?? null
  }
  readonly #sets: SetType['setOf'] | null
  get size(): number {
    return this.json.length
  }
  at(index: number): Value {
    return fromJson(this.json[index], this.#item)
  }
  /** Of sets and of lists with keys the order does not count. */
  override equals(other: CelList): boolean {
    if (!this.#sets) return super.equals(other)
    if (this.size !== other.size) return false
    const left = [...other]
    for (const item of this) {
      const found = left.findIndex((one) => equals(one, item))
      if (found < 0) return false
      left.splice(found, 1)
    }
    return true
  }
  /** To a set is added what it has not; in a list with keys what has the same keys takes the place of what is there. */
  override plus(other: CelList): CelList {
    const keyOf = this.#sets
    if (!keyOf || !(other instanceof JsonList)) return super.plus(other)
    const merged = new Map(this.json.map((item) => [keyOf(item), item]))
    for (const item of other.json) merged.set(keyOf(item), item)
    return new JsonList([...merged.values()], { kind: 'list', name: 'list', params: [this.#item], setOf: keyOf } as SetType)
  }
}

/** A list whose items stand for themselves, wherever they are: what two items that are the same share. */
export interface SetType extends CelType {
  readonly setOf?: (item: unknown) => string
}

export class JsonMap extends CelMap {
  readonly json: JsonObject
  readonly #value: CelType
  constructor(json: JsonObject, value: CelType) {
    super()
    this.json = json
    this.#value = value
  }
  get size(): number {
    return Object.keys(this.json).length
  }
  get(key: Value): Value | undefined {
    const json = typeof key === 'string' ? getOwn(this.json, key) : undefined
    return json === undefined ? undefined : fromJson(json, this.#value)
  }
  override has(key: Value): boolean {
    return typeof key === 'string' && Object.hasOwn(this.json, key)
  }
  keys(): Iterable<string> {
    return Object.keys(this.json)
  }
}

export class JsonStruct extends CelObject {
  readonly json: JsonObject
  readonly type: CelType
  constructor(json: JsonObject, type: CelType) {
    super()
    this.json = json
    this.type = type
  }
  get(field: string): Value | undefined {
    const declared = this.#declared(field)
    const json = getOwn(this.json, declared.property)
    return json === undefined ? undefined : fromJson(json, declared.type)
  }
  override has(field: string): boolean {
    return getOwn(this.json, this.#declared(field).property) !== undefined
  }
  fields(): Iterable<string> {
    const { field } = this.type
    if (!field) return Object.keys(this.json)
    return Object.keys(this.json)
      .map(escapeName)
      .filter((name) => field(name) !== undefined)
  }
  #declared(field: string) {
    const declared = this.type.field ? this.type.field(field) : { type: DYN, property: field }
    if (!declared) throw new CelError(`no such key: ${field}`)
    return declared
  }
}

/** As JSON has it. Throws CelError for what JSON cannot say. */
export function toJson(value: Value): unknown {
  switch (typeof value) {
    case 'string':
    case 'boolean':
    case 'number':
      return value
    case 'bigint':
      return Number(value)
    default:
  }
  if (value === null) return null
  if (value instanceof Uint) return Number(value.value)
  if (value instanceof JsonList || value instanceof JsonMap || value instanceof JsonStruct) return value.json
  if (value instanceof CelList) return [...value].map(toJson)
  if (value instanceof CelMap) return Object.fromEntries([...value.keys()].map((key) => [textKey(key), toJson(value.get(key) ?? null)]))
  if (value instanceof CelObject) return Object.fromEntries([...value.fields()].map((field) => [field, toJson(value.get(field) ?? null)]))
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64')
  if (value instanceof Optional) return value === NONE || value.value === undefined ? null : toJson(value.value)
  if (value instanceof Timestamp || value instanceof Duration || value instanceof TypeValue || value instanceof Opaque)
    throw new CelError(`type conversion error from '${value.constructor.name}' to JSON`)
  return null
}

function textKey(key: Value): string {
  return typeof key === 'object' ? String(toJson(key)) : String(key)
}
