/** The lists of the kinds that the UI knows. */
import type { DaemonSet, Deployment, ReplicaSet, StatefulSet } from '../../../../electron/api/apps/v1/types.gen.ts'
import type { ConfigMap, Namespace, Node, Secret, Service } from '../../../../electron/api/core/v1/types.gen.ts'
import { revisionOf } from '../../actions/workloads.ts'
import { t } from '../../i18n/index.ts'
import type { KubeObject } from '../../../../electron/api/meta/v1/object.ts'
import type { PodView } from '../../kube/pod-status.ts'
import { TONE_RANK } from '../../kube/tone.ts'
import { shortImage } from '../../kube/images.ts'
import { addressOf, machineRow } from '../../kube/machine-rows.ts'
import { controllerOf, ownerAddress } from '../../kube/owners.ts'
import { bytes, cores, amount } from '../../kube/quantity.ts'
import {
  CONFIG_MAPS,
  DAEMON_SETS,
  DEPLOYMENTS,
  NAMESPACES,
  NODES,
  REPLICA_SETS,
  SECRETS,
  SERVICES,
  STATEFUL_SETS,
} from '../../kube/resources.ts'
import { linkTo } from '../../router/links.ts'
import { daemonSetView, deploymentView, replicaSetView, type WorkloadView } from '../object/workload.ts'
import { ageColumn, nameColumn, namespaceColumn, pairs } from './columns.ts'
import { EVENT_LIST } from './events.ts'
import { text, type ListColumn, type ListContext, type ListDef } from './list-def.ts'

const images = (spec: { template: { spec: { containers: readonly { image?: string }[] } } }) =>
  spec.template.spec.containers.map((c) => c.image ?? '')
const imagesColumn = <T extends { spec: Parameters<typeof images>[0] }>(): ListColumn<T> => ({
  id: 'images',
  label: t('column.images'),
  min: 130,
  grow: 0.7,
  drop: 6,
  sort: (row) => images(row.spec).join(),
  cell: (row) => text(images(row.spec).map(shortImage).join(', '), { title: images(row.spec).join(', ') }),
})
const readyColumn = <T extends KubeObject>(view: (row: T) => WorkloadView, { trouble }: ListContext): ListColumn<T> => ({
  id: 'ready',
  label: t('column.ready'),
  min: 52,
  sort: (row) => view(row).ready - view(row).wanted,
  cell: (row) => ({
    ...text(`${view(row).ready}/${view(row).wanted}`),
    ...(view(row).tone === 'err' || trouble(row)?.tone === 'err' ? { tone: 'err' as const } : {}),
  }),
})
/** The worst of its pods says more than the controller, which only waits. */
const statusColumn = <T extends KubeObject>(view: (row: T) => WorkloadView, { trouble }: ListContext): ListColumn<T> => ({
  id: 'status',
  label: t('column.status'),
  min: 142,
  sort: (row) => trouble(row)?.word ?? view(row).word,
  cell: (row) => {
    const { tone, word, message = '' } = trouble(row) ?? view(row)
    return { type: 'status', tone, word, title: message }
  },
})
const number = (value: number | undefined) => text(value ?? 0, value ? {} : { dim: true })
const worst = (view: WorkloadView, pod: PodView | undefined) => Math.min(TONE_RANK[view.tone], pod ? TONE_RANK[pod.tone] : 2, 2)

const deployments: ListDef<Deployment> = {
  resource: DEPLOYMENTS,
  title: 'nav.deployments',
  icon: 'deployment',
  columns: (context) => [
    nameColumn(DEPLOYMENTS),
    namespaceColumn(),
    readyColumn(deploymentView, context),
    statusColumn(deploymentView, context),
    { id: 'updated', label: t('column.updated'), min: 56, align: 'right', drop: 7, cell: (d) => number(d.status?.updatedReplicas) },
    { id: 'available', label: t('column.available'), min: 62, align: 'right', drop: 8, cell: (d) => number(d.status?.availableReplicas) },
    imagesColumn(),
    {
      id: 'revision',
      label: t('column.revision'),
      min: 56,
      align: 'right',
      drop: 9,
      sort: revisionOf,
      cell: (d) => text(revisionOf(d) || ''),
    },
    ageColumn(),
  ],
  chips: [
    { id: 'stuck', label: 'list.chip.trouble', icon: 'err', fits: (d, { trouble }) => worst(deploymentView(d), trouble(d)) < 2 },
    { id: 'rolling', label: 'list.chip.rolling', icon: 'busy', fits: (d) => deploymentView(d).tone === 'busy' },
    { id: 'paused', label: 'list.chip.paused', icon: 'paused', fits: (d) => d.spec.paused === true },
  ],
  actions: ['scale', 'restart', 'pause', 'edit', 'delete'],
  empty: { title: 'list.empty.deployments', text: 'list.empty.deploymentsText' },
  first: (d, { trouble }) => worst(deploymentView(d), trouble(d)),
  haystack: (d) => images(d.spec).join(' '),
}

