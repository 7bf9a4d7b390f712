/** How pods are reached, and by whom. */
import type { Service } from '../../../../../electron/api/core/v1/types.gen.ts'
import type { EndpointSlice } from '../../../../../electron/api/discovery/v1/types.gen.ts'
import type { Ingress, NetworkPolicy } from '../../../../../electron/api/networking/v1/types.gen.ts'
import { t } from '../../../i18n/index.ts'
import { ENDPOINT_SLICES, INGRESSES, NETWORK_POLICIES, SERVICES } from '../../../kube/resources.ts'
import { linkTo } from '../../../router/links.ts'
import { ageColumn, nameColumn, namespaceColumn, pairs } from '../columns.ts'
import { text, type ListDef } from '../list-def.ts'

const portText = (service: Service) =>
  (service.spec.ports ?? []).map((p) => `${p.port}${p.nodePort ? `:${p.nodePort}` : ''}/${p.protocol ?? 'TCP'}`).join(', ')

const services: ListDef<Service> = {
  resource: SERVICES,
  title: 'nav.services',
  icon: 'service',
  columns: () => [
    nameColumn(SERVICES),
    namespaceColumn(),
    { id: 'type', label: t('column.type'), min: 92, drop: 5, cell: (s) => text(s.spec.type) },
    { id: 'ip', label: t('column.clusterIP'), min: 110, drop: 6, cell: (s) => text(s.spec.clusterIP, { mono: true }) },
    { id: 'ports', label: t('column.ports'), min: 130, grow: 0.5, cell: (s) => text(portText(s), { mono: true, title: portText(s) }) },
    {
      id: 'selector',
      label: t('column.selector'),
      min: 140,
      grow: 0.7,
      drop: 7,
      cell: (s) => text(pairs(s.spec.selector), { title: pairs(s.spec.selector) }),
    },
    ageColumn(),
  ],
  actions: ['edit', 'delete'],
  empty: { title: 'list.empty.services', text: 'list.empty.servicesText' },
}

const hostsOf = ({ spec }: Ingress): string => {
  const hosts = (spec.rules ?? []).map((rule) => rule.host ?? '*')
  return (hosts.length ? hosts : ['*']).join(', ')
}
const backendsOf = ({ spec }: Ingress): string => {
  const backends = [spec.defaultBackend, ...(spec.rules ?? []).flatMap((rule) => rule.http?.paths.map((path) => path.backend) ?? [])]
  const names = backends.map(
    (backend) => backend?.service && `${backend.service.name}:${backend.service.port?.number ?? backend.service.port?.name ?? ''}`,
  )
  return [...new Set(names.filter(Boolean))].join(', ')
}

const ingresses: ListDef<Ingress> = {
  resource: INGRESSES,
  title: 'nav.ingresses',
  icon: 'ingress',
  columns: () => [
    nameColumn(INGRESSES),
    namespaceColumn(),
    {
      id: 'class',
      label: t('column.class'),
      min: 90,
      drop: 6,
      cell: (i) => text(i.spec.ingressClassName),
    },
    { id: 'hosts', label: t('column.hosts'), min: 140, grow: 0.7, cell: (i) => text(hostsOf(i), { title: hostsOf(i) }) },
    {
      id: 'backends',
      label: t('nav.services'),
      min: 130,
      grow: 0.6,
      drop: 5,
      cell: (i) => text(backendsOf(i), { mono: true, title: backendsOf(i) }),
    },
    { id: 'tls', label: t('column.tls'), min: 40, drop: 8, cell: (i) => text(i.spec.tls?.length ? t('common.yes') : '') },
    {
      id: 'address',
      label: t('column.address'),
      min: 110,
      drop: 7,
      cell: (i) => text((i.status?.loadBalancer?.ingress ?? []).map((at) => at.ip ?? at.hostname).join(', '), { mono: true }),
    },
    ageColumn(),
  ],
  actions: ['edit', 'delete'],
  empty: { title: 'list.empty.ingresses', text: 'list.empty.ingressesText' },
}

const networkPolicies: ListDef<NetworkPolicy> = {
  resource: NETWORK_POLICIES,
  title: 'nav.networkpolicies',
  icon: 'policy',
  columns: () => [
    nameColumn(NETWORK_POLICIES),
    namespaceColumn(),
    {
      id: 'pods',
      label: t('nav.pods'),
      min: 140,
      grow: 0.6,
      cell: ({ spec }) =>
        text(pairs(spec.podSelector?.matchLabels) || t(spec.podSelector?.matchExpressions ? 'policy.byExpressions' : 'policy.allPods')),
    },
    {
      id: 'types',
      label: t('column.direction'),
      min: 110,
      drop: 5,
      cell: ({ spec }) => text((spec.policyTypes ?? ['Ingress']).join(', ')),
    },
    {
      id: 'rules',
      label: t('column.rules'),
      min: 52,
      align: 'right',
      drop: 6,
      cell: ({ spec }) => text((spec.ingress?.length ?? 0) + (spec.egress?.length ?? 0)),
    },
    ageColumn(),
  ],
  actions: ['edit', 'delete'],
  empty: { title: 'list.empty.networkpolicies', text: 'list.empty.networkpoliciesText' },
}

const readyOf = (slice: EndpointSlice) => (slice.endpoints ?? []).filter((endpoint) => endpoint.conditions?.ready !== false).length
const endpointSlices: ListDef<EndpointSlice> = {
  resource: ENDPOINT_SLICES,
  title: 'nav.endpointslices',
  icon: 'service',
  columns: () => [
    nameColumn(ENDPOINT_SLICES),
    namespaceColumn(),
    {
      id: 'service',
      label: t('kind.service'),
      min: 120,
      grow: 0.4,
      cell: ({ metadata }) => {
        const name = metadata.labels?.['kubernetes.io/service-name']
        return name ? { type: 'link', text: name, to: linkTo({ resource: SERVICES, namespace: metadata.namespace, name }) } : text('')
      },
    },
    { id: 'type', label: t('column.type'), min: 60, drop: 7, cell: (s) => text(s.addressType) },
    { id: 'ready', label: t('column.ready'), min: 60, cell: (s) => text(`${readyOf(s)}/${s.endpoints?.length ?? 0}`) },
    {
      id: 'ports',
      label: t('column.ports'),
      min: 110,
      grow: 0.4,
      drop: 6,
      cell: (s) => text((s.ports ?? []).map((p) => `${p.port ?? '*'}/${p.protocol ?? 'TCP'}`).join(', '), { mono: true }),
    },
    ageColumn(),
  ],
  actions: ['edit', 'delete'],
  empty: { title: 'list.empty.other', text: 'list.empty.otherText' },
}

export const NETWORK_LISTS = [services, ingresses, networkPolicies, endpointSlices] as const
