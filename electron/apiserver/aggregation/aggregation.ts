/** Aggregation as the API server is made of it: following APIServices, proxying, discovery and OpenAPI of what others serve. */
import type { ConfigMap } from '../../api/core/v1/types.gen.ts'
import { apiService } from '../../api/apiregistration/v1/api-service.ts'
import { configMap } from '../../api/core/v1/config-map.ts'
import { apiVersionOf } from '../../api/kind.ts'
import type { KubeObject } from '../../api/meta/v1/object.ts'
import { semanticEqual } from '../../api/values/equal.ts'
import type { Clock } from '../../base/clock.ts'
import type { Logger } from '../../base/logger.ts'
import type { Random } from '../../base/random.ts'
import { thaw } from '../../machinery/freeze.ts'
import { hasReason } from '../../machinery/status.ts'
import type { RemoteVersion } from '../discovery/documents.ts'
import type { RemoteDocument } from '../openapi/openapi.ts'
import { create } from '../registry/create.ts'
import type { Lookup } from '../registry/lookup.ts'
import type { Call, Registry, WriteParameters } from '../registry/registry.ts'
import { update } from '../registry/update.ts'
import type { Resources } from '../resources.ts'
import { APISERVER } from '../rest/bootstrap.ts'
import type { Connector, RequestHandler } from '../types.ts'
import type { DialService } from '../webhooks/webhook-client.ts'
import { Aggregator } from './aggregator.ts'
import { AUTHENTICATION_CONFIG, authenticationData, createFrontProxy, type FrontProxy } from './front-proxy.ts'
import { aggregatedProxy } from './proxy.ts'
import { RemoteServers } from './remote-server.ts'

export interface AggregationOptions {
  readonly registry: Registry
  readonly resources: Resources
  readonly lookup: Lookup
  readonly dialService: DialService
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}

export interface Aggregation extends AsyncDisposable {
  start(): Promise<void>
  /** Who answers for this path; null if this server does. */
  connector(path: string): Connector | null
  readonly discovered: { readonly generation: number; versions(): readonly RemoteVersion[] } | null
  openApi(): ReadonlyMap<string, RemoteDocument>
  /** Tells extension servers, by a ConfigMap, whose certificates they can trust; `clientCa` is that of this server's own clients. */
  publish(clientCa: string): Promise<void>
}

const WRITE: WriteParameters = { dryRun: false, fieldManager: '', fieldValidation: 'Strict', force: false }
const NOTHING: ReadonlyMap<string, RemoteDocument> = new Map()
const NO_TARGET = { namespace: '', name: '', tail: '' }

export function createAggregation(options: AggregationOptions): Aggregation {
  const { registry, resources, lookup, clock, random } = options
  let front: Promise<FrontProxy> | null = null
  const proxy = () => (front ??= createFrontProxy(clock, random))
  const servers = new RemoteServers(options.dialService, proxy)
  const aggregator = lookup.serves(apiService) ? new Aggregator({ ...options, servers }) : null

  const discovered = aggregator && {
    get generation() {
      return aggregator.generation
    },
    versions: () =>
      [...aggregator.all()].map(({ service: { spec }, health, kinds }): RemoteVersion => {
        const version = { version: spec.version ?? '', kinds }
        const stale = health.condition.status !== 'True'
        return { group: spec.group ?? '', version: stale ? { ...version, stale } : version }
      }),
  }

  return {
    discovered,
    async start() {
      await aggregator?.start()
    },
    connector(path) {
      const found = aggregator?.find(path)
      return found ? aggregatedProxy(servers, found) : null
    },
    openApi() {
      if (!aggregator) return NOTHING
      const documents = new Map<string, RemoteDocument>()
      for (const one of aggregator.all()) {
        const { group = '', version = '' } = one.service.spec
        const url = one.health.openApi
        if (url === null) continue
        const connector = aggregatedProxy(servers, one)
        const answer: RequestHandler = (request) => connector.answer(request, NO_TARGET)
        documents.set(`apis/${apiVersionOf({ group, version })}`, { url, answer })
      }
      return documents
    },
    async publish(clientCa) {
      const resource = resources.find('', 'v1', configMap.resource)
      if (!resource) return
      const { caPem } = await proxy()
      const { namespace, name } = AUTHENTICATION_CONFIG
      const { signal } = new AbortController()
      const call: Call = { resource, namespace, name, subresource: '', user: APISERVER, manager: 'kube-apiserver', signal, warn() {} }
      const present = await lookup.get<ConfigMap>(configMap, namespace, name)
      const data = authenticationData(caPem, clientCa, present?.data)
      if (present && semanticEqual(present.data, data)) return
      const draft = { metadata: { name, namespace }, data }
      const make = (old: KubeObject | null) =>
        old ? { ...thaw(old), data } : registry.types.fromValue(configMap, draft, 'Strict', () => {})
      if (present) return void (await update(registry, call, { part: 'main', make }, WRITE))
      try {
        await create(registry, { ...call, name: '' }, make(null), WRITE)
      } catch (error) {
        if (!hasReason(error, 'AlreadyExists')) throw error
        await update(registry, call, { part: 'main', make }, WRITE)
      }
    },
    async [Symbol.asyncDispose]() {
      await aggregator?.[Symbol.asyncDispose]()
    },
  }
}
