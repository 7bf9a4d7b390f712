/**
 * Types from schemas: OpenAPI v3 with Kubernetes' extensions, as in the facts (models that refer to each other by `$ref`) and in
 * CustomResourceDefinitions (structural, without references).
 */
import { GO_TYPES } from './go-types.ts'
import { POINTERS } from './pointers.ts'
import type { AnyType, Field, ListType, MapType, PatchRule, Scalar, ScalarType, StructType, Type, UnionType } from './type.ts'

/** The part of a schema that shapes objects. */
export interface Schema {
  readonly $ref?: string
  readonly allOf?: readonly Schema[]
  readonly type?: string
  readonly format?: string
  readonly default?: unknown
  readonly nullable?: boolean
  readonly required?: readonly string[]
  readonly properties?: Readonly<Record<string, Schema>>
  readonly additionalProperties?: Schema | boolean
  readonly items?: Schema
  readonly 'x-kubernetes-list-type'?: string
  readonly 'x-kubernetes-list-map-keys'?: readonly string[]
  readonly 'x-kubernetes-map-type'?: string
  readonly 'x-kubernetes-patch-strategy'?: string
  readonly 'x-kubernetes-patch-merge-key'?: string
  readonly 'x-kubernetes-int-or-string'?: boolean
  readonly 'x-kubernetes-preserve-unknown-fields'?: boolean
  readonly 'x-kubernetes-embedded-resource'?: boolean
}

/** Types of models by name. Each is built when it is first asked for, and only once, so that types can be told apart by identity. */
export interface Types {
  /** "io.k8s.api.apps.v1.Deployment"; throws if there is no such model or it is no object. */
  struct(model: string): StructType
  /** The type of a custom resource from the structural schema of one of its versions. */
  custom(schema: Schema, kind: string): StructType
}

const META = 'io.k8s.apimachinery.pkg.apis.meta.v1.'
const EXTENSIONS = 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.'
const OBJECT_META = `${META}ObjectMeta`
const SCALARS: Readonly<Record<string, readonly [Scalar, string]>> = {
  'io.k8s.apimachinery.pkg.api.resource.Quantity': ['quantity', 'resource.Quantity'],
  'io.k8s.apimachinery.pkg.util.intstr.IntOrString': ['intOrString', 'intstr.IntOrString'],
  [`${META}Time`]: ['time', 'v1.Time'],
  [`${META}MicroTime`]: ['microTime', 'v1.MicroTime'],
  [`${META}Duration`]: ['duration', 'v1.Duration'],
}
const ANY: Readonly<Record<string, string>> = {
  'io.k8s.apimachinery.pkg.runtime.RawExtension': 'runtime.RawExtension',
  [`${META}FieldsV1`]: 'v1.FieldsV1',
  [`${EXTENSIONS}JSON`]: 'v1.JSON',
}
/** What Go calls an object that it has no struct for. */
const UNTYPED = 'map[string]interface {}'
const FIRST = ['apiVersion', 'kind', 'metadata']
const NO_PATCH: PatchRule = Object.freeze({ strategy: null, retainKeys: false, mergeKey: undefined })
const BUILT_IN = Object.freeze({ custom: false, nullable: false })
const ANYTHING: AnyType = Object.freeze({ kind: 'any', atomic: false, go: 'interface {}', custom: false, nullable: true })
const STRING: ScalarType = Object.freeze({ kind: 'scalar', scalar: 'string', go: 'string', ...BUILT_IN })

