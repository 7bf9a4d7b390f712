/** The types of expressions about objects of an OpenAPI v3 schema, and how large those can be. Source: apiserver `cel/common/schemas.go`. */
import { getOwn, isObject } from '../json-value.ts'
import type { SetType } from './json.ts'
import { escapeName, isSelectable } from './names.ts'
import { BOOL, BYTES, DOUBLE, DURATION, DYN, INT, STRING, TIMESTAMP, type CelType, type FieldType } from './types.ts'

/** What is read of a schema. */
export interface TypeSchema {
  readonly type?: string
  readonly format?: string
  readonly items?: TypeSchema | readonly TypeSchema[]
  readonly properties?: Readonly<Record<string, TypeSchema>>
  readonly additionalProperties?: TypeSchema | boolean
  readonly required?: readonly string[]
  readonly enum?: readonly unknown[]
  readonly default?: unknown
  readonly maxLength?: number
  readonly maxItems?: number
  readonly maxProperties?: number
  readonly 'x-kubernetes-int-or-string'?: boolean
  readonly 'x-kubernetes-embedded-resource'?: boolean
  readonly 'x-kubernetes-list-type'?: string
  readonly 'x-kubernetes-list-map-keys'?: readonly string[]
}

export interface SizedType extends CelType {
  /** How many bytes of JSON a value takes at least. */
  readonly minBytes: number
  readonly fields?: ReadonlyMap<string, FieldType & { readonly type: SizedType }>
}

/** Of what a request may hold, in bytes. */
export const MAX_REQUEST = 3 * 1024 * 1024
const MAX_TIME_TEXT = 32
const DATE_TEXT = 12

const NAME = { type: 'string' } as const
const ROOT_PROPERTIES: Readonly<Record<string, TypeSchema>> = {
  apiVersion: NAME,
  kind: NAME,
  metadata: { type: 'object', properties: { name: NAME, generateName: NAME } },
}

/** Null if expressions cannot see the value. `root`: a whole object with names, of which at least those are seen. `name` is for objects. */
export function typeOfSchema(schema: TypeSchema, root: boolean, name = 'selfType'): SizedType | null {
  const { maxLength } = schema
  const textSize = maxLength === undefined ? MAX_REQUEST - 2 : Math.max(0, maxLength) * 4
  if (schema['x-kubernetes-int-or-string']) return { ...DYN, minBytes: 1, maxSize: textSize }
  switch (root ? 'object' : schema.type) {
    case 'array':
      return listType(schema, name)
    case 'object':
      return typeof schema.additionalProperties === 'object'
        ? mapType(schema, schema.additionalProperties, name)
        : object(schema, root, name)
    case 'string':
      return stringType(schema, textSize)
    case 'boolean':
      return { ...BOOL, minBytes: 4 }
    case 'number':
      return { ...DOUBLE, minBytes: 1 }
    case 'integer':
      return { ...INT, minBytes: 1 }
    default:
      return null
  }
}

function listType({ items, maxItems, ...list }: TypeSchema, name: string): SizedType | null {
  const schema = isSchema(items) ? items : null
  const item = schema && typeOfSchema(schema, schema['x-kubernetes-embedded-resource'] ?? false, `${name}.@idx`)
  if (!item) return null
  const setOf = identity(list)
  const type: SizedType & SetType = {
    kind: 'list',
    name: 'list',
    params: [item],
    minBytes: 2,
    maxSize: maxItems === undefined ? Math.floor((MAX_REQUEST - 2) / (item.minBytes + 1)) : Math.max(0, maxItems),
    ...(setOf ? { setOf } : {}),
  }
  return type
}

const isSchema = (items: TypeSchema['items']): items is TypeSchema => items !== undefined && !Array.isArray(items)

/** What items that stand for the same have in common; null if items are what their place says. */
function identity(list: TypeSchema): ((item: unknown) => string) | null {
  const keys = list['x-kubernetes-list-map-keys'] ?? []
  if (list['x-kubernetes-list-type'] === 'set') return (item) => JSON.stringify(item)
  if (list['x-kubernetes-list-type'] !== 'map') return null
  return (item) => JSON.stringify(isObject(item) ? keys.map((key) => getOwn(item, key)) : item)
}

function mapType({ maxProperties }: TypeSchema, values: TypeSchema, name: string): SizedType | null {
  const value = typeOfSchema(values, values['x-kubernetes-embedded-resource'] ?? false, `${name}.@elem`)
  if (!value) return null
  const maxSize = maxProperties === undefined ? Math.floor((MAX_REQUEST - 2) / (value.minBytes + 6)) : Math.max(0, maxProperties)
  return { kind: 'map', name: 'map', params: [STRING, value], minBytes: 2, maxSize }
}

function object({ properties = {}, required = [] }: TypeSchema, root: boolean, name: string): SizedType {
  const fields = new Map<string, FieldType & { type: SizedType }>()
  let minBytes = 2
  for (const [property, schema] of Object.entries(root ? { ...properties, ...ROOT_PROPERTIES, ...named(properties) } : properties)) {
    const field = escapeName(property)
    const type = typeOfSchema(schema, schema['x-kubernetes-embedded-resource'] ?? false, `${name}.${field}`)
    if (!type) continue
    if (isSelectable(field)) fields.set(field, { type, property })
    if (required.includes(property) && schema.default === undefined) minBytes += property.length + type.minBytes + 4
  }
  return { kind: 'object', name, params: [], field: (field) => fields.get(field), fields, minBytes }
}

/** What a schema itself says of names goes before what all objects have. */
function named({ metadata }: Readonly<Record<string, TypeSchema>>): Readonly<Record<string, TypeSchema>> {
  if (!metadata?.properties) return {}
  const properties = { ...ROOT_PROPERTIES['metadata']?.properties, ...metadata.properties }
  return { metadata: { type: 'object', properties } }
}

function stringType({ format, maxLength, enum: values = [] }: TypeSchema, textSize: number): SizedType {
  switch (format) {
    case 'byte':
      return { ...BYTES, minBytes: 2, maxSize: maxLength === undefined ? MAX_REQUEST - 2 : Math.max(0, maxLength) }
    case 'duration':
      return { ...DURATION, minBytes: 3, maxSize: MAX_TIME_TEXT }
    case 'date':
      return { ...TIMESTAMP, minBytes: DATE_TEXT, maxSize: DATE_TEXT }
    case 'date-time':
      return { ...TIMESTAMP, minBytes: 21, maxSize: MAX_TIME_TEXT }
    default: {
      const longest = Math.max(0, ...values.map((value) => (typeof value === 'string' ? Buffer.byteLength(value) : 0)))
      return { ...STRING, minBytes: 2, maxSize: maxLength === undefined && values.length > 0 ? longest : textSize }
    }
  }
}
