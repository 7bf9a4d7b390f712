/**
 * Equality of objects in the sense of Kubernetes (`apiequality.Semantic.DeepEqual`): quantities are compared by value, times by
 * instant, and an empty list or map is the same as none.
 */
import { compareQuantity, tryQuantity } from '../api/values/quantity.ts'
import { normalizeMicroTime, normalizeTime } from './decode/time-text.ts'
import { isObject, type JsonObject } from './json-value.ts'
import type { Scalar, Type } from './schema/type.ts'

/**
 * Without a type, strings are compared as they are, and only lists can be the same as none: an empty object may be a choice, as
 * in `emptyDir: {}`.
 */
export function semanticEqual(a: unknown, b: unknown, type?: Type): boolean {
  if (a === b) return true
  if (a == null || b == null) return isNone(a, type) && isNone(b, type)
  if (Array.isArray(a) && Array.isArray(b)) {
    const items = type?.kind === 'list' ? type.items : undefined
    return a.length === b.length && a.every((item, i) => semanticEqual(item, b[i], items))
  }
  if (isObject(a) && isObject(b)) return propertiesEqual(a, b, type)
  return type?.kind === 'scalar' && scalarsEqual(a, b, type.scalar)
}

function propertiesEqual(a: JsonObject, b: JsonObject, type: Type | undefined): boolean {
  for (const key in a) if (!semanticEqual(a[key], Object.hasOwn(b, key) ? b[key] : undefined, typeUnder(type, key))) return false
  for (const key in b) if (!Object.hasOwn(a, key) && !isNone(b[key], typeUnder(type, key))) return false
  return true
}

function isNone(value: unknown, type: Type | undefined): boolean {
  if (value == null) return true
  if (Array.isArray(value)) return value.length === 0
  return type?.kind === 'map' && isObject(value) && Object.keys(value).length === 0
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

function typeUnder(type: Type | undefined, key: string): Type | undefined {
  const at = type?.kind === 'union' ? type.object : type
  if (at?.kind === 'map') return at.values
  return at?.kind === 'struct' ? at.fields.get(key)?.type : undefined
}