/** `model` looks a model up by name: `modelFacts` of `api/schema/facts.ts`. */
export function createTypes(model: (name: string) => Schema | undefined): Types {
  const named = new Map<string, Type>()

  const byName = (name: string): Type => {
    const known = named.get(name)
    if (known) return known
    const special = specialModel(name)
    if (special) {
      named.set(name, special)
      return special
    }
    const schema = model(name)
    if (!schema) throw new Error(`the schema facts have no model ${name}`)
    const go = goName(name)
    if (schema.type !== 'object' || schema.additionalProperties) {
      const type = { ...typeOf(schema), go }
      named.set(name, type)
      return type
    }
    const fields = new Map<string, Field>()
    const atomic = schema['x-kubernetes-map-type'] === 'atomic'
    const short = name.slice(name.lastIndexOf('.') + 1)
    const type: StructType = { kind: 'struct', name: short, fields, atomic, keepUnknown: false, go, ...BUILT_IN }
    named.set(name, type)
    for (const field of fieldsOf(schema, shortModel(name))) fields.set(field.name, field)
    return type
  }

  const specialModel = (name: string): Type | undefined => {
    const scalar = SCALARS[name]
    if (scalar) return { kind: 'scalar', scalar: scalar[0], go: scalar[1], ...BUILT_IN }
    const any = ANY[name]
    if (any) return { kind: 'any', atomic: true, go: any, ...BUILT_IN }
    if (!name.startsWith(`${EXTENSIONS}JSONSchemaPropsOr`)) return undefined
    const props = `${EXTENSIONS}JSONSchemaProps`
    const listOf = (items: Type): ListType => ({ kind: 'list', items, listType: 'atomic', keys: [], go: `[]${items.go}`, ...BUILT_IN })
    const which = name.slice(`${EXTENSIONS}JSONSchemaPropsOr`.length)
    const union: UnionType = {
      kind: 'union',
      get object() {
        return byName(props)
      },
      get list() {
        return which === 'Array' ? listOf(byName(props)) : which === 'StringArray' ? listOf(STRING) : null
      },
      boolean: which === 'Bool',
      go: goName(name),
      ...BUILT_IN,
    }
    return union
  }

  const fieldsOf = (schema: Schema, owner: string | null): Field[] => {
    const required = new Set(schema.required)
    const pointers = owner ? (POINTERS[owner]?.split(' ') ?? []) : []
    const entries = Object.entries(schema.properties ?? {})
    const ordered = [
      ...FIRST.flatMap((name) => entries.filter(([key]) => key === name)),
      ...entries.filter(([key]) => !FIRST.includes(key)),
    ]
    return ordered.map(([name, property]) => {
      const type = typeOf(property)
      const zeroIsNone = !required.has(name) && !pointers.includes(name) && canBeZero(type)
      return {
        name,
        type,
        required: required.has(name),
        default: property.default,
        omitZero: owner !== null && isStable(owner) && zeroIsNone,
        go: (owner && GO_TYPE_OF.get(`${owner}.${name}`)) || type.go,
        patch: patchRule(property),
      }
    })
  }

  const typeOf = (schema: Schema): Type => {
    const ref = schema.$ref ?? schema.allOf?.[0]?.$ref
    const mapType = schema['x-kubernetes-map-type']
    if (ref) {
      const type = byName(ref.slice(ref.lastIndexOf('/') + 1))
      const atomic = mapType === 'atomic'
      return mapType && type.kind === 'struct' && type.atomic !== atomic ? { ...type, atomic } : type
    }
    if (schema.type === 'array') {
      const items = typeOf(schema.items ?? {})
      const listType = schema['x-kubernetes-list-type']
      const type: ListType = {
        kind: 'list',
        items,
        listType: listType === 'set' || listType === 'map' ? listType : 'atomic',
        keys: listType === 'map' ? (schema['x-kubernetes-list-map-keys'] ?? []) : [],
        go: `[]${items.go}`,
        ...BUILT_IN,
      }
      return type
    }
    if (schema.type === 'object' && schema.additionalProperties) {
      const values = schema.additionalProperties === true ? ANYTHING : typeOf(schema.additionalProperties)
      const type: MapType = { kind: 'map', values, atomic: mapType === 'atomic', go: `map[string]${values.go}`, ...BUILT_IN }
      return type
    }
    const scalar = scalarOf(schema)
    if (scalar) return { kind: 'scalar', scalar, go: GO_SCALARS[scalar], ...BUILT_IN }
    return ANYTHING
  }

  const customType = (schema: Schema): Type => {
    const common = { custom: true, nullable: schema.nullable ?? false }
    if (schema['x-kubernetes-int-or-string']) return { kind: 'scalar', scalar: 'intOrString', go: 'intstr.IntOrString', ...common }
    const keepUnknown = schema['x-kubernetes-preserve-unknown-fields'] ?? false
    const embedded = schema['x-kubernetes-embedded-resource'] ?? false
    const atomic = schema['x-kubernetes-map-type'] === 'atomic'
    if (schema.type === 'array') {
      const type = typeOf({ ...schema, items: {} })
      return type.kind === 'list' ? { ...type, items: customType(schema.items ?? {}), go: '[]interface {}', ...common } : type
    }
    if (schema.type === 'object' && schema.additionalProperties && !schema.properties) {
      const values = schema.additionalProperties === true ? ANYTHING : customType(schema.additionalProperties)
      return { kind: 'map', values, atomic, go: UNTYPED, ...common }
    }
    if (schema.type === 'object' || schema.properties || embedded)
      return { kind: 'struct', name: '', fields: customFields(schema, embedded), atomic, keepUnknown, go: UNTYPED, ...common }
    const scalar = scalarOf(schema)
    if (keepUnknown || !scalar) return ANYTHING
    return { kind: 'scalar', scalar: scalar === 'bytes' ? 'string' : scalar, go: GO_SCALARS[scalar], ...common }
  }

  const customFields = (schema: Schema, whole: boolean): Map<string, Field> => {
    const required = new Set(schema.required)
    const fields = new Map<string, Field>()
    const add = (name: string, type: Type, value?: unknown) =>
      fields.set(name, { name, type, required: required.has(name), default: value, omitZero: false, go: type.go, patch: NO_PATCH })
    if (whole) {
      add('apiVersion', STRING)
      add('kind', STRING)
      add('metadata', byName(OBJECT_META), {})
    }
    for (const [name, property] of Object.entries(schema.properties ?? {}))
      if (!whole || !FIRST.includes(name)) add(name, customType(property), property.default)
    return fields
  }

  return {
    struct(name) {
      const type = byName(name)
      if (type.kind !== 'struct') throw new Error(`${name} is not an object`)
      return type
    },
    custom(schema, kind) {
      const keepUnknown = schema['x-kubernetes-preserve-unknown-fields'] ?? false
      const fields = customFields(schema, true)
      return { kind: 'struct', name: kind, fields, atomic: false, keepUnknown, go: UNTYPED, custom: true, nullable: false }
    },
  }
}

