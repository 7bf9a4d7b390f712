/**
 * Which schemas custom resources may have: structural ones (KEP "vanilla OpenAPI subset"), without what cannot be checked fast or kept
 * apart. Sources: apiextensions-apiserver `apis/apiextensions/validation`, `apiserver/schema/validation.go`.
 */
import { forbidden, invalid, notSupported, required, type FieldError } from '../../values/field-error.ts'
import { goRegExp } from '../../values/go-regexp.ts'
import type { JSONSchemaProps } from './types.gen.ts'

const TYPES = ['array', 'boolean', 'integer', 'number', 'object', 'string']
const UNSUPPORTED = ['additionalItems', 'patternProperties', 'definitions', 'dependencies', '$ref', 'id'] as const
/** What only the structure itself may say, not the alternatives beside it. */
const STRUCTURAL_ONLY = [
  'x-kubernetes-embedded-resource',
  'x-kubernetes-preserve-unknown-fields',
  'x-kubernetes-int-or-string',
  'x-kubernetes-list-type',
  'x-kubernetes-list-map-keys',
  'x-kubernetes-map-type',
] as const

type Level = 'root' | 'field' | 'item'

export function validateSchema(schema: JSONSchemaProps, field: string): FieldError[] {
  const errors = structure(schema, field, 'root')
  if (schema.nullable) errors.push(forbidden(`${field}.nullable`, 'nullable cannot be true at the root'))
  return errors
}

function structure(schema: JSONSchemaProps, field: string, level: Level): FieldError[] {
  const errors = [...common(schema, field), ...typeRules(schema, field, level), ...extensions(schema, field)]
  const { items, properties = {}, additionalProperties: others } = schema
  if (items && !Array.isArray(items)) errors.push(...structure(items, `${field}.items`, 'item'))
  if (others === false) errors.push(forbidden(`${field}.additionalProperties`, 'additionalProperties cannot be set to false'))
  if (others && Object.keys(properties).length > 0)
    errors.push(forbidden(`${field}.additionalProperties`, 'additionalProperties and properties are mutual exclusive'))
  if (typeof others === 'object') errors.push(...structure(others, `${field}.additionalProperties`, 'field'))
  if (level === 'root') errors.push(...rootMetadata(properties['metadata'], `${field}.properties[metadata]`))
  for (const [name, property] of Object.entries(properties)) errors.push(...structure(property, `${field}.properties[${name}]`, 'field'))
  errors.push(...alternatives(schema, schema, field))
  return errors
}

/** Of any schema, also of those in `allOf` and the like. */
function common(schema: JSONSchemaProps, field: string): FieldError[] {
  const errors: FieldError[] = []
  for (const name of UNSUPPORTED) if (schema[name] !== undefined) errors.push(forbidden(`${field}.${name}`, `${name} is not supported`))
  if (schema.uniqueItems)
    errors.push(forbidden(`${field}.uniqueItems`, 'uniqueItems cannot be set to true since the runtime complexity becomes quadratic'))
  if (schema.type === 'null') errors.push(forbidden(`${field}.type`, 'type cannot be set to null, use nullable as an alternative'))
  else if (schema.type && !TYPES.includes(schema.type)) errors.push(notSupported(`${field}.type`, schema.type, TYPES))
  if (Array.isArray(schema.items)) errors.push(forbidden(`${field}.items`, 'items must be a schema object and not an array'))
  if (schema.pattern) {
    try {
      goRegExp(schema.pattern)
    } catch (error) {
      const why = `must be a valid regular expression, but isn't: ${(error as Error).message}`
      errors.push(invalid(`${field}.pattern`, schema.pattern, why))
    }
  }
  return errors
}

function typeRules(schema: JSONSchemaProps, field: string, level: Level): FieldError[] {
  const { type = '' } = schema
  const at = `${field}.type`
  if (schema['x-kubernetes-int-or-string']) {
    return type ? [invalid(at, type, 'must be empty if x-kubernetes-int-or-string is true')] : []
  }
  if (level === 'root') {
    if (!type) return [required(at, 'must not be empty at the root')]
    return type === 'object' ? [] : [invalid(at, type, 'must be object at the root')]
  }
  const errors: FieldError[] = []
  if (!type && !schema['x-kubernetes-preserve-unknown-fields'])
    errors.push(required(at, `must not be empty for specified ${level === 'item' ? 'array items' : 'object fields'}`))
  if (schema.properties && type && type !== 'object') errors.push(invalid(at, type, 'must be object if properties are specified'))
  if (type === 'array' && !schema.items) errors.push(required(`${field}.items`, 'must be specified'))
  return errors
}

function extensions(schema: JSONSchemaProps, field: string): FieldError[] {
  const errors: FieldError[] = []
  const { type = '', properties = {} } = schema
  if (schema['x-kubernetes-preserve-unknown-fields'] === false)
    errors.push(invalid(`${field}.x-kubernetes-preserve-unknown-fields`, false, 'must be true or undefined'))
  if (schema['x-kubernetes-embedded-resource']) {
    if (type !== 'object')
      errors.push(
        type
          ? invalid(`${field}.type`, type, 'must be object if x-kubernetes-embedded-resource is true')
          : required(`${field}.type`, 'must be object if x-kubernetes-embedded-resource is true'),
      )
    if (!schema['x-kubernetes-preserve-unknown-fields'] && Object.keys(properties).length === 0) {
      const why = 'must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields'
      errors.push(required(`${field}.properties`, why))
    }
  }
  const mapType = schema['x-kubernetes-map-type']
  if (mapType !== undefined) {
    if (type !== 'object') errors.push(invalid(`${field}.type`, type, 'must be object if x-kubernetes-map-type is specified'))
    if (mapType !== 'atomic' && mapType !== 'granular')
      errors.push(notSupported(`${field}.x-kubernetes-map-type`, mapType, ['atomic', 'granular']))
  }
  return [...errors, ...listRules(schema, field)]
}

