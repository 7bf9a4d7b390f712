/** What every cluster has from its first moment: the system's namespaces, priority classes, and the Service that is this server. */
import type { Endpoints, Namespace, Service } from '../../api/core/v1/types.gen.ts'
import type { EndpointSlice } from '../../api/discovery/v1/types.gen.ts'
import type { Draft, KubeObject } from '../../api/meta/v1/object.ts'
import { semanticEqual } from '../../api/values/equal.ts'
import { hasReason } from '../../machinery/status.ts'
import { PRIORITY_CLASSES, SYSTEM_CLASSES } from '../admission/priority.ts'
import { thaw } from '../../machinery/freeze.ts'
import { create } from '../registry/create.ts'
import type { KindName } from '../registry/lookup.ts'
import { get } from '../registry/read.ts'
import type { Call, Registry, WriteParameters } from '../registry/registry.ts'
import { update } from '../registry/update.ts'
import type { Resources } from '../resources.ts'
import type { UserInfo } from '../types.ts'

export const APISERVER: UserInfo = { name: 'system:apiserver', groups: ['system:masters', 'system:authenticated'] }

const NAMESPACES: KindName = { group: '', version: 'v1', resource: 'namespaces' }
const SERVICES: KindName = { group: '', version: 'v1', resource: 'services' }
const ENDPOINTS: KindName = { group: '', version: 'v1', resource: 'endpoints' }
const ENDPOINT_SLICES: KindName = { group: 'discovery.k8s.io', version: 'v1', resource: 'endpointslices' }
const SYSTEM_NAMESPACES = ['default', 'kube-system', 'kube-public', 'kube-node-lease']
const WRITE: WriteParameters = { dryRun: false, fieldManager: '', fieldValidation: 'Strict', force: false }

export interface BootstrapOptions {
  readonly registry: Registry
  readonly resources: Resources
  /** Address of `default/kubernetes`. */
  readonly serviceAddress: string
  /** Where nodes reach this server. */
  readonly endpoint: { readonly address: string; readonly port: number }
}

/** Makes what is missing, and puts right what must be as it is; may be run again at any time. */
export async function bootstrap(options: BootstrapOptions, signal: AbortSignal): Promise<void> {
  for (const name of SYSTEM_NAMESPACES) await ensure<Namespace>(options, NAMESPACES, { metadata: { name } }, signal)
  for (const { name, value, description } of SYSTEM_CLASSES) {
    await ensure(options, PRIORITY_CLASSES, { metadata: { name }, value, description } as Draft<KubeObject>, signal)
  }
  await ensure<Service>(options, SERVICES, kubernetesService(options.serviceAddress), signal)
  const { endpoint } = options
  await align<Endpoints>(options, ENDPOINTS, kubernetesEndpoints(endpoint), (object) => object.subsets, signal)
  await align<EndpointSlice>(options, ENDPOINT_SLICES, kubernetesSlice(endpoint), (object) => [object.endpoints, object.ports], signal)
}

function kubernetesService(clusterIP: string): Draft<Service> {
  return {
    metadata: { name: 'kubernetes', namespace: 'default', labels: { component: 'apiserver', provider: 'kubernetes' } },
    spec: {
      type: 'ClusterIP',
      clusterIP,
      ports: [{ name: 'https', port: 443, protocol: 'TCP', targetPort: 443 }],
      sessionAffinity: 'None',
    },
  }
}

function kubernetesEndpoints({ address, port }: BootstrapOptions['endpoint']): Draft<Endpoints> {
  return {
    metadata: { name: 'kubernetes', namespace: 'default', labels: { 'endpointslice.kubernetes.io/skip-mirror': 'true' } },
    subsets: [{ addresses: [{ ip: address }], ports: [{ name: 'https', port, protocol: 'TCP' }] }],
  }
}

function kubernetesSlice({ address, port }: BootstrapOptions['endpoint']): Draft<EndpointSlice> {
  return {
    metadata: { name: 'kubernetes', namespace: 'default', labels: { 'kubernetes.io/service-name': 'kubernetes' } },
    addressType: 'IPv4',
    endpoints: [{ addresses: [address], conditions: { ready: true } }],
    ports: [{ name: 'https', port, protocol: 'TCP' }],
  }
}

/** Creates it if it is not there; kinds that this server does not have are left out. */
async function ensure<T extends KubeObject>(
  options: BootstrapOptions,
  kind: KindName,
  draft: Draft<T>,
  signal: AbortSignal,
): Promise<T | null> {
  const call = callFor(options, kind, draft, signal)
  if (!call) return null
  try {
    return (await get(options.registry, call, '')).object as T
  } catch (error) {
    if (!hasReason(error, 'NotFound')) throw error
  }
  try {
    const object = options.registry.types.fromValue(call.resource.kind, draft, 'Strict', () => {})
    return (await create(options.registry, { ...call, name: '' }, object, WRITE)).object as T
  } catch (error) {
    if (hasReason(error, 'AlreadyExists')) return null
    throw error
  }
}

/** Like `ensure`, but what `content` picks is made as in the draft. */
async function align<T extends KubeObject>(
  options: BootstrapOptions,
  kind: KindName,
  draft: Draft<T>,
  content: (object: T) => unknown,
  signal: AbortSignal,
): Promise<void> {
  const found = await ensure(options, kind, draft, signal)
  const call = callFor(options, kind, draft, signal)
  if (!found || !call) return
  const wanted = options.registry.types.fromValue(call.resource.kind, draft, 'Strict', () => {}) as T
  if (semanticEqual(content(found), content(wanted))) return
  const make = (old: KubeObject | null) => ({ ...thaw(wanted), metadata: thaw((old ?? found).metadata) })
  await update(options.registry, call, { part: 'main', make }, WRITE)
}

function callFor(options: BootstrapOptions, kind: KindName, draft: Draft<KubeObject>, signal: AbortSignal): Call | null {
  const resource = options.resources.find(kind.group, kind.version, kind.resource)
  if (!resource) return null
  const { name = '', namespace = '' } = draft.metadata ?? {}
  return { resource, namespace, name, subresource: '', user: APISERVER, manager: 'kube-apiserver', signal, warn() {} }
}
