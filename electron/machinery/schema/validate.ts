/**
 * Whether a value is as an OpenAPI v3 schema of a custom resource says, with the errors that Kubernetes answers. Sources: kube-openapi
 * `validation/{validate,errors}`, apiextensions `apiserver/validation`.
 */
import type { JSONSchemaProps } from '../../api/apiextensions/v1/types.gen.ts'
import { invalid, notSupported, required, tooMany, typeInvalid, type FieldError } from '../../api/values/field-error.ts'
import { goRegExp } from '../../api/values/go-regexp.ts'
import { getOwn, isObject, jsonEqual, type JsonObject } from '../json-value.ts'
import { hasFormat } from './formats.ts'

/** What has no place in the object: upstream's path for errors of `anyOf` and its like. */
const NOWHERE = '<nil>'

/**
 * What is wrong with the value; nothing if it is fine. `path` is the value's own: "" for the whole object. With `old`, what is wrong
 * in the same way in an unchanged part of the old value is borne with (KEP-4008).
 */
export function validateValue(value: unknown, schema: JSONSchemaProps, path = '', old?: unknown): FieldError[] {
  if (old !== undefined && jsonEqual(value, old)) return []
  if (value === null && schema.nullable) return []
  const mistyped = typeError(value, schema, path)
  if (mistyped) return [mistyped]
  const errors = [...enumErrors(value, schema, path), ...combined(value, schema, path)]
  if (typeof value === 'string') errors.push(...stringErrors(value, schema, path))
  else if (typeof value === 'number') errors.push(...numberErrors(value, schema, path))
  else if (Array.isArray(value)) errors.push(...listErrors(value, schema, path, old))
  else if (isObject(value)) errors.push(...objectErrors(value, schema, path, old))
  return errors
}

const inBody = (path: string) => `${path} in body`

function typeError(value: unknown, schema: JSONSchemaProps, path: string): FieldError | null {
  if (schema['x-kubernetes-int-or-string']) {
    if (typeof value === 'string' || (typeof value === 'number' && Number.isInteger(value))) return null
    return mismatch(value, 'integer,string', path)
  }
  const { type } = schema
  if (!type) return null
  const found = typeOf(value)
  if (found === type || (type === 'number' && found === 'integer')) return null
  return mismatch(value, type, path)
}

function mismatch(value: unknown, type: string, path: string): FieldError {
  const found = typeOf(value)
  return typeInvalid(path, found, `${inBody(path)} must be of type ${type}: ${JSON.stringify(found)}`)
}

function typeOf(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'array'
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number'
  return typeof value
}

function enumErrors(value: unknown, schema: JSONSchemaProps, path: string): FieldError[] {
  if (!schema.enum?.length || schema.enum.some((one) => jsonEqual(one, value))) return []
  const allowed = schema.enum.map((one) => (typeof one === 'string' ? one : JSON.stringify(one)))
  return [notSupported(path, value, allowed)]
}

function stringErrors(value: string, schema: JSONSchemaProps, path: string): FieldError[] {
  const { maxLength, minLength, pattern, format } = schema
  const errors: FieldError[] = []
  const length = maxLength === undefined && minLength === undefined ? 0 : codePoints(value)
  if (maxLength !== undefined && length > maxLength) {
    const message = `Too long: may not be more than ${maxLength} ${maxLength === 1 ? 'byte' : 'bytes'}`
    errors.push({ type: 'FieldValueTooLong', field: path, message })
  }
  if (minLength !== undefined && length < minLength)
    errors.push(invalid(path, value, `${inBody(path)} should be at least ${minLength} chars long`))
  if (pattern && !goRegExp(pattern).test(value)) errors.push(invalid(path, value, `${inBody(path)} should match '${pattern}'`))
  if (format && !hasFormat(format, value))
    errors.push(typeInvalid(path, value, `${inBody(path)} must be of type ${format}: ${JSON.stringify(value)}`))
  return errors
}

function codePoints(text: string): number {
  let count = 0
  for (const _char of text) count++
  return count
}

const INT32 = 2 ** 31
const INT64 = 2 ** 63

function numberErrors(value: number, schema: JSONSchemaProps, path: string): FieldError[] {
  const { maximum, minimum, multipleOf, format } = schema
  const errors: FieldError[] = []
  const add = (what: string) => errors.push(invalid(path, value, `${inBody(path)} should be ${what}`))
  if (maximum !== undefined) {
    if (schema.exclusiveMaximum ? value >= maximum : value > maximum)
      add(`less than ${schema.exclusiveMaximum ? '' : 'or equal to '}${maximum}`)
  }
  if (minimum !== undefined) {
    if (schema.exclusiveMinimum ? value <= minimum : value < minimum)
      add(`greater than ${schema.exclusiveMinimum ? '' : 'or equal to '}${minimum}`)
  }
  if (multipleOf !== undefined && !isMultiple(value, multipleOf)) add(`a multiple of ${multipleOf}`)
  const limit = format === 'int32' ? INT32 : format === 'int64' ? INT64 : Infinity
  if (value < -limit || value >= limit) {
    const why = `Checked value must be of type integer with format ${String(format)} in ${path}`
    errors.push(invalid(path, value, why))
  }
  return errors
}

