/** Custom resources as models of the published OpenAPI. Source: apiextensions-apiserver `controller/openapi/builder`. */
import type { JSONSchemaProps } from '../../api/apiextensions/v1/types.gen.ts'
import type { AnyKind } from '../../api/kind.ts'
import type { FactSchema } from '../../api/schema/facts.ts'

const OBJECT_META = '#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta'
const TYPE_META = {
  apiVersion: {
    type: 'string',
    description: 'The version of the schema that this object has: its group and version, as in "example.com/v1".',
  },
  kind: { type: 'string', description: 'What this object is, in CamelCase.' },
}

/** The name of a version's model: "com.example.stable.v1.CronTab". */
export function modelName(group: string, version: string, kind: string): string {
  return `${group.split('.').reverse().join('.')}.${version}.${kind}`
}

/** Looks models up among the custom resources that are served. */
export function customModels(served: { kinds(): Iterable<AnyKind> }): (name: string) => FactSchema | undefined {
  const made = new WeakMap<AnyKind, FactSchema>()
  return (name) => {
    for (const kind of served.kinds()) {
      if (!kind.custom || kind.model !== name) continue
      const model = made.get(kind) ?? published(kind.custom.schema, true)
      made.set(kind, model)
      return model
    }
    return undefined
  }
}

function published(schema: JSONSchemaProps, whole: boolean): object {
  const { items, additionalProperties: others, properties, ...rest } = schema
  const embedded = whole || schema['x-kubernetes-embedded-resource']
  const own = properties || embedded ? Object.entries(properties ?? {}).map(([name, one]) => [name, published(one, false)] as const) : null
  return {
    ...rest,
    ...(own ? { properties: { ...Object.fromEntries(own), ...(embedded ? typeMeta(properties?.['metadata']) : {}) } } : {}),
    ...(items && !Array.isArray(items) ? { items: published(items, false) } : {}),
    ...(typeof others === 'object' ? { additionalProperties: published(others, false) } : others ? { additionalProperties: {} } : {}),
  }
}

function typeMeta(metadata: JSONSchemaProps | undefined): object {
  const description = metadata?.description || 'What all objects have: name, namespace, labels, annotations and more.'
  return { ...TYPE_META, metadata: { $ref: OBJECT_META, description } }
}
