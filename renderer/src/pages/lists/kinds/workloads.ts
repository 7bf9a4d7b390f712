/** Workloads with a rollout. */
import type { DaemonSet, Deployment, ReplicaSet, StatefulSet } from '../../../../../electron/api/apps/v1/types.gen.ts'
import type { KubeObject } from '../../../../../electron/api/meta/v1/object.ts'
import { revisionOf } from '../../../actions/workloads.ts'
import { t } from '../../../i18n/index.ts'
import { controllerOf, ownerAddress } from '../../../kube/owners.ts'
import { DAEMON_SETS, DEPLOYMENTS, REPLICA_SETS, STATEFUL_SETS } from '../../../kube/resources.ts'
import { linkTo } from '../../../router/links.ts'
import { daemonSetView, deploymentView, replicaSetView, statefulSetView, type WorkloadView } from '../../object/workload.ts'
import { ageColumn, imagesColumn, nameColumn, namespaceColumn, pairs } from '../columns.ts'
import { text, type ListColumn, type ListContext, type ListDef } from '../list-def.ts'

const readyColumn = <T extends KubeObject>(view: (row: T) => WorkloadView, { trouble }: ListContext): ListColumn<T> => ({
  id: 'ready',
  label: t('column.ready'),
  min: 52,
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
  cell: (row) => {
    const { tone, word, message = '' } = trouble(row) ?? view(row)
    return { type: 'status', tone, word, title: message }
  },
})
const number = (value: number | undefined) => text(value ?? 0, value ? {} : { dim: true })

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
      cell: (d) => text(revisionOf(d) || ''),
    },
    ageColumn(),
  ],
  chips: [
    { id: 'stuck', label: 'list.chip.trouble', icon: 'err' },
    { id: 'rolling', label: 'list.chip.rolling', icon: 'busy' },
    { id: 'paused', label: 'list.chip.paused', icon: 'paused' },
  ],
  actions: ['scale', 'restart', 'pause', 'edit', 'delete'],
  empty: { title: 'list.empty.deployments', text: 'list.empty.deploymentsText' },
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
      cell: (s) => text(revisionOf(s) || ''),
    },
    ageColumn(),
  ],
  chips: [{ id: 'current', label: 'list.chip.inUse', icon: 'ok' }],
  actions: ['scale', 'edit', 'delete'],
  empty: { title: 'list.empty.replicasets', text: 'list.empty.replicasetsText' },
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
}

const statefulSets: ListDef<StatefulSet> = {
  resource: STATEFUL_SETS,
  title: 'nav.statefulsets',
  icon: 'statefulset',
  columns: (context) => [
    nameColumn(STATEFUL_SETS),
    namespaceColumn(),
    readyColumn(statefulSetView, context),
    statusColumn(statefulSetView, context),
    { id: 'updated', label: t('column.updated'), min: 56, align: 'right', drop: 7, cell: (s) => number(s.status.updatedReplicas) },
    { id: 'service', label: t('kind.service'), min: 100, grow: 0.4, drop: 8, cell: (s) => text(s.spec.serviceName) },
    imagesColumn(),
    ageColumn(),
  ],
  chips: [{ id: 'stuck', label: 'list.chip.trouble', icon: 'err' }],
  actions: ['scale', 'restart', 'edit', 'delete'],
  empty: { title: 'list.empty.statefulsets', text: 'list.empty.statefulsetsText' },
}

export const WORKLOAD_LISTS = [deployments, replicaSets, daemonSets, statefulSets] as const
