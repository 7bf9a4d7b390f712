/** The OpenAPI 2.0 documents of other servers, merged into this one's. Source: kube-openapi `pkg/aggregator`. */
import { isObject, jsonEqual, type JsonObject } from '../../machinery/json-value.ts'
import type { DocumentV2, OperationV2, ParameterV2, PathItemV2 } from './document-v2.ts'
import type { JsonSchema } from './models.ts'

/** What another server says of itself, of which one part is served here. */
export interface RemoteSpec {
  /** "/apis/metrics.k8s.io/v1beta1" */
  readonly root: string
  /** As it was read. */
  readonly document: unknown
}

const METHODS = ['get', 'put', 'post', 'delete', 'patch']
const REF = '#/definitions/'
/** What all servers are made of: ours stands for theirs. */
const SHARED = /^io\.k8s\.(?:apimachinery|api)\./

/** Paths below each root, and what they refer to. A model that is called as another of ours gets a name of its own. */
export function mergeV2(own: DocumentV2, remotes: readonly RemoteSpec[]): DocumentV2 {
  const paths: Record<string, PathItemV2> = { ...own.paths }
  const definitions: Record<string, JsonSchema> = { ...own.definitions }
  for (const { root, document } of remotes) {
    if (!isObject(document)) continue
    const theirs = partOf(document, 'definitions')
    const names = new Map<string, string>()
    const rename = (name: string): string => {
      const known = names.get(name)
      if (known !== undefined) return known
      const model = theirs[name]
      const present = definitions[name]
      const taken = present !== undefined && !SHARED.test(name) && !jsonEqual(present, model)
      const chosen = taken ? freeName(name, definitions) : name
      names.set(name, chosen)
      if (model !== undefined && (taken || present === undefined)) {
        definitions[chosen] = {}
        definitions[chosen] = rewritten(model, rename) as JsonSchema
      }
      return chosen
    }
    for (const [path, item] of Object.entries(partOf(document, 'paths')))
      if ((path === root || path.startsWith(`${root}/`)) && isObject(item))
        paths[path] = itemOf(item, partOf(document, 'parameters'), rename)
  }
  const sorted = <T>(all: Record<string, T>) => Object.fromEntries(Object.entries(all).sort(([a], [b]) => (a < b ? -1 : 1)))
  return { ...own, paths: sorted(paths), definitions: sorted(definitions) }
}

function freeName(name: string, taken: object): string {
  for (let i = 2; ; i++) if (!Object.hasOwn(taken, `${name}_v${i}`)) return `${name}_v${i}`
}

function partOf(document: JsonObject, name: string): JsonObject {
  const part = document[name]
  return isObject(part) ? part : {}
}

function itemOf(item: JsonObject, shared: JsonObject, rename: (name: string) => string): PathItemV2 {
  const operations = METHODS.flatMap((method): [string, OperationV2][] => {
    const operation = item[method]
    return isObject(operation) ? [[method, operationOf(operation, shared, rename)]] : []
  })
  return { parameters: parametersOf(item['parameters'], shared, rename), operations: Object.fromEntries(operations) }
}

function operationOf(operation: JsonObject, shared: JsonObject, rename: (name: string) => string): OperationV2 {
  const { description, consumes, produces, tags, operationId, parameters, responses } = operation
  return {
    description: textOf(description),
    consumes: textsOf(consumes),
    produces: textsOf(produces),
    tags: textsOf(tags),
    operationId: textOf(operationId),
    parameters: parametersOf(parameters, shared, rename),
    responses: (isObject(responses) ? rewritten(responses, rename) : {}) as OperationV2['responses'],
    extensions: Object.fromEntries(Object.entries(operation).filter(([name]) => name.startsWith('x-'))),
  }
}

/** Those that are written down once, for all operations, are put where they are meant. */
function parametersOf(list: unknown, shared: JsonObject, rename: (name: string) => string): ParameterV2[] {
  if (!Array.isArray(list)) return []
  return list.flatMap((one: unknown) => {
    const ref = isObject(one) ? one['$ref'] : undefined
    const meant = typeof ref === 'string' ? shared[ref.replace('#/parameters/', '')] : one
    return isObject(meant) ? [rewritten(meant, rename) as ParameterV2] : []
  })
}

function rewritten(value: unknown, rename: (name: string) => string): unknown {
  if (Array.isArray(value)) return value.map((one) => rewritten(one, rename))
  if (!isObject(value)) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, one]) => {
      const isRef = key === '$ref' && typeof one === 'string' && one.startsWith(REF)
      return [key, isRef ? `${REF}${rename(one.slice(REF.length))}` : rewritten(one, rename)]
    }),
  )
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')
const textsOf = (value: unknown): string[] => (Array.isArray(value) ? value.filter((one) => typeof one === 'string') : [])