function listRules(schema: JSONSchemaProps, field: string): FieldError[] {
  const listType = schema['x-kubernetes-list-type']
  const keys = schema['x-kubernetes-list-map-keys'] ?? []
  const errors: FieldError[] = []
  if (listType === undefined) {
    if (keys.length) errors.push(required(`${field}.x-kubernetes-list-type`, 'must be map if x-kubernetes-list-map-keys is non-empty'))
    return errors
  }
  if (schema.type !== 'array')
    errors.push(invalid(`${field}.type`, schema.type ?? '', 'must be array if x-kubernetes-list-type is specified'))
  if (!['atomic', 'map', 'set'].includes(listType))
    errors.push(notSupported(`${field}.x-kubernetes-list-type`, listType, ['atomic', 'map', 'set']))
  if (listType !== 'map') {
    if (keys.length)
      errors.push(invalid(`${field}.x-kubernetes-list-type`, listType, 'must be map if x-kubernetes-list-map-keys is non-empty'))
    return errors
  }
  const at = `${field}.x-kubernetes-list-map-keys`
  if (keys.length === 0) errors.push(required(at, 'must not be empty if x-kubernetes-list-type is map'))
  const items = Array.isArray(schema.items) ? undefined : schema.items
  if (items && items.type !== 'object')
    errors.push(invalid(`${field}.items.type`, items.type ?? '', "must be object if parent array's x-kubernetes-list-type is map"))
  for (const [i, key] of keys.entries()) {
    const property = items?.properties?.[key]
    if (keys.indexOf(key) < i)
      errors.push({ type: 'FieldValueDuplicate', field: `${at}[${i}]`, message: `Duplicate value: ${JSON.stringify(key)}` })
    if (!property) errors.push(invalid(`${at}[${i}]`, key, 'entries must all be names of item properties'))
    else if (property.type === 'array' || property.type === 'object')
      errors.push(
        invalid(
          `${field}.items.properties[${key}].type`,
          property.type,
          "must be a scalar type if parent array's x-kubernetes-list-type is map",
        ),
      )
    else if (property.default === undefined && !items?.required?.includes(key)) {
      const why = 'this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property'
      errors.push(required(`${field}.items.properties[${key}].default`, why))
    }
  }
  return errors
}

/** The metadata of the object itself is what Kubernetes says; a schema may only narrow its names. */
function rootMetadata(metadata: JSONSchemaProps | undefined, field: string): FieldError[] {
  if (!metadata) return []
  const { properties = {}, type: _type, description: _description, ...rest } = metadata
  const others = Object.keys(properties).filter((name) => name !== 'name' && name !== 'generateName')
  const more = Object.entries(rest).some(([, value]) => value !== undefined)
  if (others.length === 0 && !more) return []
  return [forbidden(field, 'must not specify anything other than name and generateName, but metadata is implicitly specified')]
}

/** What stands in `allOf`, `anyOf`, `oneOf` and `not` may only restrict what the structure around it has. */
function alternatives(schema: JSONSchemaProps, around: JSONSchemaProps, field: string): FieldError[] {
  const intOrString = around['x-kubernetes-int-or-string'] ?? false
  const errors: FieldError[] = []
  for (const name of ['allOf', 'anyOf', 'oneOf'] as const) {
    for (const [i, one] of (schema[name] ?? []).entries()) errors.push(...restriction(one, around, `${field}.${name}[${i}]`, intOrString))
  }
  if (schema.not) errors.push(...restriction(schema.not, around, `${field}.not`, intOrString))
  return errors
}

function restriction(schema: JSONSchemaProps, around: JSONSchemaProps, field: string, intOrString: boolean): FieldError[] {
  const errors = common(schema, field)
  const forbid = (name: string, why: string) => errors.push(forbidden(`${field}.${name}`, why))
  if (schema.type && !(intOrString && ['integer', 'string'].includes(schema.type))) forbid('type', 'must be empty to be structural')
  if (schema.additionalProperties !== undefined) forbid('additionalProperties', 'must be undefined to be structural')
  if (schema.default !== undefined) forbid('default', 'must be undefined to be structural')
  if (schema.nullable) forbid('nullable', 'must be false to be structural')
  for (const name of STRUCTURAL_ONLY)
    if (schema[name] !== undefined && schema[name] !== false) forbid(name, 'must be empty to be structural')
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    const own = around.properties?.[name] ?? (typeof around.additionalProperties === 'object' ? around.additionalProperties : undefined)
    const at = `${field}.properties[${name}]`
    if (own) errors.push(...restriction(property, own, at, own['x-kubernetes-int-or-string'] ?? false))
    else if (!around['x-kubernetes-preserve-unknown-fields'])
      errors.push(required(at.replace(/\.(?:allOf|anyOf|oneOf)\[\d+\]|\.not/g, ''), `because it is defined in ${at}`))
  }
  const items = Array.isArray(schema.items) ? undefined : schema.items
  if (items) {
    const own = Array.isArray(around.items) ? undefined : around.items
    if (own) errors.push(...restriction(items, own, `${field}.items`, own['x-kubernetes-int-or-string'] ?? false))
    else
      errors.push(
        required(`${field.replace(/\.(?:allOf|anyOf|oneOf)\[\d+\]|\.not/g, '')}.items`, `because it is defined in ${field}.items`),
      )
  }
  errors.push(...alternatives(schema, around, field))
  return errors
}
