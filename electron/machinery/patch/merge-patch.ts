/** JSON Merge Patch (RFC 7386). Documents are not changed; results share with them. */
import { isObject, jsonEqual, setOwn, type JsonObject } from '../json-value.ts'

export function applyMergePatch(document: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return withoutNulls(patch)
  const out: JsonObject = isObject(document) ? { ...document } : {}
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete out[key]
    else setOwn(out, key, applyMergePatch(Object.hasOwn(out, key) ? out[key] : undefined, value))
  }
  return out
}

/** The patch that makes `modified` of `original`. Properties of `modified` that are null come out as removed. */
export function createMergePatch(original: unknown, modified: unknown): unknown {
  if (!isObject(original) || !isObject(modified)) return modified
  const patch: JsonObject = {}
  for (const [key, value] of Object.entries(modified)) {
    const before = Object.hasOwn(original, key) ? original[key] : undefined
    if (jsonEqual(before, value) || value === undefined) continue
    setOwn(patch, key, isObject(before) && isObject(value) ? createMergePatch(before, value) : value)
  }
  for (const key of Object.keys(original)) if (!Object.hasOwn(modified, key)) setOwn(patch, key, null)
  return patch
}

/** Nulls in objects inside lists mean "no such property" too, as in the API server's library; nulls in lists stay. */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls)
  if (!isObject(value)) return value
  const out: JsonObject = {}
  for (const [key, item] of Object.entries(value)) if (item !== null) setOwn(out, key, withoutNulls(item))
  return out
}
