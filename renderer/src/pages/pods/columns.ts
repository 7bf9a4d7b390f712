import { t } from '../../i18n/index.ts'
import type { ListLine } from '../../kube/live-rows.ts'
import type { ColumnSpec } from '../../ui/table/columns.ts'

const sort = true as const

export const podColumns = (): readonly ColumnSpec<ListLine>[] => [
  { id: 'name', label: t('column.name'), min: 190, grow: 1.5, sort },
  { id: 'ns', label: t('column.ns'), title: t('column.namespace'), min: 76, grow: 0.4, drop: 4, sort },
  { id: 'ready', label: t('column.ready'), min: 42, drop: 2, sort },
  { id: 'status', label: t('column.status'), min: 142, grow: 0.4, sort },
  { id: 'restarts', label: t('column.restarts'), min: 64, grow: 0.2, drop: 3, sort },
  { id: 'node', label: t('column.node'), min: 90, grow: 0.4, drop: 6, sort },
  { id: 'ip', label: t('column.ip'), min: 92, grow: 0.2, drop: 7, sort },
  { id: 'age', label: t('column.age'), min: 40, align: 'right', drop: 5, sort },
]

export const POD_CHIPS = [
  { id: 'failing', label: 'pods.chip.failing', icon: 'err' },
  { id: 'waiting', label: 'pods.chip.waiting', icon: 'warn' },
  { id: 'starting', label: 'pods.chip.starting', icon: 'busy' },
  { id: 'restarted', label: 'pods.chip.restarted', icon: 'retry' },
] as const

export const podGroups = () =>
  [
    { value: '', text: t('list.ungrouped') },
    ...(['ns', 'node', 'owner', 'status'] as const).map((value) => ({
      value,
      text: t('list.by', { what: t(value === 'ns' ? 'column.namespace' : `column.${value}`) }),
    })),
  ] as const
