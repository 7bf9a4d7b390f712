/** Columns that the server prints, for kinds that the UI has no list of its own for. */
import type { Column } from '../../api/kind.ts'
import type { KubeObject } from '../../api/meta/v1/object.ts'
import { facts, type ListFacts, type SortKey } from './facts.ts'

/** Of a column of the server, as the window and the index call it. */
export const columnId = (column: { readonly name: string; readonly format?: string | undefined }): string =>
  column.format === 'name' || column.name === 'Name' ? 'name' : column.name.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')

const sortable = (value: string | number | boolean | null): SortKey => (typeof value === 'number' ? value : String(value ?? ''))

/** Rows are ordered and searched by what is printed. */
export function printedFacts(columns: readonly Column<KubeObject>[]): ListFacts {
  const keys: Record<string, ListFacts['keys'][string]> = {}
  for (const column of columns) {
    const id = columnId(column)
    if (id !== 'age' && id !== 'name') keys[id] = (object, { now }) => sortable(column.value(object, now))
  }
  return facts({ keys, words: (object, { now }) => columns.map((column) => String(column.value(object, now) ?? '')) })
}
