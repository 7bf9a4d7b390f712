/** The columns of a kind as a table of lines takes them. */
import { listFacts } from '../../../../electron/contracts/lists/kinds.ts'
import type { KubeObject } from '../../../../electron/api/meta/v1/object.ts'
import { t } from '../../i18n/index.ts'
import type { ListLine } from '../../kube/live-rows.ts'
import type { ColumnSpec } from '../../ui/table/columns.ts'
import type { Cell, ListColumn, ListContext, ListDef } from './list-def.ts'

export interface LineColumn extends ColumnSpec<ListLine> {
  readonly cell: (object: KubeObject) => Cell
}

/** Those can be sorted by whose order the index knows. */
export function lineColumns(def: ListDef, context: ListContext): readonly LineColumn[] {
  const keys = listFacts(def.resource.group, def.resource.resource)?.keys ?? {}
  return def.columns(context).map(({ cell, ...column }: ListColumn<KubeObject>) => ({
    ...(column as Omit<ColumnSpec<ListLine>, 'sort'>),
    cell,
    ...(Object.hasOwn(keys, column.id) ? { sort: true as const } : {}),
  }))
}

export interface GroupChoice {
  readonly value: string
  readonly text: string
}

/** By what the rows of a kind can be grouped, the first being not at all. */
export function groupsOf(def: Pick<ListDef, 'resource' | 'groups'>): readonly GroupChoice[] {
  const choices = [
    ...(def.resource.namespaced ? [{ value: 'ns', text: t('list.by', { what: t('column.namespace') }) }] : []),
    ...(def.groups ?? []).map(({ id, label }) => ({ value: id, text: t('list.by', { what: t(label) }) })),
  ]
  return choices.length ? [{ value: '', text: t('list.ungrouped') }, ...choices] : []
}
