/**
 * How a value of a type is taken apart for ownership: a leaf is owned as a whole, an object by its fields, a list by its items.
 * Source: structured-merge-diff `typed` and the schema extensions `x-kubernetes-{list,map}-type`.
 */
import { isObject, type JsonObject } from '../json-value.ts'
import type { AnyType, ListType, Type } from '../schema/type.ts'
import { keyElement, valueElement, type PathElement } from './path-element.ts'

/** What no schema describes is owned field by field as it is found, lists as a whole. */
export const DEDUCED: AnyType = Object.freeze({ kind: 'any', atomic: false, go: 'interface {}', custom: true, nullable: true })

export type Shape = 'leaf' | 'object' | 'list'

/** The shape that a type gives to a value; a leaf where the value is neither absent, null, nor of the type's shape. */
export function shapeOf(type: Type, value: unknown): Shape {
  const nothing = value === undefined || value === null
  switch (type.kind) {
    case 'struct':
    case 'map':
      return !type.atomic && (nothing || isObject(value)) ? 'object' : 'leaf'
    case 'list':
      return type.listType !== 'atomic' && (nothing || Array.isArray(value)) ? 'list' : 'leaf'
    case 'any':
      return !type.atomic && isObject(value) ? 'object' : 'leaf'
    case 'scalar':
    case 'union':
      return 'leaf'
  }
}

/** The type of what is under a key of an object. */
export function childType(type: Type, key: string): Type {
  if (type.kind === 'struct') return type.fields.get(key)?.type ?? DEDUCED
  return type.kind === 'map' ? type.values : DEDUCED
}

/** Absent, null, `{}` or `[]`: there is nothing in it to be owned by itself. */
export function isHollow(value: unknown): boolean {
  if (value === undefined || value === null) return true
  if (Array.isArray(value)) return value.length === 0
  if (!isObject(value)) return false
  for (const _key in value) return false
  return true
}

export const asObject = (value: unknown): JsonObject => (isObject(value) ? value : {})
export const asItems = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])

/** An object whose ownership cannot be told, because an item of a list has no identity. */
export class UntrackableError extends Error {
  override readonly name = 'UntrackableError'
}

/** Where an item stands in a list with keys or in a set. Throws UntrackableError if it has no place. */
export function elementOf(type: ListType, item: unknown): PathElement {
  if (type.listType === 'set') {
    if (isObject(item)) throw new UntrackableError("associative list without keys has an element that's a map type")
    if (Array.isArray(item)) throw new UntrackableError('not supported: associative list with lists as elements')
    if (item === null) throw new UntrackableError("associative list without keys has an element that's an explicit null")
    return valueElement(item)
  }
  if (item === null) throw new UntrackableError('associative list with keys may not have a null element')
  if (!isObject(item)) throw new UntrackableError('associative list with keys may not have non-map elements')
  const keys: [string, unknown][] = []
  for (const name of type.keys) {
    const value = Object.hasOwn(item, name) ? item[name] : keyDefault(type, name)
    if (value !== undefined) keys.push([name, value])
  }
  if (keys.length === 0) {
    const names = `[${type.keys.map((name) => JSON.stringify(name)).join(' ')}]`
    throw new UntrackableError(
      `associative list with keys has an element that omits all key fields ${names} (and doesn't have default values for any key fields)`,
    )
  }
  return keyElement(keys)
}

function keyDefault(type: ListType, name: string): unknown {
  return type.items.kind === 'struct' ? type.items.fields.get(name)?.default : undefined
}
