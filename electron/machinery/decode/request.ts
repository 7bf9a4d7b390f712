/** Objects from request bodies, with the errors and warnings that Kubernetes answers. Source: apiserver `endpoints/handlers`. */
import { badRequest } from '../status.ts'
import { DecodeError, type Codec, type Decoded, type DecodeOptions } from './codec.ts'
import { treeOf, type JsonNode } from './json-tree.ts'
import { parseYaml, YamlError } from './yaml-value.ts'

/** What to do about unknown and duplicate fields. */
export type FieldValidation = 'Ignore' | 'Warn' | 'Strict'

export interface ExpectedKind {
  readonly group: string
  readonly version: string
  readonly kind: string
  /** Further versions in which it may be sent. */
  readonly accepts?: readonly string[]
}

export interface DecodedRequest<T> {
  readonly object: T
  /** For Warning headers; empty unless validation is `Warn`. */
  readonly warnings: readonly string[]
}

export type BodyFormat = 'json' | 'yaml'

/**
 * Decodes a body into an object of the kind. `apiVersion` and `kind` may be left out; other ones are refused. Throws StatusError
 * `BadRequest`.
 */
export function decodeRequest<T>(
  body: Uint8Array,
  format: BodyFormat,
  expected: ExpectedKind,
  codec: Codec<T>,
  validation: FieldValidation,
): DecodedRequest<T> {
  const strict = validation !== 'Ignore'
  const source = format === 'yaml' ? yamlSource(body, expected) : jsonSource(body)
  let decoded: Decoded<T>
  try {
    decoded = source.decode(codec, { strict })
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error
    const tree = source.tree()
    if (!tree) throw unrecognized(expected, `couldn't get version/kind; json parse error: ${error.message}`, body)
    throw cannotBeHandled(typeMetaOf(tree, expected, body), expected, error.message)
  }
  const object = decoded.object as { apiVersion?: string; kind?: string }
  const given = withDefaults({ ...parseGroupVersion(object.apiVersion ?? ''), kind: object.kind ?? '' }, expected)
  checkKind(given, expected)
  object.apiVersion = groupVersion(expected)
  object.kind = expected.kind
  const problems = strict ? [...source.strict, ...decoded.strict] : []
  if (validation === 'Strict' && problems.length > 0)
    throw cannotBeHandled(given, expected, `strict decoding error: ${problems.join(', ')}`)
  return { object: typeMetaFirst(decoded.object), warnings: problems }
}

interface Source {
  /** What strict decoding objects to before it looks at any type. */
  readonly strict: readonly string[]
  decode<T>(codec: Codec<T>, options: DecodeOptions): Decoded<T>
  /** Null if the text is malformed. */
  tree(): JsonNode | null
}

function jsonSource(body: Uint8Array): Source {
  return {
    strict: [],
    decode: (codec, options) => codec.parse(body, options),
    tree() {
      try {
        return treeOf(JSON.parse(Buffer.from(body).toString('utf8')))
      } catch {
        return null
      }
    },
  }
}

function yamlSource(body: Uint8Array, expected: ExpectedKind): Source {
  try {
    const { value, strict } = parseYaml(Buffer.from(body).toString('utf8'))
    return { strict, decode: (codec, options) => codec.decode(value, options), tree: () => treeOf(value) }
  } catch (error) {
    if (error instanceof YamlError) throw unrecognized(expected, error.message, body)
    throw error
  }
}

function checkKind(given: ExpectedKind, expected: ExpectedKind): void {
  if (given.kind !== expected.kind)
    throw cannotBeHandled(given, expected, `no kind "${given.kind}" is registered for version "${groupVersion(given)}"`)
  const isAccepted = given.version === expected.version || expected.accepts?.includes(given.version)
  if (given.group !== expected.group || !isAccepted)
    throw badRequest(
      `the API version in the data (${groupVersion(given)}) does not match the expected API version (${groupVersion(expected)})`,
    )
}

/** An object whose body had no `apiVersion` or `kind` got them last; they are written first. */
function typeMetaFirst<T>(object: T): T {
  const [first, second] = Object.keys(object as object)
  if (first === 'apiVersion' && second === 'kind') return object
  const { apiVersion, kind, ...rest } = object as { apiVersion?: unknown; kind?: unknown }
  return { apiVersion, kind, ...rest } as T
}

const TYPE_META = 'struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }'

/** The first look that the API server takes at a body: what kind is it? Its faults come before those of the object. */
function typeMetaOf(node: JsonNode, expected: ExpectedKind, body: Uint8Array): ExpectedKind {
  const fault = (what: string) =>
    unrecognized(expected, `couldn't get version/kind; json parse error: json: cannot unmarshal ${what}`, body)
  if (node.kind === 'null') return expected
  if (node.kind !== 'object') throw fault(`${node.kind === 'boolean' ? 'bool' : node.kind} into Go value of type ${TYPE_META}`)
  const found: Record<string, string> = {}
  for (const [key, item] of node.entries) {
    if (key !== 'apiVersion' && key !== 'kind') continue
    if (item.kind === 'string') found[key] = item.value
    else if (item.kind !== 'null')
      throw fault(`${item.kind === 'boolean' ? 'bool' : item.kind} into Go struct field .${key} of type string`)
  }
  return withDefaults({ ...parseGroupVersion(found['apiVersion'] ?? ''), kind: found['kind'] ?? '' }, expected)
}

function withDefaults(given: ExpectedKind, expected: ExpectedKind): ExpectedKind {
  const kind = given.kind || expected.kind
  if (given.version === '' && (given.group === '' || given.group === expected.group)) return { ...expected, kind }
  return { ...given, kind }
}

function parseGroupVersion(apiVersion: string): { group: string; version: string } {
  const parts = apiVersion.split('/')
  if (parts.length > 2) throw badRequest(`unexpected GroupVersion string: ${apiVersion}`)
  return parts.length === 2 ? { group: parts[0] ?? '', version: parts[1] ?? '' } : { group: '', version: apiVersion }
}

function groupVersion({ group, version }: { group: string; version: string }): string {
  return group ? `${group}/${version}` : version
}

function cannotBeHandled(given: ExpectedKind, expected: ExpectedKind, why: string) {
  return badRequest(`${given.kind} in version ${JSON.stringify(given.version)} cannot be handled as a ${expected.kind}: ${why}`)
}

function unrecognized(expected: ExpectedKind, why: string, body: Uint8Array) {
  return badRequest(`the object provided is unrecognized (must be of type ${expected.kind}): ${why} (${summary(body)})`)
}

const SUMMARY_BYTES = 30

function summary(body: Uint8Array): string {
  if (body.length === 0) return '<empty>'
  const json = body[0] === 0x7b
  const head = Buffer.from(body.subarray(0, SUMMARY_BYTES)).toString(json ? 'utf8' : 'hex')
  return body.length > SUMMARY_BYTES ? `${head} ...` : head
}
