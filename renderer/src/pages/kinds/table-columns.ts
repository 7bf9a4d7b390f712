/** What the server prints of a kind, as columns and cells of our own. */
import type { ListColumnSpec } from '../../../../electron/contracts/list-channels.ts'
import { columnId } from '../../../../electron/contracts/lists/printed.ts'
import { refTo } from '../../actions/questions.ts'
import { t } from '../../i18n/index.ts'
import type { ListLine } from '../../kube/live-rows.ts'
import type { Resource } from '../../kube/resources.ts'
import { linkTo } from '../../router/links.ts'
import type { ColumnSpec } from '../../ui/table/columns.ts'
import { text, type Cell } from '../lists/list-def.ts'

const isAge = (column: ListColumnSpec) => column.name === 'Age'
const isNumber = (column: ListColumnSpec) => column.type === 'integer' || column.type === 'number'

function widthOf(column: ListColumnSpec, id: string): Pick<ColumnSpec<ListLine>, 'min' | 'grow'> {
  if (id === 'name') return { min: 180, grow: 1.2 }
  if (isAge(column)) return { min: 44 }
  return isNumber(column) ? { min: Math.max(60, column.name.length * 8) } : { min: Math.max(90, column.name.length * 8), grow: 0.6 }
}

export function printedColumns(printed: readonly ListColumnSpec[], resource: Resource): ColumnSpec<ListLine>[] {
  const columns = printed.map((column, index): ColumnSpec<ListLine> => {
    const id = columnId(column)
    return {
      id,
      label: column.name,
      ...(column.description ? { title: column.name } : {}),
      ...widthOf(column, id),
      ...(isAge(column) || isNumber(column) ? { align: 'right' as const } : {}),
      ...(id === 'name' ? {} : { drop: index + (column.priority ?? 0) * 10 }),
      ...(column.priority ? { optional: true } : {}),
      sort: true,
    }
  })
  if (!columns.some((column) => column.id === 'age'))
    columns.push({ id: 'age', label: t('column.age'), min: 44, align: 'right', sort: true })
  if (!resource.namespaced) return columns
  const [first, ...rest] = columns
  const namespace = { id: 'ns', label: t('column.ns'), title: t('column.namespace'), min: 84, grow: 0.25, drop: 2, sort: true as const }
  return first ? [first, namespace, ...rest] : [namespace]
}

/** The cell of a column in a line; columns come in the order in which cells were printed. */
export function printedCell(printed: readonly ListColumnSpec[], resource: Resource, id: string, line: ListLine): Cell {
  if (line.group) return text('')
  const { object, cells } = line
  if (id === 'name') return { type: 'link', text: object.metadata.name, to: linkTo(refTo(resource, object)), strong: true }
  if (id === 'ns') return text(object.metadata.namespace)
  if (id === 'age') return { type: 'age', time: object.metadata.creationTimestamp }
  const value = cells?.[printed.findIndex((column) => columnId(column) === id)]
  const shown = value === null || value === undefined ? '' : String(value)
  return text(shown, { title: shown })
}
