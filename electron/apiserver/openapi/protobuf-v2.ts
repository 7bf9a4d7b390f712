/** An OpenAPI 2.0 document as protobuf. Field numbers: gnostic `openapiv2/OpenAPIv2.proto`. */
import { ProtoWriter } from './proto-writer.ts'
import type { DocumentV2, OperationV2, ParameterV2, PathItemV2 } from './document-v2.ts'
import type { JsonSchema } from './models.ts'

const METHODS: Readonly<Record<string, number>> = { get: 2, put: 3, post: 4, delete: 5, patch: 8 }

export function encodeV2(document: DocumentV2): Uint8Array {
  const out = new ProtoWriter()
  out.string(1, document.swagger)
  out.message(2, (info) => {
    info.string(1, document.info.title)
    info.string(2, document.info.version)
  })
  out.message(8, (paths) => {
    for (const [path, item] of Object.entries(document.paths))
      paths.message(2, (named) => {
        named.string(1, path)
        named.message(2, (value) => pathItem(value, item))
      })
  })
  out.message(9, (definitions) => {
    for (const [name, schema] of Object.entries(document.definitions)) namedSchema(definitions, name, schema)
  })
  out.message(12, (requirement) =>
    requirement.message(1, (named) => {
      named.string(1, 'BearerToken')
      named.message(2, () => undefined)
    }),
  )
  out.message(13, (security) =>
    security.message(1, (named) => {
      named.string(1, 'BearerToken')
      named.message(2, (item) =>
        item.message(2, (key) => {
          key.string(1, 'apiKey')
          key.string(2, 'authorization')
          key.string(3, 'header')
          key.string(4, 'Bearer token authentication')
        }),
      )
    }),
  )
  return out.finish()
}

function pathItem(out: ProtoWriter, item: PathItemV2): void {
  for (const [method, operation] of Object.entries(item.operations)) {
    const field = METHODS[method]
    if (field !== undefined) out.message(field, (inner) => writeOperation(inner, operation))
  }
  for (const parameter of item.parameters) out.message(9, (inner) => writeParameter(inner, parameter))
}

function writeOperation(out: ProtoWriter, operation: OperationV2): void {
  for (const tag of operation.tags) out.string(1, tag)
  out.string(3, operation.description)
  out.string(5, operation.operationId)
  for (const type of operation.produces) out.string(6, type)
  for (const type of operation.consumes) out.string(7, type)
  for (const parameter of operation.parameters) out.message(8, (inner) => writeParameter(inner, parameter))
  out.message(9, (responses) => {
    for (const [code, { description, schema }] of Object.entries(operation.responses))
      responses.message(1, (named) => {
        named.string(1, code)
        named.message(2, (value) =>
          value.message(1, (response) => {
            response.string(1, description)
            if (schema) response.message(2, (item) => item.message(1, (inner) => writeSchema(inner, schema)))
          }),
        )
      })
  })
  for (const [name, value] of Object.entries(operation.extensions)) namedAny(out, 13, name, value)
}

/** ParametersItem.parameter, then a body parameter or one of the others. */
function writeParameter(out: ProtoWriter, parameter: ParameterV2): void {
  const { schema } = parameter
  out.message(1, (item) => {
    if (parameter.in === 'body')
      return item.message(1, (body) => {
        body.string(2, parameter.name)
        body.string(3, 'body')
        if (parameter.required) body.bool(4, true)
        if (schema) body.message(5, (inner) => writeSchema(inner, schema))
      })
    const [kind, uniqueItems] = parameter.in === 'query' ? [3, 20] : [4, 19]
    item.message(2, (other) =>
      other.message(kind, (inner) => {
        if (parameter.required) inner.bool(1, true)
        inner.string(2, parameter.in)
        inner.string(3, parameter.description ?? '')
        inner.string(4, parameter.name)
        inner.string(parameter.in === 'query' ? 6 : 5, parameter.type ?? '')
        if (parameter.uniqueItems) inner.bool(uniqueItems, true)
      }),
    )
  })
}

function namedSchema(out: ProtoWriter, name: string, schema: JsonSchema): void {
  out.message(1, (named) => {
    named.string(1, name)
    named.message(2, (value) => writeSchema(value, schema))
  })
}

function writeSchema(out: ProtoWriter, schema: JsonSchema): void {
  const { $ref, format, description, required, additionalProperties, type, items, properties } = schema
  if (typeof $ref === 'string') out.string(1, $ref)
  if (typeof format === 'string') out.string(2, format)
  if (typeof description === 'string') out.string(4, description)
  for (const name of Array.isArray(required) ? required : []) out.string(19, String(name))
  if (typeof additionalProperties === 'boolean') out.message(21, (item) => item.bool(2, additionalProperties))
  else if (additionalProperties)
    out.message(21, (item) => item.message(1, (inner) => writeSchema(inner, additionalProperties as JsonSchema)))
  if (typeof type === 'string') out.message(22, (item) => item.string(1, type))
  if (items) out.message(23, (item) => item.message(1, (inner) => writeSchema(inner, items as JsonSchema)))
  if (properties)
    out.message(25, (all) => {
      for (const [name, property] of Object.entries(properties)) namedSchema(all, name, property as JsonSchema)
    })
  for (const [name, value] of Object.entries(schema)) if (name.startsWith('x-')) namedAny(out, 31, name, value)
}

/** An extension's value is carried as YAML; JSON is some. */
function namedAny(out: ProtoWriter, field: number, name: string, value: unknown): void {
  out.message(field, (named) => {
    named.string(1, name)
    named.message(2, (any) => any.string(2, `${JSON.stringify(value)}\n`))
  })
}
