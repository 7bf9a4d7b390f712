/** The way of every request: who may do this, what is it for, who answers. Authentication and the socket come before it. */
import { apiVersionOf, groupResource, type AnyKind } from '../api/kind.ts'
import { isAbort } from '../base/async.ts'
import type { Clock } from '../base/clock.ts'
import type { Logger } from '../base/logger.ts'
import { StatusError } from '../machinery/status.ts'
import { StoreError } from '../store/store.ts'
import type { Admission } from './admission/admission.ts'
import { admitConnect } from './admission/connect.ts'
import { forbiddenError } from './authz/authorizers.ts'
import { allows, MAX_BODY, type ResourceEndpoint } from './endpoints/resource-endpoint.ts'
import { bytesBody } from './endpoints/body.ts'
import type { Asked, Responders } from './endpoints/responders.ts'
import { writeParameters } from './endpoints/query.ts'
import { WatchStream } from './endpoints/watch-stream.ts'
import { encodeValue } from './http/encode.ts'
import { ListBody } from './http/list-body.ts'
import type { Negotiator } from './http/negotiate.ts'
import { transformItems, transformObject } from './http/transform.ts'
import { failureResponse, genericFailure, pageNotFound } from './http/response.ts'
import type { Metrics } from './metrics/metrics.ts'
import type { Call } from './registry/registry.ts'
import type { Resource } from './registry/storage.ts'
import { isLongRunning, requestInfo, type RequestInfo } from './request-info.ts'
import type { Resources } from './resources.ts'
import type {
  ApiRequest,
  ApiResponse,
  Attributes,
  Auditor,
  AuditTrail,
  Authorizer,
  Connector,
  ConnectTarget,
  FlowGate,
  Reader,
  RequestHandler,
  Responder,
  Ticket,
  UserInfo,
} from './types.ts'

export interface PipelineOptions {
  readonly resources: Resources
  readonly endpoint: ResourceEndpoint
  readonly negotiator: Negotiator
  readonly authorize: Authorizer
  /** The user as whom a request is done whose headers name another. */
  readonly impersonate: (user: UserInfo, headers: ApiRequest['headers'], authorize: Authorizer) => Promise<UserInfo>
  readonly metrics: Metrics
  readonly clock: Clock
  readonly logger: Logger
  readonly handlers: (path: string) => RequestHandler | undefined
  readonly responders: Responders
  readonly admission: Admission
  /** Who answers requests for what another server has; null for what this one has. */
  readonly aggregated: (path: string) => Connector | null
  readonly connectors: ReadonlyMap<string, Connector>
  readonly readers: ReadonlyMap<string, Reader>
  /** Null: nothing is noted. */
  readonly auditor: () => Auditor | null
  /** For requests from the network; null: nothing limits them. */
  readonly gate: () => FlowGate | null
}

const OTHER_REQUESTS = Object.freeze({ verb: 'GET', group: '', version: '', resource: '', subresource: '', scope: '' })

/** A WebSocket begins with GET, but whoever may only read must not act in a pod (KEP-4006, AuthorizePodWebsocketUpgradeCreatePermission). */
const CREATED: ReadonlySet<string> = new Set(['pods/exec', 'pods/attach', 'pods/portforward'])

export interface Connection {
  readonly connector: Connector
  readonly target: ConnectTarget
  readonly request: ApiRequest
  readonly info: RequestInfo
  /** To be ended by who connects. */
  readonly trail: AuditTrail | null
}

export class Pipeline {
  readonly #options: PipelineOptions

  constructor(options: PipelineOptions) {
    this.#options = options
  }

  /** Never rejects: what goes wrong is a Status. */
  async handle(given: ApiRequest): Promise<ApiResponse> {
    const { clock, logger, metrics, gate, auditor } = this.#options
    const begun = clock.monotonic()
    const warnings: string[] = []
    const info = requestInfo(given.method, given.path, given.query)
    const trail = auditor()?.begin(given, info) ?? null
    const limits = given.origin ? gate() : null
    let ticket: Ticket | null = null
    let response: ApiResponse
    metrics.entered(info.verb)
    try {
      const request = await this.#acting(given)
      if (trail && request !== given) trail.acting(request.user)
      if (limits) {
        const entry = limits.enter(request, info)
        ticket = entry instanceof Promise ? await entry : entry
        if (ticket.refusal) throw ticket.refusal
      }
      response = await this.#serve(request, info, warnings, trail)
    } catch (error) {
      response = failureResponse(error)
      if (isDefect(error)) {
        logger.error('a request failed by a fault of the server', { error, method: given.method, path: given.path })
        trail?.panicked(error)
      }
    }
    ticket?.release()
    metrics.left(info.verb)
    this.#observe(info, response.status, (clock.monotonic() - begun) / 1000)
    if (warnings.length > 0) response = withWarnings(response, warnings)
    if (ticket) response = { ...response, headers: { ...ticket.headers, ...response.headers } }
    return trail ? noted(response, info, trail) : response
  }

