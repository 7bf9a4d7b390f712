import { ageColumn, joined, labelsText } from '../../columns.ts'
import { defineKind, type Column } from '../../kind.ts'
import { nameIsDnsLabel } from '../../values/names.ts'
import { dropTypeDependentFields, fillClusterIps, keepAllocatedValues } from './service-changes.ts'
import { defaultService } from './service-defaults.ts'
import { HEADLESS } from './service-traits.ts'
import { validateService, validateServiceStatus, validateServiceUpdate } from './service-validation.ts'
import type { LoadBalancerStatus, Service } from './types.gen.ts'

const columns: readonly Column<Service>[] = [
  { name: 'Type', type: 'string', description: 'How the service is reached', value: ({ spec }) => spec.type ?? '' },
  { name: 'Cluster-IP', type: 'string', description: 'Address within the cluster', value: ({ spec }) => spec.clusterIPs?.[0] ?? '<none>' },
  { name: 'External-IP', type: 'string', description: 'Addresses from outside', value: externalAddress },
  {
    name: 'Port(s)',
    type: 'string',
    description: 'Ports of the service, with those of the nodes',
    value: ({ spec }) =>
      joined(
        (spec.ports ?? []).map(({ port, nodePort, protocol }) => (nodePort ? `${port}:${nodePort}/${protocol}` : `${port}/${protocol}`)),
      ),
  },
  ageColumn,
  { name: 'Selector', type: 'string', priority: 1, description: 'Labels of its pods', value: ({ spec }) => labelsText(spec.selector) },
]

function externalAddress({ spec, status }: Service): string {
  const own = spec.externalIPs ?? []
  switch (spec.type) {
    case 'ClusterIP':
    case 'NodePort':
      return joined(own)
    case 'LoadBalancer':
      return joined([...balancerAddresses(status.loadBalancer), ...own], '<pending>')
    case 'ExternalName':
      return spec.externalName ?? ''
    default:
      return '<unknown>'
  }
}

/** Sorted, each once. */
export function balancerAddresses(status: LoadBalancerStatus | undefined): string[] {
  return [...new Set((status?.ingress ?? []).map(({ ip, hostname }) => ip || hostname || '').filter(Boolean))].sort()
}

export const service = defineKind<Service>({
  group: '',
  version: 'v1',
  kind: 'Service',
  resource: 'services',
  shortNames: ['svc'],
  categories: ['all'],
  namespaced: true,
  model: 'io.k8s.api.core.v1.Service',
  validateName: nameIsDnsLabel,
  subresources: { proxy: { verbs: ['create', 'delete', 'get', 'patch', 'update'], kind: 'ServiceProxyOptions' }, status: true },
  columns,
  selectableFields: { 'spec.clusterIP': ({ spec }) => spec.clusterIP ?? '', 'spec.type': ({ spec }) => spec.type ?? '' },
  strategy: {
    defaults: defaultService,
    prepareForCreate(service) {
      service.status = { loadBalancer: {} }
      fillClusterIps(service)
    },
    prepareForUpdate(service, old) {
      keepAllocatedValues(service, old)
      dropTypeDependentFields(service, old)
    },
    validate: validateService,
    validateUpdate: validateServiceUpdate,
    validateStatusUpdate: validateServiceStatus,
    warnings: (service) => serviceWarnings(service),
    allowCreateOnUpdate: true,
  },
})

const TOPOLOGY_HINTS = 'service.kubernetes.io/topology-aware-hints'

/** Source: kubernetes `api/service/warnings.go`. */
function serviceWarnings({ metadata, spec }: Service): string[] {
  const out: string[] = []
  if (TOPOLOGY_HINTS in (metadata.annotations ?? {})) {
    out.push(`annotation ${TOPOLOGY_HINTS} is deprecated, please use service.kubernetes.io/topology-mode instead`)
  }
  if (spec.type === 'ClusterIP' && spec.clusterIP === HEADLESS) {
    if (spec.loadBalancerIP) out.push('spec.loadBalancerIP is ignored for headless services')
    if (spec.externalIPs?.length) out.push('spec.externalIPs is ignored for headless services')
    if (spec.sessionAffinity !== 'None') out.push('spec.SessionAffinity is ignored for headless services')
  }
  if (spec.type === 'ExternalName') {
    if (spec.externalIPs?.length) out.push('spec.externalIPs is ignored when spec.type is "ExternalName"')
  } else if (spec.externalName) out.push('spec.externalName is ignored when spec.type is not "ExternalName"')
  if (spec.trafficDistribution === 'PreferClose') {
    out.push('spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"')
  }
  return out
}
