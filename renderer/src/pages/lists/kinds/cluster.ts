/** The cluster itself. */
import type { CustomResourceDefinition } from '../../../../../electron/api/apiextensions/v1/types.gen.ts'
import type { Namespace, Node } from '../../../../../electron/api/core/v1/types.gen.ts'
import { t } from '../../../i18n/index.ts'
import { addressOf, machineRow } from '../../../kube/machine-rows.ts'
import { amount, bytes, cores } from '../../../kube/quantity.ts'
import { DEFINITIONS, NAMESPACES, NODES } from '../../../kube/resources.ts'
import { linkToList } from '../../../router/links.ts'
import { ageColumn, nameColumn, pairs } from '../columns.ts'
import { text, type ListDef } from '../list-def.ts'

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

const definitions: ListDef<CustomResourceDefinition> = {
  resource: DEFINITIONS,
  title: 'nav.definitions',
  icon: 'definition',
  columns: () => [
    {
      id: 'kind',
      label: t('column.kind'),
      min: 150,
      grow: 0.5,
      cell: ({ spec }) => {
        const version = spec.versions.find((each) => each.storage)?.name ?? ''
        const to = linkToList({
          group: spec.group,
          version,
          resource: spec.names.plural,
          kind: spec.names.kind,
          namespaced: spec.scope === 'Namespaced',
        })
        return { type: 'link', text: spec.names.kind, to, strong: true }
      },
    },
    { id: 'group', label: t('column.group'), min: 140, grow: 0.6, cell: ({ spec }) => text(spec.group) },
    {
      id: 'status',
      label: t('column.status'),
      min: 120,
      cell: ({ status }) => {
        const established = status?.conditions?.some((c) => c.type === 'Established' && c.status === 'True')
        const refused = status?.conditions?.find((c) => c.type === 'NamesAccepted' && c.status === 'False')
        if (refused) return { type: 'status', tone: 'err', word: t('definition.refused'), title: refused.message ?? '' }
        return { type: 'status', tone: established ? 'ok' : 'busy', word: t(established ? 'definition.served' : 'workload.starting') }
      },
    },
    {
      id: 'versions',
      label: t('column.versions'),
      min: 100,
      drop: 5,
      cell: ({ spec }) =>
        text(
          spec.versions
            .filter((v) => v.served)
            .map((v) => v.name)
            .join(', '),
        ),
    },
    { id: 'scope', label: t('column.scope'), min: 90, drop: 6, cell: ({ spec }) => text(spec.scope) },
    { ...nameColumn<CustomResourceDefinition>(DEFINITIONS), drop: 7 },
    ageColumn(),
  ],
  actions: ['edit', 'delete'],
  sort: { id: 'group', descending: false },
  empty: { title: 'list.empty.definitions', text: 'list.empty.definitionsText' },
}

export const CLUSTER_LISTS = [namespaces, nodes, definitions] as const
