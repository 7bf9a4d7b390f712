/**
 * The facts of Kubernetes' models (OpenAPI v3 of version 1.36, without prose) and of our own, and a lookup through their references.
 * What the facts lack (names, columns, rules) is in the kinds' files.
 */
import kubernetes from './kubernetes-1.36.json' with { type: 'json' }
import { AGGREGATOR_FACTS } from './aggregator-facts.ts'
import { MACHINE_FACTS } from './machine-facts.ts'
import { PLACEMENT_FACTS } from './placement-facts.ts'

/** A schema as the facts have it. Models refer to each other by `$ref: "#/components/schemas/<model>"`. */
export interface FactSchema {
  readonly $ref?: string
  readonly allOf?: readonly FactSchema[]
  readonly oneOf?: readonly FactSchema[]
  readonly type?: string
  readonly format?: string
  readonly enum?: readonly string[]
  readonly default?: unknown
  readonly items?: FactSchema
  readonly additionalProperties?: FactSchema
  readonly properties?: Readonly<Record<string, FactSchema>>
  readonly required?: readonly string[]
  readonly 'x-kubernetes-list-type'?: string
  readonly 'x-kubernetes-list-map-keys'?: readonly string[]
  readonly 'x-kubernetes-map-type'?: string
  readonly 'x-kubernetes-patch-strategy'?: string
  readonly 'x-kubernetes-patch-merge-key'?: string
}

/** A schema with its reference followed: what the property itself says wins over what the model says. */
export interface ResolvedSchema extends FactSchema {
  /** The model that it refers to: "io.k8s.api.core.v1.PodSpec". */
  readonly model?: string
}

/** All models by name. */
export const FACTS: Readonly<Record<string, FactSchema>> = {
  ...(kubernetes as unknown as Readonly<Record<string, FactSchema>>),
  ...AGGREGATOR_FACTS,
  ...MACHINE_FACTS,
  ...PLACEMENT_FACTS,
}

const REF = '#/components/schemas/'
const resolved = new WeakMap<FactSchema, ResolvedSchema>()

export function modelFacts(model: string): FactSchema | undefined {
  return FACTS[model]
}

/** Follows `$ref` and `allOf` one model deep; the same object for the same schema. Throws if the model does not exist. */
export function resolveSchema(schema: FactSchema): ResolvedSchema {
  const known = resolved.get(schema)
  if (known) return known
  const ref = schema.$ref ?? schema.allOf?.[0]?.$ref
  let result: ResolvedSchema = schema
  if (ref) {
    const model = ref.slice(REF.length)
    const target = FACTS[model]
    if (!target) throw new Error(`the schema facts refer to ${model}, which does not exist`)
    const { $ref: _, allOf: __, ...own } = schema
    result = Object.freeze({ ...target, ...own, model })
  }
  resolved.set(schema, result)
  return result
}

/** The properties of an object model with their references followed; empty for other models and unknown ones. */
export function propertiesOf(model: string): Readonly<Record<string, ResolvedSchema>> {
  const properties = FACTS[model]?.properties ?? {}
  return Object.fromEntries(Object.entries(properties).map(([name, schema]) => [name, resolveSchema(schema)]))
}

/**
 * The schema at a path of property names from a model; lists and maps of objects are entered by themselves:
 * `schemaAt('io.k8s.api.core.v1.Pod', 'spec.containers.image')`. Undefined if there is no such property.
 */
export function schemaAt(model: string, path: string): ResolvedSchema | undefined {
  let at: ResolvedSchema | undefined = FACTS[model]
  for (const name of path === '' ? [] : path.split('.')) {
    const inner: ResolvedSchema | undefined = at && elementOf(at)
    const next: FactSchema | undefined = inner?.properties?.[name]
    at = next && resolveSchema(next)
  }
  return at
}

/** What a list holds or a map's values are, or the schema itself. */
export function elementOf(schema: ResolvedSchema): ResolvedSchema {
  const inner = schema.items ?? (schema.properties ? undefined : schema.additionalProperties)
  return inner ? elementOf(resolveSchema(inner)) : schema
}
