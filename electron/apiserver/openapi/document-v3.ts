/** One group version's OpenAPI 3.0 document. Source: KEP-2896. */
import type { AnyKind } from '../../api/kind.ts'
import { closure, modelV3, type ModelSource } from './models.ts'
import { pathsOf, STATUS, type Operation } from './operation.ts'
import type { Parameter } from './parameters.ts'

const ref = (model: string) => ({ $ref: `#/components/schemas/${model}` })

export function documentV3(kinds: readonly AnyKind[], source: ModelSource, version: string): unknown {
  const paths: Record<string, unknown> = {}
  const models = new Set<string>([STATUS])
  for (const kind of kinds) {
    models.add(kind.model)
    for (const item of pathsOf(kind)) {
      const operations = item.operations.map((operation) => [operation.method, operationV3(operation)] as const)
      paths[item.path] = { parameters: item.parameters.map(parameterV3), ...Object.fromEntries(operations) }
      for (const { body, answers } of item.operations) for (const model of [body, ...Object.values(answers)]) if (model) models.add(model)
    }
  }
  const schemas = Object.fromEntries([...closure(models, source)].sort().map((name) => [name, modelV3(name, source)]))
  return {
    openapi: '3.0.0',
    info: { title: 'Kubernetes', version },
    paths: Object.fromEntries(Object.entries(paths).sort(([a], [b]) => (a < b ? -1 : 1))),
    components: {
      schemas,
      securitySchemes: { BearerToken: { type: 'apiKey', description: 'Bearer token authentication', name: 'authorization', in: 'header' } },
    },
  }
}

function operationV3(operation: Operation): unknown {
  const content = (model: string | null) =>
    Object.fromEntries(operation.produces.map((type) => [type, { schema: model ? ref(model) : { type: 'string' } }]))
  const answers = Object.entries(operation.answers).map(([code, model]) => [
    code,
    { description: DESCRIPTIONS[code], content: content(model) },
  ])
  return {
    tags: [operation.tag],
    description: operation.description,
    operationId: operation.id,
    ...(operation.query.length ? { parameters: operation.query.map(parameterV3) } : {}),
    ...(operation.body
      ? {
          requestBody: {
            content: Object.fromEntries(operation.consumes.map((type) => [type, { schema: ref(String(operation.body)) }])),
            ...(operation.method === 'delete' ? {} : { required: true }),
          },
        }
      : {}),
    responses: { ...Object.fromEntries(answers), 401: { description: 'Unauthorized' } },
    'x-kubernetes-action': operation.action,
    'x-kubernetes-group-version-kind': operation.gvk,
  }
}

export const DESCRIPTIONS: Readonly<Record<string, string>> = { 200: 'OK', 201: 'Created', 202: 'Accepted' }

function parameterV3({ name, in: where, type, description }: Parameter): unknown {
  return { name, in: where, description, ...(where === 'path' ? { required: true } : {}), schema: { type, uniqueItems: true } }
}