const GO_SCALARS: Readonly<Record<Scalar, string>> = {
  string: 'string',
  boolean: 'bool',
  int32: 'int32',
  int64: 'int64',
  number: 'float64',
  bytes: '[]uint8',
  time: 'v1.Time',
  microTime: 'v1.MicroTime',
  duration: 'v1.Duration',
  quantity: 'resource.Quantity',
  intOrString: 'intstr.IntOrString',
}

function scalarOf({ type, format }: Schema): Scalar | null {
  if (type === 'string') return format === 'byte' ? 'bytes' : 'string'
  if (type === 'integer') return format === 'int32' ? 'int32' : 'int64'
  if (type === 'boolean' || type === 'number') return type
  return null
}

/** Whether Go's `omitempty` can leave the type's zero value out. Structs, quantities and the like are never empty to it. */
function canBeZero(type: Type): boolean {
  if (type.kind === 'map' || type.kind === 'list') return true
  return type.kind === 'scalar' && ['string', 'boolean', 'int32', 'int64', 'number', 'bytes'].includes(type.scalar)
}

function patchRule(schema: Schema): PatchRule {
  const strategies = schema['x-kubernetes-patch-strategy']?.split(',') ?? []
  const mergeKey = schema['x-kubernetes-patch-merge-key']
  if (strategies.length === 0 && mergeKey === undefined) return NO_PATCH
  const strategy = strategies.includes('merge') ? 'merge' : strategies.includes('replace') ? 'replace' : null
  return { strategy, retainKeys: strategies.includes('retainKeys'), mergeKey }
}

/** `io.k8s.api.core.v1.Pod` -> `core.v1.Pod`. */
function shortModel(name: string): string {
  return name.split('.').slice(-3).join('.')
}

function goName(name: string): string {
  return name.split('.').slice(-2).join('.')
}

/** The stable versions' Go types are known; of others a zero value may mean something. */
function isStable(owner: string): boolean {
  return /\.v\d+\.\w+$/.test(owner)
}

/** "core.v1.Container.imagePullPolicy" -> "v1.PullPolicy". */
const GO_TYPE_OF: ReadonlyMap<string, string> = new Map(
  Object.entries(GO_TYPES).flatMap(([go, models]) =>
    Object.entries(models).flatMap(([model, names]) => names.split(' ').map((name): [string, string] => [`${model}.${name}`, go])),
  ),
)
