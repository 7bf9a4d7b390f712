/** All groups in one OpenAPI 2.0 document. */
import type { AnyKind } from '../../api/kind.ts'
import { DESCRIPTIONS } from './document-v3.ts'
import { closure, modelV2, type JsonSchema, type ModelSource } from './models.ts'
import { pathsOf, STATUS, type Operation } from './operation.ts'
import type { Parameter } from './parameters.ts'

export interface DocumentV2 {
  readonly swagger: '2.0'
  readonly info: { readonly title: string; readonly version: string }
  readonly paths: Readonly<Record<string, PathItemV2>>
  readonly definitions: Readonly<Record<string, JsonSchema>>
  readonly securityDefinitions: unknown
  readonly security: unknown
}

export interface PathItemV2 {
  readonly parameters: readonly ParameterV2[]
  readonly operations: Readonly<Record<string, OperationV2>>
}

export interface OperationV2 {
  readonly description: string
  readonly consumes: readonly string[]
  readonly produces: readonly string[]
  readonly tags: readonly string[]
  readonly operationId: string
  readonly parameters: readonly ParameterV2[]
  readonly responses: Readonly<Record<string, { readonly description: string; readonly schema?: JsonSchema }>>
  readonly extensions: Readonly<Record<string, unknown>>
}

export interface ParameterV2 {
  readonly name: string
  readonly in: 'path' | 'query' | 'body'
  readonly description?: string
  readonly required?: boolean
  readonly type?: string
  readonly uniqueItems?: boolean
  readonly schema?: JsonSchema
}

const ref = (model: string) => ({ $ref: `#/definitions/${model}` })

export function documentV2(kinds: readonly AnyKind[], source: ModelSource, version: string): DocumentV2 {
  const paths = new Map<string, PathItemV2>()
  const models = new Set<string>([STATUS])
  for (const kind of kinds) {
    models.add(kind.model)
    for (const { path, parameters, operations } of pathsOf(kind)) {
      paths.set(path, {
        parameters: parameters.map(parameterV2),
        operations: Object.fromEntries(operations.map((operation) => [operation.method, operationV2(operation)])),
      })
      for (const { body, answers } of operations) for (const model of [body, ...Object.values(answers)]) if (model) models.add(model)
    }
  }
  const definitions = [...closure(models, source)].sort().map((name) => [name, modelV2(name, source)] as const)
  return {
    swagger: '2.0',
    info: { title: 'Kubernetes', version },
    paths: Object.fromEntries([...paths].sort(([a], [b]) => (a < b ? -1 : 1))),
    definitions: Object.fromEntries(definitions),
    securityDefinitions: {
      BearerToken: { description: 'Bearer token authentication', type: 'apiKey', name: 'authorization', in: 'header' },
    },
    security: [{ BearerToken: [] }],
  }
}

/** The document as it is served as JSON. */
export function jsonV2(document: DocumentV2): unknown {
  const paths = Object.entries(document.paths).map(([path, { parameters, operations }]) => [
    path,
    {
      ...Object.fromEntries(Object.entries(operations).map(([method, { extensions, ...rest }]) => [method, { ...rest, ...extensions }])),
      parameters,
    },
  ])
  return { ...document, paths: Object.fromEntries(paths) as unknown }
}

function operationV2(operation: Operation): OperationV2 {
  const { body } = operation
  const answers = Object.entries(operation.answers).map(([code, model]) => [
    code,
    { description: String(DESCRIPTIONS[code]), schema: model ? ref(model) : { type: 'string' } },
  ])
  return {
    description: operation.description,
    consumes: operation.consumes,
    produces: operation.produces,
    tags: [operation.tag],
    operationId: operation.id,
    parameters: [
      ...(body
        ? [{ name: 'body', in: 'body' as const, schema: ref(body), ...(operation.method === 'delete' ? {} : { required: true }) }]
        : []),
      ...operation.query.map(parameterV2),
    ],
    responses: { ...(Object.fromEntries(answers) as OperationV2['responses']), 401: { description: 'Unauthorized' } },
    extensions: { 'x-kubernetes-action': operation.action, 'x-kubernetes-group-version-kind': operation.gvk },
  }
}

function parameterV2({ name, in: where, type, description }: Parameter): ParameterV2 {
  return { name, in: where, description, type, uniqueItems: true, ...(where === 'path' ? { required: true } : {}) }
}
