import type { Pod } from '../../../../electron/api/core/v1/types.gen.ts'
import { t } from '../../i18n/index.ts'
import { podView } from '../../kube/pod-status.ts'
import { TONE_RANK } from '../../kube/tone.ts'
import { wallClock } from '../../time/clock.ts'
import type { ColumnSpec } from '../../ui/table/columns.ts'

const view = (pod: Pod) => podView(pod, wallClock())
/** Larger is younger, so that ascending is youngest first. */
const age = (pod: Pod) => -Date.parse(pod.metadata.creationTimestamp)

export const podColumns = (): readonly ColumnSpec<Pod>[] => [
  { id: 'name', label: t('column.name'), min: 190, grow: 1.5, sort: (pod) => pod.metadata.name },
  {
    id: 'ns',
    label: t('column.ns'),
    title: t('column.namespace'),
    min: 76,
    grow: 0.4,
    drop: 4,
    sort: (pod) => pod.metadata.namespace ?? '',
  },
  { id: 'ready', label: t('column.ready'), min: 42, drop: 2, sort: (pod) => view(pod).ready - view(pod).total },
  { id: 'status', label: t('column.status'), min: 142, grow: 0.4, sort: (pod) => `${TONE_RANK[view(pod).tone]}${view(pod).word}` },
  { id: 'restarts', label: t('column.restarts'), min: 64, grow: 0.2, drop: 3, sort: (pod) => -view(pod).restarts },
  { id: 'node', label: t('column.node'), min: 90, grow: 0.4, drop: 6, sort: (pod) => pod.spec.nodeName ?? '' },
  { id: 'ip', label: t('column.ip'), min: 92, grow: 0.2, drop: 7, sort: (pod) => ipKey(pod.status?.podIP) },
  { id: 'age', label: t('column.age'), min: 40, align: 'right', drop: 5, sort: age },
]

const ipKey = (ip: string | undefined) =>
  (ip ?? '')
    .split('.')
    .map((part) => part.padStart(3, '0'))
    .join('.')

export const podHaystack = (pod: Pod): string =>
  [
    pod.metadata.name,
    pod.metadata.namespace,
    pod.spec.nodeName,
    pod.status?.podIP,
    view(pod).word,
    ...pod.spec.containers.map((c) => c.image),
    ...Object.entries(pod.metadata.labels ?? {}).map(([k, v]) => `${k}=${v}`),
  ].join(' ')
