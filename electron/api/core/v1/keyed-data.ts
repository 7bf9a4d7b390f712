/** Checks that ConfigMaps and Secrets share. Source: kubernetes `core/validation`. */
import { semanticEqual } from '../../values/equal.ts'
import { forbidden, invalidEach, type FieldError } from '../../values/field-error.ts'
import { configMapKey } from '../../values/names.ts'

/** Bytes that all values may have together. */
export const MAX_DATA_BYTES = 1024 * 1024

type Data = Readonly<Record<string, string>>

export function validateKeys(data: Data | undefined, field: string): FieldError[] {
  return Object.keys(data ?? {}).flatMap((key) => invalidEach(`${field}[${key}]`, key, configMapKey(key)))
}

/** What is marked immutable stays so, and stays what it is. */
export function validateImmutability<T extends { immutable?: boolean }>(
  object: T,
  old: T,
  fields: readonly (keyof T & string)[],
): FieldError[] {
  if (!old.immutable) return []
  const changed = fields.filter((field) => !semanticEqual(object[field] ?? {}, old[field] ?? {}))
  return [...(object.immutable ? [] : ['immutable']), ...changed].map((field) =>
    forbidden(field, 'field is immutable when `immutable` is set'),
  )
}