  /** Throws StatusError 403. */
  async authorize(attributes: Attributes, trail: Pick<AuditTrail, 'annotate'> | null = null): Promise<void> {
    const decision = await this.#options.authorize(attributes)
    trail?.annotate('authorization.k8s.io/decision', decision.allowed ? 'allow' : 'forbid')
    trail?.annotate('authorization.k8s.io/reason', decision.reason)
    if (!decision.allowed) throw forbiddenError(attributes, decision)
  }

  /** The connector of an upgrade request, once the user may use it. Throws StatusError. */
  async connect(given: ApiRequest): Promise<Connection> {
    const info = requestInfo(given.method, given.path, given.query)
    const { auditor, clock } = this.#options
    const begun = clock.monotonic()
    const trail = auditor()?.begin(given, info) ?? null
    const observe = (code: number) => this.#observe({ ...info, verb: 'connect' }, code, (clock.monotonic() - begun) / 1000)
    try {
      const connection = { ...(await this.#connect(given, info, trail)), trail, info }
      observe(101)
      return connection
    } catch (error) {
      const refusal = failureResponse(error)
      observe(refusal.status)
      if (trail && isDefect(error)) trail.panicked(error)
      trail?.ended(refusal)
      throw error
    }
  }

  async #connect(given: ApiRequest, info: RequestInfo, trail: AuditTrail | null): Promise<Omit<Connection, 'trail' | 'info'>> {
    const request = await this.#acting(given)
    if (trail && request !== given) trail.acting(request.user)
    const attributes = attributesOf(request.user, info)
    await this.authorize(attributes, trail)
    const remote = this.#options.aggregated(request.path)
    if (remote) return { connector: remote, target: targetOf(info), request }
    if (CREATED.has(`${info.resource}/${info.subresource}`)) await this.authorize({ ...attributes, verb: 'create' })
    const kind = this.#options.resources.kind(info.group, info.version, info.resource)
    const connector = kind && this.#connectorOf(kind, info)
    if (!kind || !connector) throw genericFailure(404)
    await this.#admitConnect(kind, info, request, () => {}, trail)
    return { connector, target: targetOf(info), request }
  }

  get auditor(): Auditor | null {
    return this.#options.auditor()
  }

  /** Counts a connection among the requests that last, until it is disposed. */
  connected({ group, version, resource, subresource, namespace, name }: RequestInfo): Disposable {
    const scope = namespace ? 'namespace' : name ? 'resource' : 'cluster'
    return this.#options.metrics.connected({ verb: 'CONNECT', group, version, resource, subresource, scope, component: 'apiserver' })
  }

  /** Only names that exist are counted apart, so that no client can make series without end. */
  #observe(info: RequestInfo, code: number, seconds: number): void {
    const { verb, group, version, resource, subresource, namespace, name } = info
    const { metrics, resources } = this.#options
    const kind = info.isResource ? resources.kind(group, version, resource) : undefined
    if (!kind) return metrics.observe('', () => OTHER_REQUESTS, code, seconds)
    const part = kind.subresources[subresource] ? subresource : ''
    const scope = name ? 'resource' : namespace ? 'namespace' : 'cluster'
    const labels = () => ({ verb: verb.toUpperCase(), group, version, resource, subresource: part, scope })
    metrics.observe(`${verb} ${group}/${version}/${resource}/${part} ${scope}`, labels, code, seconds)
  }

  async #acting(request: ApiRequest): Promise<ApiRequest> {
    if (!namesAnother(request.headers)) return request
    return withUser(request, await this.#options.impersonate(request.user, request.headers, this.#options.authorize))
  }

