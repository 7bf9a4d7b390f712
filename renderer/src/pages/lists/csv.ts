/** A list as comma-separated values (RFC 4180), as it is ordered and filtered, with the columns that are shown. */
import type { ListLine } from '../../kube/live-rows.ts'
import { fullTime } from '../../time/format.ts'
import type { ListViewState } from '../../stores/list-view.ts'
import type { Cell } from './list-def.ts'
import type { LineColumn } from './line-columns.ts'

const quoted = (value: string) => (/[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value)

/** What a cell says; a time in full. */
export function cellText(cell: Cell): string {
  switch (cell.type) {
    case 'status':
      return cell.word
    case 'age':
      return cell.time === undefined ? '' : fullTime(cell.time)
    case 'text':
    case 'link':
      return cell.text === '–' ? '' : cell.text
  }
}

export const csvLine = (values: readonly string[]): string => values.map(quoted).join(',')

type Labelled = { readonly id: string; readonly label: string; readonly title?: string }

export async function copyLines<C extends Labelled>(
  list: Pick<ListViewState, 'everything'>,
  columns: readonly C[],
  cell: (column: C, line: ListLine) => Cell,
): Promise<void> {
  const lines = [csvLine(columns.map((column) => column.title ?? column.label))]
  for await (const piece of list.everything())
    for (const line of piece) if (!line.group) lines.push(csvLine(columns.map((column) => cellText(cell(column, line)))))
  await navigator.clipboard.writeText(`${lines.join('\r\n')}\r\n`)
}

export async function copyCsv(
  list: Pick<ListViewState, 'everything'>,
  columns: readonly LineColumn[],
  shown: readonly { readonly id: string }[],
): Promise<void> {
  const taken = columns.filter((column) => shown.some(({ id }) => id === column.id))
  await copyLines(list, taken, (column, line) => (line.group ? { type: 'text', text: '' } : column.cell(line.object)))
}
