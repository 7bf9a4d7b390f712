/** What is there before an object is created: the fields that are never absent, as zeros. Nobody becomes their owner by creating it. */
import { setOwn, type JsonObject } from '../json-value.ts'
import type { StructType } from '../schema/type.ts'

export function emptyObject(type: StructType): JsonObject {
  const out: JsonObject = {}
  for (const field of type.fields.values()) {
    const value = zeroOf(field.default)
    if (value !== undefined && field.type.kind === 'struct' && !field.type.custom) setOwn(out, field.name, emptyObject(field.type))
    else if (value !== undefined) setOwn(out, field.name, value)
    else if (field.required && field.type.kind === 'list' && !type.custom) setOwn(out, field.name, [])
  }
  return out
}

/** A default that is the zero value of its kind; undefined for one that defaulting puts there later. */
function zeroOf(value: unknown): unknown {
  if (value === '' || value === 0 || value === false) return value
  if (typeof value !== 'object' || value === null || Object.keys(value).length > 0) return undefined
  return Array.isArray(value) ? [] : {}
}