  async #serve(request: ApiRequest, info: RequestInfo, warnings: string[], trail: AuditTrail | null): Promise<ApiResponse> {
    await this.authorize(attributesOf(request.user, info), trail)
    const remote = this.#options.aggregated(request.path)
    if (remote) return remote.answer(request, targetOf(info))
    if (!info.isResource) {
      const handler = this.#options.handlers(request.path)
      return handler ? handler(request) : pageNotFound()
    }
    const { resources } = this.#options
    const kind = resources.kind(info.group, info.version, info.resource)
    if (!kind) {
      if (!resources.hasGroupVersion(info.group, info.version)) return pageNotFound()
      throw genericFailure(404)
    }
    return this.#serveKind(kind, info, request, warnings, trail)
  }

  async #serveKind(
    kind: AnyKind,
    info: RequestInfo,
    request: ApiRequest,
    warnings: string[],
    trail: AuditTrail | null,
  ): Promise<ApiResponse> {
    if (kind.deprecationWarning) warnings.push(kind.deprecationWarning)
    const connector = this.#connectorOf(kind, info)
    if (connector) {
      await this.#admitConnect(kind, info, request, (text) => void warnings.push(text), trail)
      return connector.answer(request, targetOf(info))
    }
    checkRoute(kind, info)
    const responder = info.verb === 'create' ? this.#options.responders.find({ kind, subresource: info.subresource }) : null
    if (responder) {
      const asked = { ...info, kind, user: request.user, signal: request.signal, ...(trail ? notesOf(trail) : {}) }
      return this.#respond(responder, asked, request, warnings)
    }
    if (kind.answered) return this.#read(kind, info, request)
    const resource = this.#options.resources.find(kind.group, kind.version, kind.resource)
    if (!resource) throw genericFailure(404)
    return this.#options.endpoint.serve(info.verb, callOf(resource, info, request, warnings, trail), request)
  }

  async #read(kind: AnyKind, { verb, namespace, name }: RequestInfo, request: ApiRequest): Promise<ApiResponse> {
    const reader = this.#options.readers.get(groupResource(kind))
    if (!reader) throw genericFailure(404)
    const { headers, query } = request
    const output = this.#options.negotiator.output(headers, query, true)
    const { transform } = output
    const context = transform && { output: { ...output, transform }, query, now: this.#options.clock.now() }
    if (verb === 'get') {
      const object = await reader.get({ namespace, name })
      return encodeValue(context ? transformObject(kind, object, context) : object, output, 200)
    }
    const items = await reader.list({ namespace, labelSelector: query.get('labelSelector') ?? '' })
    if (context) return encodeValue(transformItems(kind, items, {}, context), output, 200)
    return encodeValue({ kind: `${kind.kind}List`, apiVersion: apiVersionOf(kind), metadata: {}, items }, output, 200)
  }

  async #respond(responder: Responder, asked: Asked, request: ApiRequest, warnings: string[]): Promise<ApiResponse> {
    const output = this.#options.negotiator.output(request.headers, request.query, false)
    const parameters = writeParameters(request.query, 'CreateOptions')
    const body = bytesBody(await request.body(MAX_BODY), request.headers['content-type'])
    const answer = await this.#options.responders.answer(responder, asked, body, parameters, (text) => warnings.push(text))
    return encodeValue(answer, output, 201)
  }

  #admitConnect(
    kind: AnyKind,
    info: RequestInfo,
    request: ApiRequest,
    warn: (text: string) => void,
    trail: AuditTrail | null,
  ): Promise<void> {
    const { subresource, namespace, name, tail } = info
    const { query, user, signal } = request
    const annotate = trail ? notesOf(trail).annotate : null
    const about = { kind, subresource, namespace, name, tail, query, user, signal, warn, ...(annotate ? { annotate } : {}) }
    return admitConnect(this.#options.admission, about)
  }

  #connectorOf(kind: AnyKind, info: RequestInfo): Connector | undefined {
    if (!info.subresource || !kind.subresources[info.subresource]) return undefined
    return this.#options.connectors.get(`${info.resource}/${info.subresource}`)
  }
}

/** Throws what the router says of a path or method that the kind does not have. */
function checkRoute(kind: AnyKind, info: RequestInfo): void {
  if (info.subresource && !kind.subresources[info.subresource]) throw genericFailure(404)
  const isNamespaces = kind.group === '' && kind.resource === 'namespaces'
  if (!kind.namespaced && info.namespace && !isNamespaces) throw genericFailure(404)
  const collection = info.verb === 'list' || info.verb === 'watch' || info.verb === 'deletecollection' || info.verb === 'create'
  if (kind.namespaced && !info.namespace && info.verb !== 'list' && info.verb !== 'watch') {
    throw genericFailure(collection && !info.name ? 405 : 404)
  }
  if (!allows(kind, info.subresource, info.verb)) throw genericFailure(405)
  if (info.verb === 'create' && info.name && !info.subresource) throw genericFailure(405)
  if ((info.verb === 'update' || info.verb === 'patch') && !info.name) throw genericFailure(405)
}

