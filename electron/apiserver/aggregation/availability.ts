/** Whether an API service answers, and what it serves. Source: kube-aggregator `pkg/controllers/status`. */
import type { APIService, APIServiceCondition } from '../../api/apiregistration/v1/types.ts'
import type { Service } from '../../api/core/v1/types.gen.ts'
import type { EndpointSlice } from '../../api/discovery/v1/types.gen.ts'
import { defineKind, type AnyKind, type Subresource, type Verb } from '../../api/kind.ts'
import { type Clock, deadline } from '../../base/clock.ts'
import { text } from 'node:stream/consumers'
import type { Lookup } from '../registry/lookup.ts'
import type { UserInfo } from '../types.ts'
import { goReason } from '../webhooks/webhook-error.ts'
import { userHeaders } from './front-proxy.ts'
import { hostOf, type RemoteServers } from './remote-server.ts'

export interface Health {
  readonly condition: Omit<APIServiceCondition, 'lastTransitionTime'>
  /** Null if that is not known now. */
  readonly kinds: readonly AnyKind[] | null
  /** Where its OpenAPI is, with its hash; null if it has none. */
  readonly openApi: string | null
}

export interface AvailabilityDeps {
  readonly lookup: Lookup
  readonly servers: RemoteServers
  readonly clock: Clock
}

interface ResourceList {
  readonly resources?: readonly {
    readonly name: string
    readonly singularName?: string
    readonly kind: string
    readonly group?: string
    readonly version?: string
    readonly namespaced: boolean
    readonly verbs: readonly string[]
    readonly shortNames?: readonly string[]
    readonly categories?: readonly string[]
  }[]
}

const SERVICES = { group: '', version: 'v1', resource: 'services' }
const ENDPOINT_SLICES = { group: 'discovery.k8s.io', version: 'v1', resource: 'endpointslices' }
const CHECKER: UserInfo = { name: 'system:kube-aggregator', groups: ['system:masters'] }
const TIMEOUT = 5000

/** Never rejects: what goes wrong is in the condition. */
export async function checkHealth({ spec }: APIService, deps: AvailabilityDeps, signal: AbortSignal): Promise<Health> {
  const { service, group = '', version = '' } = spec
  if (!service) return health('True', 'Local', 'Local APIServices are always available')
  const missing = await missingPart(service, deps.lookup)
  if (missing) return health('False', ...missing)
  const path = `/apis/${group}/${version}`
  try {
    const list = await fetchJson<ResourceList>(spec, path, deps, signal)
    const kinds = kindsOf(list, group, version)
    const index = await fetchJson<{ paths?: Record<string, { serverRelativeURL?: string }> }>(spec, '/openapi/v3', deps, signal).catch(
      () => null,
    )
    const openApi = index?.paths?.[path.slice(1)]?.serverRelativeURL ?? null
    return { ...health('True', 'Passed', 'all checks passed'), kinds, openApi }
  } catch (error) {
    const url = `https://${hostOf(spec)}:${service.port ?? 443}${path}`
    return health('False', 'FailedDiscoveryCheck', `failing or missing response from ${url}: ${goReason(error)}`)
  }
}

function health(status: 'True' | 'False', reason: string, message: string): Health {
  return { condition: { type: 'Available', status, reason, message }, kinds: null, openApi: null }
}

async function missingPart(
  { name = '', namespace = '', port = 443 }: NonNullable<APIService['spec']['service']>,
  lookup: Lookup,
): Promise<[reason: string, message: string] | null> {
  const at = `service/${name} in ${JSON.stringify(namespace)}`
  const service = await lookup.get<Service>(SERVICES, namespace, name)
  if (!service) return ['ServiceNotFound', `${at} is not present`]
  if (service.spec.type === 'ExternalName') return null
  const wanted = service.spec.ports?.find((one) => one.port === port)
  if (!wanted) return ['ServicePortError', `${at} is not listening on port ${port}`]
  const slices = (await lookup.list<EndpointSlice>(ENDPOINT_SLICES, namespace)).filter(
    ({ metadata }) => metadata.labels?.['kubernetes.io/service-name'] === name,
  )
  if (slices.length === 0) return ['EndpointsNotFound', `cannot find endpointslices for ${at}`]
  const ready = slices.some(
    ({ endpoints, ports }) =>
      ports?.some((one) => (one.name ?? '') === (wanted.name ?? '')) && endpoints?.some(({ conditions }) => conditions?.ready !== false),
  )
  if (ready) return null
  return ['MissingEndpoints', `endpointslices for ${at} have no addresses with port name ${JSON.stringify(wanted.name ?? '')}`]
}

/** Rejects if there is no answer of success that is JSON. */
export async function fetchJson<T>(
  spec: APIService['spec'],
  path: string,
  { servers, clock }: Omit<AvailabilityDeps, 'lookup'>,
  parent: AbortSignal,
): Promise<T> {
  using limit = deadline(clock, TIMEOUT, parent)
  const headers = { accept: 'application/json', ...userHeaders(CHECKER) }
  try {
    const answer = await servers.request(spec, { method: 'GET', path, headers, signal: limit.signal })
    if (answer.type === 'upgrade') throw new Error('the answer is another protocol')
    const body = await text(answer.response)
    const { statusCode = 0 } = answer.response
    if (statusCode < 200 || statusCode > 299) throw new Error(`bad status from the server: ${statusCode}`)
    return JSON.parse(body) as T
  } catch (error) {
    throw limit.signal.aborted ? (limit.signal.reason as Error) : error
  }
}

/** As discovery shows them; their objects are nothing to this server. */
function kindsOf({ resources = [] }: ResourceList, group: string, version: string): AnyKind[] {
  return resources
    .filter(({ name }) => !name.includes('/'))
    .map(({ name, singularName, kind, namespaced, verbs, shortNames = [], categories = [] }) => {
      const parts = resources.filter((one) => one.name.startsWith(`${name}/`))
      const subresources = parts.map((part): [string, Subresource] => [
        part.name.slice(name.length + 1),
        {
          verbs: part.verbs as Verb[],
          ...(part.kind === kind ? {} : { kind: part.kind }),
          ...(part.version ? { group: part.group ?? group, version: part.version } : {}),
        },
      ])
      const named = { group, version, kind, resource: name, ...(singularName ? { singular: singularName } : {}) }
      const all = { shortNames, categories, subresources: Object.fromEntries(subresources) }
      return defineKind({ ...named, ...all, namespaced, model: '', verbs: verbs as Verb[] })
    })
}
