/** Aggregation as the API server is made of it: following APIServices, proxying, discovery and OpenAPI of what others serve. */
import { apiService } from '../../api/apiregistration/v1/api-service.ts'
import { apiVersionOf } from '../../api/kind.ts'
import type { Clock } from '../../base/clock.ts'
import type { Logger } from '../../base/logger.ts'
import type { Random } from '../../base/random.ts'
import type { RemoteVersion } from '../discovery/documents.ts'
import type { RemoteSpec } from '../openapi/merge-v2.ts'
import type { RemoteDocument } from '../openapi/openapi.ts'
import type { Lookup } from '../registry/lookup.ts'
import type { Registry } from '../registry/registry.ts'
import type { Resources } from '../resources.ts'
import type { Connector, RequestHandler } from '../types.ts'
import type { DialService } from '../webhooks/webhook-client.ts'
import { Aggregator } from './aggregator.ts'
import { createFrontProxy, type FrontProxy } from './front-proxy.ts'
import { aggregatedProxy } from './proxy.ts'
import { Publisher } from './publisher.ts'
import { fetchJson } from './availability.ts'
import { RemoteSpecs } from './remote-specs.ts'
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
  openApiV2(): Promise<readonly RemoteSpec[]>
  /**
   * For a server that others can reach: tells extension servers, by a ConfigMap, whose certificates they can trust (`clientCa` is that of
   * this server's own clients), and keeps the APIServices of what it serves itself.
   */
  publish(clientCa: string): Promise<void>
}

/** How often it is looked whether custom resources have brought a group or taken one away, in milliseconds. */
const REGISTER_EVERY = 5000
const NOTHING: ReadonlyMap<string, RemoteDocument> = new Map()
const NO_TARGET = { namespace: '', name: '', tail: '' }

export function createAggregation(options: AggregationOptions): Aggregation {
  const { resources, lookup, clock, random, logger } = options
  const stopping = new AbortController()
  const publisher = new Publisher(options, stopping.signal)
  let timer: Disposable | null = null
  let front: Promise<FrontProxy> | null = null
  const proxy = () => (front ??= createFrontProxy(clock, random))
  const servers = new RemoteServers(options.dialService, proxy)
  const aggregator = lookup.serves(apiService) ? new Aggregator({ ...options, servers }) : null

  const specs = new RemoteSpecs({ fetchJson: (spec, path) => fetchJson(spec, path, { servers, clock }, stopping.signal), clock })

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
    openApiV2: async () => specs.all(aggregator ? [...aggregator.all()].filter(({ health }) => health.condition.status === 'True') : []),
    async publish(clientCa) {
      await publisher.trust((await proxy()).caPem, clientCa)
      if (!aggregator) return
      let registered = -1
      const register = async () => {
        const { generation } = resources
        if (registered === generation) return
        await publisher.register()
        registered = generation
      }
      await register()
      const failed = (error: unknown) => logger.warn('the API services of this server could not be registered', { error })
      timer ??= clock.setInterval(() => void register().catch(failed), REGISTER_EVERY, { unref: true })
    },
    async [Symbol.asyncDispose]() {
      timer?.[Symbol.dispose]()
      stopping.abort(new DOMException('stopped', 'AbortError'))
      await aggregator?.[Symbol.asyncDispose]()
    },
  }
}
