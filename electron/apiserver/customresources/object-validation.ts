/** What must hold for the objects of a custom resource beside its schema's keywords: embedded objects and lists with keys. */
import type { JSONSchemaProps } from '../../api/apiextensions/v1/types.gen.ts'
import type { ObjectMeta } from '../../api/meta/v1/object.ts'
import { validateAnnotations, validateFinalizers, validateLabels, validateOwnerReferences } from '../../api/meta/v1/validation.ts'
import { duplicate, invalid, invalidEach, required, type FieldError } from '../../api/values/field-error.ts'
import { dns1035Label, pathSegmentName } from '../../api/values/names.ts'
import { getOwn, isObject, jsonEqual, type JsonObject } from '../../machinery/json-value.ts'
import { validateValue } from '../../machinery/schema/validate.ts'

/** `old` is what the object was, on an update: what was wrong there already, and is as it was, is borne with. */
export function validateCustom(object: unknown, schema: JSONSchemaProps, old?: unknown): FieldError[] {
  const { metadata: _metadata, ...properties } = schema.properties ?? {}
  const errors = validateValue(object, { ...schema, properties }, '', old)
  if (schema.properties?.['metadata'] && isObject(object)) {
    const { name, generateName } = schema.properties['metadata'].properties ?? {}
    const narrowed: JSONSchemaProps = { properties: { ...(name ? { name } : {}), ...(generateName ? { generateName } : {}) } }
    errors.push(...validateValue(object['metadata'], narrowed, 'metadata'))
  }
  return [...errors, ...walk(object, { ...schema, properties }, '', old)]
}

function walk(value: unknown, schema: JSONSchemaProps, path: string, old: unknown): FieldError[] {
  if (old !== undefined && jsonEqual(value, old)) return []
  if (Array.isArray(value)) {
    const items = Array.isArray(schema.items) ? undefined : schema.items
    const below = items ? value.flatMap((item: unknown, i) => walk(item, items, `${path}[${i}]`, undefined)) : []
    return [...doubles(value, schema, path), ...below]
  }
  if (!isObject(value)) return []
  const { properties = {}, additionalProperties: others } = schema
  const errors = path !== '' && schema['x-kubernetes-embedded-resource'] ? embedded(value, path) : []
  for (const [name, item] of Object.entries(value)) {
    const own = Object.hasOwn(properties, name) ? properties[name] : typeof others === 'object' ? others : undefined
    if (own) errors.push(...walk(item, own, path === '' ? name : `${path}.${name}`, isObject(old) ? getOwn(old, name) : undefined))
  }
  return errors
}

/** Source: apiextensions `schema/listtype`. */
function doubles(items: readonly unknown[], schema: JSONSchemaProps, path: string): FieldError[] {
  const listType = schema['x-kubernetes-list-type']
  if (listType !== 'set' && listType !== 'map') return []
  const schemaOfItems = Array.isArray(schema.items) ? undefined : schema.items
  const keys = schema['x-kubernetes-list-map-keys'] ?? []
  const identity = (item: unknown): unknown => {
    if (listType === 'set' || !isObject(item)) return item
    return Object.fromEntries(keys.map((key) => [key, getOwn(item, key) ?? schemaOfItems?.properties?.[key]?.default]))
  }
  const seen: unknown[] = []
  return items.flatMap((item, i) => {
    if (listType === 'map' && !isObject(item)) return [invalid(`${path}[${i}]`, item, 'must be an object for an array of list-type map')]
    const own = identity(item)
    if (seen.some((one) => jsonEqual(one, own))) return [duplicate(`${path}[${i}]`, own)]
    seen.push(own)
    return []
  })
}

/** Source: apiextensions `schema/objectmeta`. */
function embedded(value: JsonObject, path: string): FieldError[] {
  const { apiVersion, kind, metadata } = value
  const errors: FieldError[] = []
  if (typeof apiVersion !== 'string' || !apiVersion) errors.push(required(`${path}.apiVersion`, 'must not be empty'))
  else if (apiVersion.split('/').length > 2)
    errors.push(invalid(`${path}.apiVersion`, apiVersion, `unexpected GroupVersion string: ${apiVersion}`))
  if (typeof kind !== 'string' || !kind) errors.push(required(`${path}.kind`, 'must not be empty'))
  else {
    const wrong = dns1035Label(kind.toLowerCase())
    if (wrong.length) errors.push(invalid(`${path}.kind`, kind, `may have mixed case, but should otherwise match: ${wrong.join(',')}`))
  }
  if (isObject(metadata)) errors.push(...embeddedMetadata(metadata, `${path}.metadata`))
  return errors
}

function embeddedMetadata(meta: Partial<ObjectMeta>, field: string): FieldError[] {
  return [
    ...(meta.name ? invalidEach(`${field}.name`, meta.name, pathSegmentName(meta.name)) : []),
    ...validateLabels(meta.labels, `${field}.labels`),
    ...validateAnnotations(meta.annotations, `${field}.annotations`),
    ...validateOwnerReferences(meta.ownerReferences, `${field}.ownerReferences`),
    ...validateFinalizers(meta.finalizers, `${field}.finalizers`),
  ]
}
