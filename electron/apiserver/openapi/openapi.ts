/** /openapi/v2 and /openapi/v3, made when they are first asked for and kept as bytes. */
import { createHash } from 'node:crypto'
import type { AnyKind } from '../../api/kind.ts'
import { modelFacts, type FactSchema } from '../../api/schema/facts.ts'
import { failure } from '../../machinery/status.ts'
import type { ApiRequest, ApiResponse, RequestHandler } from '../types.ts'
import { documentV2, jsonV2 } from './document-v2.ts'
import { documentV3 } from './document-v3.ts'
import { mergeV2, type RemoteSpec } from './merge-v2.ts'
import type { Descriptions, ModelSource } from './models.ts'
import { DELETE_OPTIONS, documentName, modelOf, STATUS, type GroupVersionKind } from './operation.ts'
import { encodeV2 } from './protobuf-v2.ts'

export interface OpenApiOptions {
  /** What is served now; may change when custom resources come and go. */
  readonly kinds: () => Iterable<AnyKind>
  /** Models that are not in the schema facts: those of custom resources. */
  readonly customModel?: (name: string) => FactSchema | undefined
  /** From `readDescriptions`. */
  readonly descriptions?: Descriptions
  /** What other servers have, by name ("apis/metrics.k8s.io/v1beta1"): its relative URL, and who answers for it. */
  readonly remote?: () => ReadonlyMap<string, RemoteDocument>
  /** The same for OpenAPI 2.0; the same list as long as nothing changed. */
  readonly remoteV2?: () => Promise<readonly RemoteSpec[]>
  /** "v1.36.0" */
  readonly version: string
}

export interface RemoteDocument {
  readonly url: string
  readonly answer: RequestHandler
}

const V2 = '/openapi/v2'
const V3 = '/openapi/v3'
const JSON_TYPE = 'application/json'
const PROTO_V2 = 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf'
/** The older spelling is what clients ask for, and no media type that they could parse in an answer. */
const ACCEPTED_PROTO_V2 = [PROTO_V2, 'application/com.github.proto-openapi.spec.v2@v1.0+protobuf']
const A_YEAR = 'public, max-age=31536000, immutable'

interface Served {
  readonly bytes: Uint8Array
  readonly etag: string
}

/** What one set of kinds leads to; another set makes another. */
interface Generation {
  readonly kinds: readonly AnyKind[]
  readonly documents: Map<string, { readonly kinds: readonly AnyKind[]; readonly hash: string; served: Served | null }>
  index: Served | null
  v2: DocumentsV2
}

/** `remotes`: what they were made with. */
interface DocumentsV2 {
  readonly remotes: readonly RemoteSpec[]
  json: Served | null
  proto: Served | null
}

const NO_REMOTES: readonly RemoteSpec[] = []

/** By path; one that ends with a slash stands for everything below. */
export function openApiHandlers(options: OpenApiOptions): Readonly<Record<string, RequestHandler>> {
  const handler = createOpenApi(options)
  return { [V2]: handler, [V3]: handler, [`${V3}/`]: handler }
}

