/** The facts' models as OpenAPI schemas, with their kinds and, where there is a file of them, descriptions. */
import type { FactSchema } from '../../api/schema/facts.ts'
import type { GroupVersionKind } from './operation.ts'

/** By model, then by property; "" is the model's own. */
export type Descriptions = Readonly<Record<string, Readonly<Record<string, string>>>>

export type JsonSchema = { [key: string]: unknown }

export interface ModelSource {
  /** A model's facts by name; undefined if there is none. */
  readonly model: (name: string) => FactSchema | undefined
  readonly descriptions: Descriptions
  /** Which kinds a model stands for. */
  readonly kinds: (name: string) => readonly GroupVersionKind[]
}

const REF = '#/components/schemas/'

/** All models that the given ones lead to, themselves included. */
export function closure(names: Iterable<string>, source: ModelSource): Set<string> {
  const found = new Set<string>()
  const visit = (name: string) => {
    if (found.has(name)) return
    const facts = source.model(name)
    if (!facts) return
    found.add(name)
    references(facts, visit)
  }
  for (const name of names) visit(name)
  return found
}

function references(value: unknown, visit: (name: string) => void): void {
  if (typeof value !== 'object' || value === null) return
  for (const [key, inner] of Object.entries(value)) {
    if (key === '$ref' && typeof inner === 'string') visit(inner.slice(REF.length))
    else references(inner, visit)
  }
}

/** A model for version 3: siblings of a reference go beside `allOf`, which OpenAPI 3.0 allows. */
export function modelV3(name: string, source: ModelSource): JsonSchema {
  return described(name, source, (schema) => {
    const { $ref, ...rest } = schema
    delete rest['x-kubernetes-v2-schema']
    if ($ref === undefined) return rest
    return Object.keys(rest).length ? { allOf: [{ $ref }], ...rest } : { $ref }
  })
}

/** What JSON Schema of version 2 has, beside Kubernetes' own extensions. */
const V2_KEYS = new Set(['$ref', 'description', 'type', 'format', 'items', 'properties', 'required', 'additionalProperties'])
const V2_SKIPPED = new Set([
  'x-kubernetes-validations',
  'x-kubernetes-int-or-string',
  'x-kubernetes-preserve-unknown-fields',
  'x-kubernetes-embedded-resource',
])

export function modelV2(name: string, source: ModelSource): JsonSchema {
  return described(name, source, (schema) => {
    const own = schema['x-kubernetes-v2-schema']
    const from = typeof own === 'object' && own !== null ? { ...schema, ...own } : schema
    const out: JsonSchema = {}
    for (const [key, value] of Object.entries(from)) {
      const isExtension = key.startsWith('x-kubernetes-') && key !== 'x-kubernetes-v2-schema' && !V2_SKIPPED.has(key)
      if (V2_KEYS.has(key) || isExtension) out[key] = value
    }
    if (typeof out['$ref'] === 'string') out['$ref'] = out['$ref'].replace(REF, '#/definitions/')
    if (schema['x-kubernetes-preserve-unknown-fields'] === true) {
      delete out['properties']
      delete out['required']
    }
    // Version 2 knows no null, and kubectl would refuse it where there is a type.
    if (schema['nullable'] === true)
      for (const key of ['type', 'format', 'items', 'properties', 'required', 'additionalProperties']) delete out[key]
    return out
  })
}

function described(name: string, source: ModelSource, change: (schema: JsonSchema) => JsonSchema): JsonSchema {
  const facts = source.model(name)
  if (!facts) throw new Error(`there is no model ${name}`)
  const texts = source.descriptions[name] ?? {}
  const walk = (schema: JsonSchema): JsonSchema => {
    const out: JsonSchema = { ...schema }
    if (isSchema(schema['items'])) out['items'] = walk(schema['items'])
    if (isSchema(schema['additionalProperties'])) out['additionalProperties'] = walk(schema['additionalProperties'])
    if (isSchema(schema['properties']))
      out['properties'] = Object.fromEntries(Object.entries(schema['properties']).map(([key, value]) => [key, walk(value as JsonSchema)]))
    return change(out)
  }
  const properties = Object.entries((facts.properties ?? {}) as Record<string, FactSchema>).map(([key, schema]) => {
    const text = texts[key] ?? referenceText(schema, source)
    return [key, text === undefined ? schema : { ...schema, description: text }]
  })
  const own = texts['']
  const kinds = source.kinds(name)
  const whole = walk({
    ...(facts as JsonSchema),
    ...(own === undefined ? {} : { description: own }),
    ...(properties.length ? { properties: Object.fromEntries(properties) as JsonSchema } : {}),
  })
  return kinds.length ? { ...whole, 'x-kubernetes-group-version-kind': kinds } : whole
}

/** A property that only refers to a model is told by the model's own description. */
function referenceText(schema: FactSchema, source: ModelSource): string | undefined {
  return schema.$ref === undefined ? undefined : source.descriptions[schema.$ref.slice(REF.length)]?.['']
}

function isSchema(value: unknown): value is JsonSchema {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
