/**
 * Equality of objects of a known type in the sense of Kubernetes (`apiequality.Semantic.DeepEqual`): quantities are compared by
 * value, times by instant, and an empty list or map is the same as none. For decoded objects `api/values/equal.ts` says the same
 * without a type, because decoding has made all of these canonical.
 */
import { semanticEqual } from '../api/values/equal.ts'
import { compareQuantity, tryQuantity } from '../api/values/quantity.ts'
import { normalizeMicroTime, normalizeTime } from './decode/time-text.ts'
import { getOwn, isObject, type JsonObject } from './json-value.ts'
import type { Scalar, Type } from './schema/type.ts'

/** An empty object of known fields is not the same as none: it may be a choice, as in `emptyDir: {}`. */
export function semanticEqualAs(type: Type, a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (type.kind === 'union') return semanticEqualAs(type.object, a, b)
  if (type.kind === 'any') return semanticEqual(a, b)
  if (a == null || b == null) return isNone(a, type) && isNone(b, type)
  if (type.kind === 'scalar') return scalarsEqual(a, b, type.scalar)
  if (type.kind === 'list') {
    if (!Array.isArray(a) || !Array.isArray(b)) return semanticEqual(a, b)
    return a.length === b.length && a.every((item, i) => semanticEqualAs(type.items, item, b[i]))
  }
  return isObject(a) && isObject(b) ? propertiesEqual(a, b, type) : semanticEqual(a, b)
}

type ObjectType = Extract<Type, { kind: 'struct' | 'map' }>

function propertiesEqual(a: JsonObject, b: JsonObject, type: ObjectType): boolean {
  const keys = new Set([...Object.keys(a), ...Object.keys(b)])
  return keys.values().every((key) => {
    const [x, y] = [getOwn(a, key), getOwn(b, key)]
    const under = type.kind === 'map' ? type.values : type.fields.get(key)?.type
    return under ? semanticEqualAs(under, x, y) : semanticEqual(x, y)
  })
}

function isNone(value: unknown, type: Type): boolean {
  if (value == null) return true
  if (Array.isArray(value)) return value.length === 0
  return type.kind === 'map' && isObject(value) && Object.keys(value).length === 0
}

function scalarsEqual(a: unknown, b: unknown, scalar: Scalar): boolean {
  if (scalar === 'quantity') {
    const [x, y] = [tryQuantity(a), tryQuantity(b)]
    return x !== null && y !== null && compareQuantity(x, y) === 0
  }
  if (typeof a !== 'string' || typeof b !== 'string') return false
  if (scalar === 'time') return sameNormalized(a, b, normalizeTime)
  return scalar === 'microTime' && sameNormalized(a, b, normalizeMicroTime)
}

function sameNormalized(a: string, b: string, normalize: (text: string) => string | undefined): boolean {
  try {
    return normalize(a) === normalize(b)
  } catch {
    return false
  }
}