/** Answers every path that begins with /openapi/. Throws Status 404, 405 and 406. */
export function createOpenApi(options: OpenApiOptions): RequestHandler {
  const { descriptions = {}, version } = options
  const own = (name: string) => options.customModel?.(name) ?? modelFacts(name)
  const model = (name: string) => own(name) ?? listModel(name, own)
  let generation: Generation | null = null

  const current = (): Generation => {
    const kinds = [...options.kinds()]
    if (generation && kinds.length === generation.kinds.length && kinds.every((kind, i) => kind === generation?.kinds[i])) return generation
    generation = newGeneration(kinds, generation, (kind) => options.customModel?.(kind.model))
    return generation
  }
  const sourceOf = (kinds: readonly AnyKind[]): ModelSource => ({ model, descriptions, kinds: kindsByModel(kinds) })

  return async (request) => {
    if (request.method !== 'GET' && request.method !== 'HEAD')
      throw failure(405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource')
    const now = current()
    const path = request.path.replace(/\/+$/, '')
    if (path === V2) {
      const asProto = wantsProto(request)
      const remotes = (await options.remoteV2?.()) ?? NO_REMOTES
      if (now.v2.remotes !== remotes) now.v2 = { remotes, json: null, proto: null }
      const { v2 } = now
      const whole = () => mergeV2(documentV2(now.kinds, sourceOf(now.kinds), version), v2.remotes)
      if (asProto) return answer(request, (v2.proto ??= served(encodeV2(whole()))), PROTO_V2)
      return answer(request, (v2.json ??= served(jsonBytes(jsonV2(whole())))), JSON_TYPE)
    }
    if (path === V3) {
      const remote = options.remote?.()
      if (remote?.size) return answer(request, served(jsonBytes(indexOf(now, remote))), JSON_TYPE)
      now.index ??= served(jsonBytes(indexOf(now)))
      return answer(request, now.index, JSON_TYPE)
    }
    const name = path.startsWith(`${V3}/`) ? path.slice(V3.length + 1) : ''
    const elsewhere = options.remote?.().get(name)
    if (elsewhere) return elsewhere.answer(request)
    const document = now.documents.get(name)
    if (!document) throw failure(404, 'NotFound', 'the server could not find the requested resource')
    const asked = request.query.get('hash')
    if (asked !== null && asked !== document.hash) return moved(`${path}?hash=${document.hash}`)
    document.served ??= { bytes: jsonBytes(documentV3(document.kinds, sourceOf(now.kinds), version)), etag: `"${document.hash}"` }
    return answer(request, document.served, JSON_TYPE, asked === null ? {} : { 'cache-control': A_YEAR })
  }
}

/** Lists of custom resources and of our own kinds are no models of the facts. */
function listModel(name: string, model: (name: string) => FactSchema | undefined): FactSchema | undefined {
  const item = name.endsWith('List') ? name.slice(0, -'List'.length) : ''
  if (!item || !model(item)) return undefined
  const text = { type: 'string' }
  return {
    type: 'object',
    required: ['items'],
    properties: {
      apiVersion: text,
      items: { type: 'array', items: { $ref: `#/components/schemas/${item}` } },
      kind: text,
      metadata: { $ref: '#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.ListMeta' },
    },
  }
}

/** Documents of group versions whose kinds stayed the same are taken over. */
function newGeneration(kinds: readonly AnyKind[], before: Generation | null, custom: (kind: AnyKind) => unknown): Generation {
  const documents: Generation['documents'] = new Map()
  for (const [name, own] of Map.groupBy(kinds, documentName)) {
    const known = before?.documents.get(name)
    const same = known && known.kinds.length === own.length && own.every((kind, i) => kind === known.kinds[i])
    documents.set(name, same ? known : { kinds: own, hash: hashOf(own, custom), served: null })
  }
  return { kinds, documents, index: null, v2: { remotes: NO_REMOTES, json: null, proto: null } }
}

/** Of what the document is made from: cheaper than making it. */
function hashOf(kinds: readonly AnyKind[], custom: (kind: AnyKind) => unknown): string {
  const facts = kinds.map((kind) => [kind.model, kind.kind, kind.resource, kind.namespaced, kind.verbs, kind.subresources, custom(kind)])
  return createHash('sha256').update(JSON.stringify(facts)).digest('hex').toUpperCase()
}

function indexOf(generation: Generation, remote: ReadonlyMap<string, RemoteDocument> = new Map()): unknown {
  const urls = new Map([...generation.documents].map(([name, { hash }]) => [name, `${V3}/${name}?hash=${hash}`]))
  for (const [name, { url }] of remote) urls.set(name, url)
  const paths = [...urls].sort(([a], [b]) => (a < b ? -1 : 1))
  return { paths: Object.fromEntries(paths.map(([name, serverRelativeURL]) => [name, { serverRelativeURL }])) }
}

/** Which kinds a model stands for: its own, for lists theirs, for what all groups share every group's. */
function kindsByModel(kinds: readonly AnyKind[]): ModelSource['kinds'] {
  const byModel = new Map<string, GroupVersionKind[]>()
  const add = (model: string, kind: GroupVersionKind) => {
    const known = byModel.get(model) ?? []
    if (!known.some((one) => one.group === kind.group && one.version === kind.version && one.kind === kind.kind))
      byModel.set(model, [...known, kind])
  }
  for (const { group, version, kind, model, verbs, subresources } of kinds) {
    add(model, { group, kind, version })
    if (verbs.includes('list')) add(`${model}List`, { group, kind: `${kind}List`, version })
    add(DELETE_OPTIONS, { group, kind: 'DeleteOptions', version })
    for (const part of Object.values(subresources)) {
      if (!part.kind) continue
      const own = { group: part.group ?? group, kind: part.kind, version: part.version ?? version }
      add(modelOf(own.group, own.version, own.kind), own)
    }
  }
  add(STATUS, { group: '', kind: 'Status', version: 'v1' })
  return (model) => byModel.get(model) ?? []
}

function wantsProto(request: ApiRequest): boolean {
  const accepted = (request.headers['accept'] ?? '').split(',').map((one) => one.split(';')[0]?.trim().toLowerCase() ?? '')
  if (accepted.some((type) => ACCEPTED_PROTO_V2.includes(type))) return true
  if (accepted.some((type) => ['', '*/*', 'application/*', JSON_TYPE].includes(type))) return false
  throw failure(406, 'NotAcceptable', `only the following media types are accepted: ${JSON_TYPE}, ${PROTO_V2}`)
}

function jsonBytes(value: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(value))
}

function served(bytes: Uint8Array): Served {
  return { bytes, etag: `"${createHash('sha256').update(bytes).digest('hex').toUpperCase()}"` }
}

function answer(request: ApiRequest, { bytes, etag }: Served, type: string, headers: Record<string, string> = {}): ApiResponse {
  const all = { 'content-type': type, etag, vary: 'Accept', ...headers }
  const known = (request.headers['if-none-match'] ?? '').split(',').some((one) => one.trim().replace(/^W\//, '') === etag)
  return known ? { status: 304, headers: all, body: new Uint8Array() } : { status: 200, headers: all, body: bytes }
}

function moved(location: string): ApiResponse {
  return { status: 301, headers: { location }, body: new Uint8Array() }
}