function isMultiple(value: number, of: number): boolean {
  const times = value / of
  return Math.abs(times - Math.round(times)) < 1e-9
}

function listErrors(value: readonly unknown[], schema: JSONSchemaProps, path: string, old: unknown): FieldError[] {
  const { maxItems, minItems, items } = schema
  const errors: FieldError[] = []
  if (items && !Array.isArray(items)) {
    const before = correspondence(schema, old)
    for (const [i, item] of value.entries()) errors.push(...validateValue(item, items, `${path}[${i}]`, before(item, i)))
  }
  if (maxItems !== undefined && value.length > maxItems) errors.push(tooMany(path, value.length, maxItems))
  if (minItems !== undefined && value.length < minItems)
    errors.push(invalid(path, value.length, `${inBody(path)} should have at least ${minItems} items`))
  const doubled = schema.uniqueItems && value.some((item, i) => value.slice(0, i).some((one) => jsonEqual(one, item)))
  if (doubled) errors.push(invalid(path, value, `${inBody(path)} shouldn't contain duplicates`))
  return errors
}

/** The old item that an item stands for: only lists with keys tell. */
function correspondence(schema: JSONSchemaProps, old: unknown): (item: unknown, index: number) => unknown {
  const keys = schema['x-kubernetes-list-map-keys'] ?? []
  if (!Array.isArray(old) || schema['x-kubernetes-list-type'] !== 'map' || keys.length === 0) return () => undefined
  const before = old as readonly unknown[]
  return (item) =>
    isObject(item) ? before.find((one) => isObject(one) && keys.every((key) => jsonEqual(getOwn(one, key), getOwn(item, key)))) : undefined
}

function objectErrors(value: JsonObject, schema: JSONSchemaProps, path: string, old: unknown): FieldError[] {
  const { maxProperties, minProperties, properties = {}, additionalProperties: others } = schema
  const errors: FieldError[] = []
  const below = (name: string) => (path === '' ? name : `${path}.${name}`)
  const before = isObject(old) ? old : {}
  const names = Object.keys(value)
  if (maxProperties !== undefined && names.length > maxProperties) errors.push(tooMany(path, names.length, maxProperties))
  if (minProperties !== undefined && names.length < minProperties)
    errors.push(invalid(path, names.length, `${inBody(path)} should have at least ${minProperties} properties`))
  for (const name of schema.required ?? []) if (!Object.hasOwn(value, name)) errors.push(required(below(name)))
  for (const name of names) {
    const own = Object.hasOwn(properties, name) ? properties[name] : typeof others === 'object' ? others : undefined
    if (own) errors.push(...validateValue(value[name], own, below(name), getOwn(before, name)))
    else if (others === false) errors.push(invalid(below(name), '', `${below(name)} in body is a forbidden property`))
  }
  return errors
}

function combined(value: unknown, schema: JSONSchemaProps, path: string): FieldError[] {
  const errors: FieldError[] = []
  const add = (what: string) => errors.push(invalid(NOWHERE, '', `${JSON.stringify(path)} must ${what}`))
  const outcomes = (schemas: readonly JSONSchemaProps[]) => schemas.map((one) => validateValue(value, one, path, undefined))
  if (schema.anyOf?.length) {
    const all = outcomes(schema.anyOf)
    if (all.every((one) => one.length > 0)) {
      add('validate at least one schema (anyOf)')
      errors.push(...fewest(all))
    }
  }
  if (schema.oneOf?.length) {
    const all = outcomes(schema.oneOf)
    const matching = all.filter((one) => one.length === 0).length
    if (matching === 0) {
      add('validate one and only one schema (oneOf). Found none valid')
      errors.push(...fewest(all))
    } else if (matching > 1) add(`validate one and only one schema (oneOf). Found ${matching} valid alternatives`)
  }
  if (schema.allOf?.length) {
    const all = outcomes(schema.allOf)
    const matching = all.filter((one) => one.length === 0).length
    errors.push(...all.flat())
    if (matching === 0) add('validate all the schemas (allOf). None validated')
    else if (matching < all.length) add('validate all the schemas (allOf)')
  }
  if (schema.not && validateValue(value, schema.not, path, undefined).length === 0) add('not validate the schema (not)')
  return errors
}

function fewest(outcomes: readonly FieldError[][]): readonly FieldError[] {
  return outcomes.reduce((best, one) => (one.length < best.length ? one : best))
}