const replicaSets: ListDef<ReplicaSet> = {
  resource: REPLICA_SETS,
  title: 'nav.replicasets',
  icon: 'replicaset',
  columns: (context) => [
    nameColumn(REPLICA_SETS),
    namespaceColumn(),
    readyColumn(replicaSetView, context),
    statusColumn(replicaSetView, context),
    {
      id: 'owner',
      label: t('column.owner'),
      min: 130,
      grow: 0.5,
      drop: 5,
      cell: (s) => {
        const owner = controllerOf(s)
        const to = owner && ownerAddress(owner, s.metadata.namespace)
        return owner ? { type: 'link', text: `${owner.kind} ${owner.name}`, to: to ? linkTo(to) : null } : text('')
      },
    },
    imagesColumn(),
    {
      id: 'revision',
      label: t('column.revision'),
      min: 56,
      align: 'right',
      drop: 7,
      sort: revisionOf,
      cell: (s) => text(revisionOf(s) || ''),
    },
    ageColumn(),
  ],
  chips: [{ id: 'current', label: 'list.chip.inUse', icon: 'ok', fits: (s) => (s.spec.replicas ?? 1) > 0 }],
  actions: ['scale', 'edit', 'delete'],
  empty: { title: 'list.empty.replicasets', text: 'list.empty.replicasetsText' },
  first: (s, { trouble }) => worst(replicaSetView(s), trouble(s)),
}

const daemonSets: ListDef<DaemonSet> = {
  resource: DAEMON_SETS,
  title: 'nav.daemonsets',
  icon: 'daemonset',
  columns: (context) => [
    nameColumn(DAEMON_SETS),
    namespaceColumn(),
    readyColumn(daemonSetView, context),
    statusColumn(daemonSetView, context),
    { id: 'updated', label: t('column.updated'), min: 56, align: 'right', drop: 7, cell: (d) => number(d.status?.updatedNumberScheduled) },
    {
      id: 'selector',
      label: t('column.machines'),
      min: 120,
      grow: 0.4,
      drop: 8,
      cell: (d) => text(pairs(d.spec.template.spec.nodeSelector) || t('daemonset.everyMachine')),
    },
    imagesColumn(),
    ageColumn(),
  ],
  actions: ['restart', 'edit', 'delete'],
  empty: { title: 'list.empty.daemonsets', text: 'list.empty.daemonsetsText' },
  first: (d, { trouble }) => worst(daemonSetView(d), trouble(d)),
}

const statefulSets: ListDef<StatefulSet> = {
  resource: STATEFUL_SETS,
  title: 'nav.statefulsets',
  icon: 'replicaset',
  columns: () => [
    nameColumn(STATEFUL_SETS),
    namespaceColumn(),
    { id: 'ready', label: t('column.ready'), min: 52, cell: (s) => text(`${s.status?.readyReplicas ?? 0}/${s.spec.replicas ?? 1}`) },
    imagesColumn(),
    ageColumn(),
  ],
  actions: ['scale', 'restart', 'edit', 'delete'],
  empty: { title: 'list.empty.other', text: 'list.empty.otherText' },
}

const portText = (service: Service) =>
  (service.spec.ports ?? []).map((p) => `${p.port}${p.nodePort ? `:${p.nodePort}` : ''}/${p.protocol ?? 'TCP'}`).join(', ')

