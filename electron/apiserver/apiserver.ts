/** The Kubernetes API server over a store, as one component. */
import { KINDS } from '../api/kinds.gen.ts'
import type { AnyKind } from '../api/kind.ts'
import type { Clock } from '../base/clock.ts'
import { component, startIn, type Component } from '../base/lifecycle.ts'
import type { Logger } from '../base/logger.ts'
import { systemRandom, type Random } from '../base/random.ts'
import type { Client } from '../client/client.ts'
import type { Store } from '../store/store.ts'
import { createAdmission, type AdmissionPlugin } from './admission/admission.ts'
import { createFeed } from './cache/feed.ts'
import { ResourceEndpoint } from './endpoints/resource-endpoint.ts'
import { Verbs } from './endpoints/verbs.ts'
import { Negotiator } from './http/negotiate.ts'
import { genericFailure } from './http/response.ts'
import { InProcessClient } from './inprocess-client.ts'
import { Pipeline } from './pipeline.ts'
import { KeyedMutex } from './registry/keyed-mutex.ts'
import type { Call, Registry, ResourceHooks } from './registry/registry.ts'
import type { Subresource } from './registry/subresource.ts'
import { Resources } from './resources.ts'
import { scale } from './rest/scale.ts'
import type {
  AdmissionCheck,
  ApiRequest,
  ApiResponse,
  Authenticator,
  Authorizer,
  Connector,
  RequestHandler,
  Responder,
  UserInfo,
} from './types.ts'

export interface ApiServerOptions {
  readonly store: Store
  readonly clock: Clock
  readonly logger: Logger
  readonly random?: Random
  /** What is served beside the built-in kinds' list; for tests. */
  readonly kinds?: readonly AnyKind[]
}

/** What others bring: each may be given once, before `start`. */
export interface ApiServerParts {
  readonly authenticate?: Authenticator
  readonly authorize?: Authorizer
  readonly checks?: readonly AdmissionCheck[]
  readonly responders?: Readonly<Record<string, Responder>>
  readonly connectors?: Readonly<Record<string, Connector>>
  /** By path; one that ends with a slash stands for everything below. */
  readonly handlers?: Readonly<Record<string, RequestHandler>>
}

export interface ApiServer extends Component {
  /** A client on behalf of this user; works once the server is started. `manager` is its name in managedFields. */
  clientFor(user: UserInfo, manager?: string): Client
  /** One request that is already authenticated. Never rejects. */
  handle(request: ApiRequest): Promise<ApiResponse>
  /** Adds to what the server is made of. Throws once it has started. */
  use(parts: ApiServerParts): void
}

export function createApiServer(options: ApiServerOptions): ApiServer {
  const { store, clock, logger, random = systemRandom, kinds = KINDS } = options
  const feed = createFeed({ store, clock, logger })
  const resources = new Resources(kinds, { store, feed })
  const plugins: AdmissionPlugin[] = []
  const checks: AdmissionCheck[] = []
  const responders = new Map<string, Responder>()
  const connectors = new Map<string, Connector>()
  const handlers = new Map<string, RequestHandler>()
  const hooks = new Map<string, ResourceHooks>()
  let authorize: Authorizer = async () => ({ allowed: false, reason: 'the server has no authorizer' })

  const registry: Registry = {
    store,
    locks: new KeyedMutex(),
    clock,
    random,
    logger,
    admission: createAdmission(plugins, checks),
    hooks,
  }
  const subresource = (call: Call): Subresource | null => {
    if (call.subresource === '') return null
    if (call.subresource === 'status') return { kind: call.resource.kind, part: 'status' }
    if (call.subresource === 'scale') return scale
    throw genericFailure(404)
  }
  const mayCreate = (call: Call) => {
    const { group, version, resource } = call.resource.kind
    const { subresource: part, namespace, name } = call
    return pipeline.authorize({
      user: call.user,
      verb: 'create',
      path: '',
      resource: { group, version, resource, subresource: part, namespace, name },
    })
  }
  const verbs = new Verbs({ registry, subresource, mayCreate })
  const negotiator = new Negotiator()
  const endpoint = new ResourceEndpoint({ verbs, negotiator, clock, random })
  const pipeline: Pipeline = new Pipeline({
    resources,
    endpoint,
    negotiator,
    authorize: (attributes) => authorize(attributes),
    handlers: (path) => handlers.get(path),
    responders,
    connectors,
  })

  const life = component(async (stack, signal) => {
    stack.use(resources)
    await startIn(stack, feed, signal)
  })
  return {
    get state() {
      return life.state
    },
    start: (signal) => life.start(signal),
    [Symbol.asyncDispose]: () => life[Symbol.asyncDispose](),
    clientFor: (user, manager = user.name) => new InProcessClient({ pipeline, verbs, resources, clock, user, manager }),
    handle: (request) => pipeline.handle(request),
    use(parts) {
      if (life.state !== 'pending') throw new Error('the API server has started')
      if (parts.authorize) authorize = parts.authorize
      checks.push(...(parts.checks ?? []))
      for (const [name, responder] of Object.entries(parts.responders ?? {})) responders.set(name, responder)
      for (const [name, connector] of Object.entries(parts.connectors ?? {})) connectors.set(name, connector)
      for (const [path, handler] of Object.entries(parts.handlers ?? {})) handlers.set(path, handler)
    },
  }
}