export function attributesOf(user: UserInfo, info: RequestInfo): Attributes {
  if (!info.isResource) return { user, verb: info.verb, path: info.path }
  const { group, version, resource, subresource, namespace, name, fieldSelector, labelSelector } = info
  const attributes = { group, version, resource, subresource, namespace, name }
  const selected = fieldSelector || labelSelector
  const selectors = { ...(fieldSelector ? { fieldSelector } : {}), ...(labelSelector ? { labelSelector } : {}) }
  return { user, verb: info.verb, path: info.path, resource: selected ? { ...attributes, ...selectors } : attributes }
}

function callOf(resource: Resource, info: RequestInfo, request: ApiRequest, warnings: string[], trail: AuditTrail | null): Call {
  return {
    resource,
    namespace: resource.kind.namespaced ? info.namespace : '',
    name: info.name,
    subresource: info.subresource,
    user: request.user,
    manager: managerOf(request.headers['user-agent'] ?? ''),
    get signal() {
      return request.signal
    },
    warn: (text) => void (warnings.includes(text) || warnings.push(text)),
    ...(trail ? notesOf(trail) : null),
  }
}

/** What a call tells the audit log. */
export function notesOf(trail: AuditTrail): Required<Pick<Call, 'annotate' | 'received'>> {
  return { annotate: (key, value) => trail.annotate(key, value), received: (sent) => trail.received(sent) }
}

/** Neither an answer of Kubernetes nor a fault of the store, which is known. */
function isDefect(error: unknown): boolean {
  return !(error instanceof StatusError) && !(error instanceof StoreError) && !isAbort(error)
}

/** The answer, whose end will be noted. */
function noted(response: ApiResponse, info: RequestInfo, trail: AuditTrail): ApiResponse {
  const { body, status } = response
  const whole = body instanceof Uint8Array || body instanceof ListBody
  if (!whole || isLongRunning(info)) trail.started(status)
  if (whole) {
    trail.ended(response)
    return response
  }
  if (!(body instanceof WatchStream)) return { ...response, body: upTo(body, () => trail.ended(response)) }
  body.onClose(() => trail.ended(response))
  return response
}

async function* upTo(body: AsyncIterable<Uint8Array>, ended: () => void): AsyncGenerator<Uint8Array, void, void> {
  try {
    yield* body
  } finally {
    ended()
  }
}

function namesAnother(headers: ApiRequest['headers']): boolean {
  for (const name in headers) if (name.startsWith('impersonate-')) return true
  return false
}

function withUser(request: ApiRequest, user: UserInfo): ApiRequest {
  const { method, path, query, headers, signal, origin } = request
  return { method, path, query, headers, signal, user, body: (limit) => request.body(limit), ...(origin ? { origin } : {}) }
}

function targetOf(info: RequestInfo): ConnectTarget {
  return { namespace: info.namespace, name: info.name, tail: info.tail }
}

/** The program's name: what stands before the first slash. */
function managerOf(userAgent: string): string {
  const end = userAgent.indexOf('/')
  return (end < 0 ? userAgent : userAgent.slice(0, end)).slice(0, 128)
}

const MAX_WARNINGS = 4096
// eslint-disable-next-line no-control-regex -- they are what is refused
const CONTROL = /[\u0000-\u001f\u007f]/

/** RFC 7234 Warning headers, as apimachinery `util/net` writes them, in UTF-8; in all no longer than clients read. */
function withWarnings(response: ApiResponse, warnings: readonly string[]): ApiResponse {
  const headers: string[] = []
  let size = 0
  for (const text of warnings) {
    // Upstream too leaves out what no header can carry.
    if (CONTROL.test(text)) continue
    const header = Buffer.from(`299 - "${text.replace(/[\\"]/g, '\\$&')}"`, 'utf8').toString('latin1')
    size += header.length
    if (size > MAX_WARNINGS) break
    headers.push(header)
  }
  return { ...response, headers: { ...response.headers, warning: headers } }
}