const services: ListDef<Service> = {
  resource: SERVICES,
  title: 'nav.services',
  icon: 'service',
  columns: () => [
    nameColumn(SERVICES),
    namespaceColumn(),
    { id: 'type', label: t('column.type'), min: 92, drop: 5, sort: (s) => s.spec.type ?? '', cell: (s) => text(s.spec.type) },
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

/** Bytes of text in a ConfigMap or, decoded, in a Secret. */
const sizeOf = (data: Readonly<Record<string, string>> | undefined, factor = 1) =>
  Object.values(data ?? {}).reduce((n, value) => n + value.length * factor, 0)

const configMaps: ListDef<ConfigMap> = {
  resource: CONFIG_MAPS,
  title: 'nav.configmaps',
  icon: 'configmap',
  columns: () => [
    nameColumn(CONFIG_MAPS),
    namespaceColumn(),
    {
      id: 'keys',
      label: t('column.keys'),
      min: 160,
      grow: 1,
      drop: 5,
      cell: (c) => text(Object.keys({ ...c.data, ...c.binaryData }).join(', ')),
    },
    {
      id: 'size',
      label: t('column.size'),
      min: 60,
      align: 'right',
      drop: 6,
      sort: (c) => -sizeOf(c.data),
      cell: (c) => text(bytes(sizeOf(c.data) + sizeOf(c.binaryData, 0.75))),
    },
    ageColumn(),
  ],
  actions: ['edit', 'delete'],
  empty: { title: 'list.empty.configmaps', text: 'list.empty.configmapsText' },
}

const secrets: ListDef<Secret> = {
  resource: SECRETS,
  title: 'nav.secrets',
  icon: 'secret',
  columns: () => [
    nameColumn(SECRETS),
    namespaceColumn(),
    { id: 'type', label: t('column.type'), min: 150, grow: 0.5, drop: 4, sort: (s) => s.type ?? '', cell: (s) => text(s.type) },
    { id: 'keys', label: t('column.keys'), min: 140, grow: 0.8, drop: 5, cell: (s) => text(Object.keys(s.data ?? {}).join(', ')) },
    ageColumn(),
  ],
  actions: ['edit', 'delete'],
  empty: { title: 'list.empty.secrets', text: 'list.empty.secretsText' },
}

const namespaces: ListDef<Namespace> = {
  resource: NAMESPACES,
  title: 'nav.namespaces',
  icon: 'namespace',
  columns: () => [
    nameColumn(NAMESPACES),
    {
      id: 'status',
      label: t('column.status'),
      min: 110,
      cell: (n) => ({ type: 'status', tone: n.status?.phase === 'Terminating' ? 'busy' : 'ok', word: n.status?.phase ?? 'Active' }),
    },
    { id: 'labels', label: t('pod.labels'), min: 160, grow: 1, drop: 5, cell: (n) => text(pairs(n.metadata.labels)) },
    ageColumn(),
  ],
  actions: ['edit', 'delete'],
  empty: { title: 'list.empty.other', text: 'list.empty.otherText' },
}

const rowOf = (node: Node) => machineRow(node.metadata.name, undefined, node)
const nodes: ListDef<Node> = {
  resource: NODES,
  title: 'nav.nodes',
  icon: 'node',
  columns: () => [
    nameColumn(NODES),
    {
      id: 'status',
      label: t('column.status'),
      min: 148,
      sort: (n) => rowOf(n).word,
      cell: (n) => ({ type: 'status', tone: rowOf(n).tone, word: rowOf(n).word }),
    },
    { id: 'address', label: t('column.address'), min: 110, drop: 5, cell: (n) => text(addressOf({ node: n }), { mono: true }) },
    {
      id: 'cpu',
      label: t('capacity.cpu'),
      min: 48,
      align: 'right',
      drop: 6,
      cell: (n) => text(cores(amount(n.status.allocatable?.['cpu']))),
    },
    {
      id: 'memory',
      label: t('capacity.memory'),
      min: 64,
      align: 'right',
      drop: 6,
      cell: (n) => text(bytes(amount(n.status.allocatable?.['memory']))),
    },
    {
      id: 'taints',
      label: t('machines.taints'),
      min: 120,
      grow: 0.6,
      drop: 8,
      cell: (n) => text((n.spec.taints ?? []).map((x) => `${x.key}:${x.effect}`).join(', ')),
    },
    { id: 'version', label: t('column.version'), min: 74, drop: 7, cell: (n) => text(n.status.nodeInfo?.kubeletVersion) },
    ageColumn(),
  ],
  actions: ['edit'],
  empty: { title: 'list.empty.nodes', text: 'list.empty.nodesText' },
}

const DEFS: readonly ListDef<never>[] = [
  deployments,
  replicaSets,
  daemonSets,
  statefulSets,
  services,
  configMaps,
  secrets,
  namespaces,
  nodes,
  EVENT_LIST,
]

export const listDef = (resource: string): ListDef | undefined =>
  (DEFS as readonly unknown[] as readonly ListDef[]).find((def) => def.resource.resource === resource)
