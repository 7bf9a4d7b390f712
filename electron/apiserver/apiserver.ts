/** The Kubernetes API server over a store, as one component. */
import { KINDS } from '../api/kinds.gen.ts'
import { customResourceDefinition } from '../api/apiextensions/v1/custom-resource-definition.ts'
import type { Service } from '../api/core/v1/types.gen.ts'
import type { AnyKind } from '../api/kind.ts'
import type { Clock } from '../base/clock.ts'
import { component, startIn, type Component, componentWith } from '../base/lifecycle.ts'
import type { Logger } from '../base/logger.ts'
import { systemRandom, type Random } from '../base/random.ts'
import type { Client } from '../client/client.ts'
import { forbidden } from '../machinery/status.ts'
import type { Store } from '../store/store.ts'
import { createAdmission } from './admission/admission.ts'
import { createAggregation } from './aggregation/aggregation.ts'
import { expressionHooks } from './admission/expressions/expression-hooks.ts'
import { builtInPlugins, type PluginOptions } from './admission/plugins.ts'
import { ANONYMOUS } from './authn/authentication.ts'
import { certificateRequestHooks } from './authz/certificate-requests.ts'
import { ComponentStatuses, type ComponentCheck } from './componentstatus/component-statuses.ts'
import { createFeed } from './cache/feed.ts'
import { CustomResources } from './customresources/custom-resources.ts'
import { definitionHooks } from './customresources/definition-hooks.ts'
import { customModels } from './customresources/model.ts'
import { Discovery } from './discovery/discovery.ts'
import { healthHandlers } from './discovery/health.ts'
import { type BuildInfo, KUBERNETES_VERSION, UNKNOWN_BUILD, versionHandler } from './discovery/version.ts'
import { ResourceEndpoint } from './endpoints/resource-endpoint.ts'
import { Responders } from './endpoints/responders.ts'
import { Verbs } from './endpoints/verbs.ts'
import { HttpService } from './http/exchange.ts'
import { listen, type Listening, type ListenOptions } from './http/listener.ts'
import { Negotiator } from './http/negotiate.ts'
import { pageNotFound, textResponse } from './http/response.ts'
import { upgrader } from './http/upgrade.ts'
import { InProcessClient } from './inprocess-client.ts'
import { Metrics, type MetricSource } from './metrics/metrics.ts'
import { checkStore, healthChecks, METRICS_TYPE, serverGauges } from './metrics/server-state.ts'
import type { Descriptions } from './openapi/models.ts'
import { openApiHandlers } from './openapi/openapi.ts'
import { Paths } from './paths.ts'
import { Pipeline, type PipelineOptions } from './pipeline.ts'
import { KeyedMutex } from './registry/keyed-mutex.ts'
import { KindTypes } from './registry/kind-types.ts'
import { LeasePool } from './registry/lease-pool.ts'
import { Lookup } from './registry/lookup.ts'
import { MergeTargets } from './registry/managed-fields.ts'
import { Quotas } from './registry/quota.ts'
import type { Call, Registry, ResourceHooks } from './registry/registry.ts'
import { Resources } from './resources.ts'
import { bindingResponder } from './rest/binding.ts'
import { bootstrap } from './rest/bootstrap.ts'
import { namespaceHooks } from './rest/namespace.ts'
import { serviceParts } from './rest/service/install.ts'
import { AddressRange, type PortRange } from './rest/service/ranges.ts'
import { repairRecords } from './rest/service/repair.ts'
import { subresources } from './rest/subresources.ts'
import { serviceDialer } from './webhooks/service-dialer.ts'
import { WebhookClient } from './webhooks/webhook-client.ts'
import type {
  AdmissionCheck,
  ApiRequest,
  ApiResponse,
  Auditor,
  Authenticator,
  Authorizer,
  Connector,
  FlowGate,
  Reader,
  RequestHandler,
  Responder,
  UserInfo,
} from './types.ts'

export interface ApiServerOptions {
  readonly store: Store
  readonly clock: Clock
  readonly logger: Logger
  readonly random?: Random
  /** What /version says of this build. */
  readonly build?: BuildInfo
  /** What `kubectl explain` says. */
  readonly descriptions?: Descriptions
  /** What is served; by default every built-in kind. */
  readonly kinds?: readonly AnyKind[]
  /** Addresses for Services: "10.96.0.0/16". */
  readonly serviceCidr?: string
  readonly nodePorts?: PortRange
  /** How long events are kept, in seconds. */
  readonly eventSeconds?: number
  readonly admission?: Pick<PluginOptions, 'tolerationSeconds' | 'disabled' | 'podSecurity'>
  /** Where nodes reach the server; by default the address of `default/kubernetes`, which their agents relay. */
  readonly endpoint?: { readonly address: string; readonly port: number }
}

