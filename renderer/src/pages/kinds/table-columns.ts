/** A server-side Table as columns and rows of our own. Cells of what the server has not printed yet are left empty. */
import type { KubeObject } from '../../../../electron/api/meta/v1/object.ts'
import { t } from '../../i18n/index.ts'
import type { Table, TableColumn } from '../../kube/api.ts'
import type { Resource } from '../../kube/resources.ts'
import { linkTo } from '../../router/links.ts'
import { refTo } from '../../actions/questions.ts'
import type { ColumnSpec } from '../../ui/table/columns.ts'
import { text, type Cell } from '../lists/list-def.ts'

export interface PrintedRow {
  readonly key: string
  readonly object: KubeObject
  readonly cells: Readonly<Record<string, Cell>>
  readonly values: Readonly<Record<string, string | number>>
  readonly haystack: string
}

const idOf = (column: TableColumn) =>
  column.format === 'name' || column.name === 'Name' ? 'name' : column.name.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')
const isAge = (column: TableColumn) => column.name === 'Age' || (column.type === 'date' && column.name.toLowerCase() === 'age')
const isNumber = (column: TableColumn) => column.type === 'integer' || column.type === 'number'

export function tableColumns(table: Table | null, resource: Resource): ColumnSpec<PrintedRow>[] {
  const printed = table?.columnDefinitions ?? [
    { name: 'Name', type: 'string', format: 'name' },
    { name: 'Age', type: 'date' },
  ]
  const columns = printed.map((column, index): ColumnSpec<PrintedRow> => {
    const id = idOf(column)
    const width =
      id === 'name'
        ? { min: 180, grow: 1.2 }
        : isAge(column)
          ? { min: 44 }
          : isNumber(column)
            ? { min: Math.max(60, column.name.length * 8) }
            : { min: 96, grow: 0.6 }
    return {
      id,
      label: column.name,
      ...(column.description ? { title: column.name } : {}),
      ...width,
      ...(isAge(column) || isNumber(column) ? { align: 'right' as const } : {}),
      ...(id === 'name' ? {} : { drop: index + (column.priority ?? 0) * 10 }),
      ...(column.priority ? { optional: true } : {}),
      sort: (row) => row.values[id] ?? '',
    }
  })
  if (!resource.namespaced) return columns
  const [first, ...rest] = columns
  const namespace: ColumnSpec<PrintedRow> = {
    id: 'ns',
    label: t('column.ns'),
    title: t('column.namespace'),
    min: 84,
    grow: 0.25,
    drop: 2,
    sort: (row) => row.object.metadata.namespace ?? '',
  }
  return first ? [first, namespace, ...rest] : [namespace]
}

export function tableRows(table: Table | null, objects: readonly KubeObject[], resource: Resource): PrintedRow[] {
  const printed = new Map((table?.rows ?? []).map((row) => [row.object?.metadata?.uid ?? '', row]))
  return objects.map((object) => {
    const row = printed.get(object.metadata.uid)
    const cells: Record<string, Cell> = { ns: text(object.metadata.namespace) }
    const values: Record<string, string | number> = {}
    for (const [index, column] of (table?.columnDefinitions ?? []).entries()) {
      const id = idOf(column)
      const value = row?.cells[index]
      if (isAge(column)) {
        cells[id] = { type: 'age', time: object.metadata.creationTimestamp }
        values[id] = -Date.parse(object.metadata.creationTimestamp)
      } else if (id !== 'name') {
        cells[id] = text(value === null || value === undefined ? '' : String(value), { title: String(value ?? '') })
        values[id] = typeof value === 'number' ? value : String(value ?? '')
      }
    }
    cells['name'] = { type: 'link', text: object.metadata.name, to: linkTo(refTo(resource, object)), strong: true }
    cells['age'] ??= { type: 'age', time: object.metadata.creationTimestamp }
    values['name'] = object.metadata.name
    const words = [
      object.metadata.name,
      object.metadata.namespace,
      ...(row?.cells ?? []),
      ...Object.entries(object.metadata.labels ?? {}).map(([k, v]) => `${k}=${v}`),
    ]
    return { key: object.metadata.uid, object, cells, values, haystack: words.join(' ').toLowerCase() }
  })
}