const SERVICE_CIDR = '10.96.0.0/16'
const NODE_PORTS: PortRange = { from: 30_000, to: 32_767 }
const EVENT_SECONDS = 3600
const SERVICES = { group: '', version: 'v1', resource: 'services' }
/** How often what every cluster must have is looked after, in milliseconds. */
const BOOTSTRAP_MS = 60_000

/** What others bring: each may be given once, before `start`. */
export interface ApiServerParts {
  /** Null, or none at all: the user is system:anonymous. */
  readonly authenticate?: Authenticator
  /** By default nobody may act as another. */
  readonly impersonate?: (user: UserInfo, headers: ApiRequest['headers'], authorize: Authorizer) => Promise<UserInfo>
  readonly authorize?: Authorizer
  readonly checks?: readonly AdmissionCheck[]
  readonly responders?: Readonly<Record<string, Responder>>
  readonly connectors?: Readonly<Record<string, Connector>>
  readonly readers?: Readonly<Record<string, Reader>>
  /** By path; one that ends with a slash stands for everything below. */
  readonly handlers?: Readonly<Record<string, RequestHandler>>
  /** By default nothing is noted, and nothing limits who asks how often. */
  readonly auditor?: Auditor
  readonly gate?: FlowGate
  /** What else /metrics shows. */
  readonly metrics?: readonly MetricSource[]
}

export interface ApiServer extends Component {
  /** A client on behalf of this user; works once the server is started. `manager` is its name in managedFields. */
  clientFor(user: UserInfo, manager?: string): Client
  /** One request that is already authenticated. Never rejects. */
  handle(request: ApiRequest): Promise<ApiResponse>
  /** How many objects of a resource there are, as far as it was read since the start. */
  count(of: { readonly group: string; readonly version: string; readonly resource: string }): number
  /** Adds to what the server is made of. Throws once it has started. */
  use(parts: ApiServerParts): void
  /** Notes a part of the control plane, for who asks whether it is well. */
  addComponent(name: string, check: ComponentCheck): void
  /** From now on /readyz says that the server is about to stop; it serves on until then. */
  retire(): void
  /** Serves on a TLS port until disposed, or until the server stops. Throws FlotillaError `ADDRESS_IN_USE`. */
  listen(options: ListenOptions): Promise<Listening>
}

export function createApiServer(options: ApiServerOptions): ApiServer {
  const { store, clock, logger, random = systemRandom, kinds = KINDS } = options
  const feed = createFeed({ store, clock, logger })
  const resources = new Resources(kinds, { store, feed })
  const lookup = new Lookup(resources)
  const checks: AdmissionCheck[] = []
  const connectors = new Map<string, Connector>()
  const components = new ComponentStatuses()
  components.add('etcd-0', () => checkStore(store))
  const readers = new Map<string, Reader>([['componentstatuses', components.reader]])
  const types = new KindTypes()
  const dialService = serviceDialer({ lookup, connectors, random })
  const webhooks = new WebhookClient({ dialService, clock })
  const ask: Authorizer = (attributes) => authorize(attributes)
  const plugins = builtInPlugins({ lookup, resources, types, webhooks, authorize: ask, clock, random, ...options.admission })
  const paths = new Paths()
  const metrics = new Metrics()
  const ranges = { addresses: new AddressRange(options.serviceCidr ?? SERVICE_CIDR), ports: options.nodePorts ?? NODE_PORTS }
  const services = serviceParts(ranges, { store, clock, random })
  const events = new LeasePool(store.lease, clock, options.eventSeconds ?? EVENT_SECONDS)
  const eventHooks: ResourceHooks = { lease: () => events.get() }
  const hooks = new Map<string, ResourceHooks>([
    ['namespaces', namespaceHooks],
    ['nodes', { keepsStatusOnCreate: true }],
    ['services', services.hooks],
    ['certificatesigningrequests.certificates.k8s.io', certificateRequestHooks],
    ['customresourcedefinitions.apiextensions.k8s.io', definitionHooks(clock)],
    ...expressionHooks({ resources, types }),
    ['events', eventHooks],
    ['events.events.k8s.io', eventHooks],
  ])
  let authorize: Authorizer = async () => ({ allowed: false, reason: 'the server has no authorizer' })

  let authenticate: Authenticator = async () => ANONYMOUS
  let impersonate: PipelineOptions['impersonate'] = async (user) => {
    throw forbidden({ group: '', resource: 'users' }, user.name, 'impersonation is not enabled')
  }

  let auditor: Auditor | null = null
  let gate: FlowGate | null = null
  let retired = false

  const registry: Registry = {
    store,
    locks: new KeyedMutex(),
    clock,
    random,
    logger,
    admission: createAdmission(plugins, checks),
    quotas: new Quotas(resources, clock),
    types,
    targets: new MergeTargets(types, () => resources.kinds()),
    hooks,
  }
  const aggregation = createAggregation({ registry, resources, lookup, dialService, clock, random, logger })
  const responders = new Responders(types, registry.admission)
  responders.add({ bindings: bindingResponder(registry, resources) })
  const mayCreate = (call: Call) => {
    const { group, version, resource } = call.resource.kind
    const { subresource, namespace, name } = call
    return pipeline.authorize({
      user: call.user,
      verb: 'create',
      path: '',
      resource: { group, version, resource, subresource, namespace, name },
    })
  }
  const verbs = new Verbs({ registry, subresource: subresources(registry, resources), mayCreate })
  const negotiator = new Negotiator()
  const endpoint = new ResourceEndpoint({ verbs, types, negotiator, clock, random })
  const pipeline: Pipeline = new Pipeline({
    resources,
    endpoint,
    negotiator,
    authorize: (attributes) => authorize(attributes),
    impersonate: (user, headers, ask) => impersonate(user, headers, ask),
    handlers: (path) => paths.find(path),
    metrics,
    clock,
    logger,
    responders,
    admission: registry.admission,
    aggregated: (path) => aggregation.connector(path),
    connectors,
    readers,
    auditor: () => auditor,
    gate: () => gate,
  })

  const serviceOf = () =>
    new HttpService({
      authenticate: async (credentials) => (await authenticate(credentials)) ?? ANONYMOUS,
      unauthenticated: (request) => auditor?.unauthenticated(request),
      handle: (request) => pipeline.handle(request),
      clock,
      random,
      logger,
    })
  let address = 'localhost'
  const discovery = new Discovery({ resources, negotiator, address: () => address, remote: () => aggregation.discovered })
  paths.add(discovery.handlers)
  paths.add(healthHandlers(healthChecks({ feed, store, ready: () => life.state === 'ready', stopping: () => retired }), logger))
  paths.add(
    openApiHandlers({
      kinds: () => resources.kinds(),
      customModel: customModels(resources),
      remote: () => aggregation.openApi(),
      remoteV2: () => aggregation.openApiV2(),
      version: `v${KUBERNETES_VERSION}`,
      descriptions: options.descriptions ?? {},
    }),
  )
  const version = versionHandler(options.build ?? UNKNOWN_BUILD, negotiator)
  paths.add({
    '/': paths.index(negotiator, () => discovery.paths()),
    '/version': version,
    '/version/': async (request) => (request.path === '/version/' ? version(request) : pageNotFound()),
    '/metrics': async () => textResponse(200, metrics.render(), METRICS_TYPE),
  })
  serverGauges(metrics, { resources, feed, clock })
  const listeners = new AsyncDisposableStack()

  const life = component(async (stack, signal) => {
    stack.use(resources)
    stack.use(webhooks)
    await startIn(stack, feed, signal)
    if (lookup.serves(customResourceDefinition)) {
      const customResources = stack.use(new CustomResources({ registry, resources, hooks, webhooks }))
      await customResources.start()
    }
    stack.use(aggregation)
    await aggregation.start()
    await repairRecords(await lookup.list<Service>(SERVICES), { store, logger, ...services })
    const serviceAddress = ranges.addresses.first
    const endpoint = options.endpoint ?? { address: serviceAddress, port: 443 }
    const ensure = () => bootstrap({ registry, resources, serviceAddress, endpoint }, signal)
    await ensure()
    const failed = (error: unknown) => logger.warn('what every cluster has could not be put right', { error })
    stack.use(clock.setInterval(() => void ensure().catch(failed), BOOTSTRAP_MS, { unref: true }))
    stack.use(listeners)
    stack.defer(() => resources.endWatches())
  })
  return componentWith(life, {
    clientFor: (user, manager = user.name) => new InProcessClient({ pipeline, verbs, resources, responders, clock, user, manager }),
    handle: (request) => pipeline.handle(request),
    count: ({ group, version, resource }) => resources.find(group, version, resource)?.storage.cache.size ?? 0,
    async listen(where) {
      const service = serviceOf()
      const upgrade = upgrader(service, pipeline, logger)
      const listening = listeners.use(await listen(where, { service, upgrade, clock }))
      await aggregation.publish(where.tls.clientCa)
      address = `${listening.host}:${listening.port}`
      return listening
    },
    addComponent: (name, check) => components.add(name, check),
    retire() {
      retired = true
    },
    use(given) {
      if (life.state !== 'pending') throw new Error('the API server has started')
      if (given.authenticate) authenticate = given.authenticate
      if (given.impersonate) impersonate = given.impersonate
      if (given.authorize) authorize = given.authorize
      checks.push(...(given.checks ?? []))
      responders.add(given.responders ?? {})
      for (const [name, connector] of Object.entries(given.connectors ?? {})) connectors.set(name, connector)
      for (const [name, reader] of Object.entries(given.readers ?? {})) readers.set(name, reader)
      paths.add(given.handlers ?? {})
      if (given.auditor) auditor = given.auditor
      if (given.gate) gate = given.gate
      for (const source of given.metrics ?? []) metrics.add(source)
    },
  })
}
