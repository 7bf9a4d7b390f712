/** A list of one kind, as data: its columns, chips, and what can be done with a row. */
import type { RouteLocationRaw } from 'vue-router'
import type { KubeObject } from '../../../../electron/api/meta/v1/object.ts'
import type { PlainKey } from '../../i18n/index.ts'
import type { PodView } from '../../kube/pod-status.ts'
import type { Resource } from '../../kube/resources.ts'
import type { Tone } from '../../kube/tone.ts'
import type { IconName } from '../../ui/icons.ts'
import type { ColumnSpec } from '../../ui/table/columns.ts'

export type Cell =
  | {
      readonly type: 'text'
      readonly text: string
      readonly mono?: boolean
      readonly dim?: boolean
      readonly tone?: Tone
      readonly title?: string
    }
  | { readonly type: 'status'; readonly tone: Tone; readonly word: string; readonly title?: string }
  | { readonly type: 'age'; readonly time: string | undefined }
  | { readonly type: 'link'; readonly text: string; readonly to: RouteLocationRaw | null; readonly strong?: boolean }

export interface ListColumn<T> extends Omit<ColumnSpec<T>, 'sort'> {
  readonly cell: (row: T) => Cell
}

/** What it holds is among the kind's facts, under the same id. */
export interface ListChip {
  readonly id: string
  readonly label: PlainKey
  readonly icon: IconName
}

export type RowAction = 'scale' | 'restart' | 'pause' | 'run' | 'suspend' | 'edit' | 'delete'

/** What a list shows beside its own objects. */
export interface ListContext {
  /** The worst of the pods of a workload, if one is in trouble. */
  readonly trouble: (workload: KubeObject) => PodView | undefined
}

export interface ListDef<T extends KubeObject = KubeObject> {
  readonly resource: Resource
  readonly title: PlainKey
  readonly icon: IconName
  readonly columns: (context: ListContext) => readonly ListColumn<T>[]
  readonly chips?: readonly ListChip[]
  /** By what it can be grouped beside namespace and owner: ids of the kind's facts. */
  readonly groups?: readonly { readonly id: string; readonly label: PlainKey }[]
  readonly actions: readonly RowAction[]
  readonly empty: { readonly title: PlainKey; readonly text: PlainKey }
  readonly sort?: { readonly id: string; readonly descending: boolean }
  /** Where a row leads, if not to its own page. */
  readonly open?: (row: T) => RouteLocationRaw | null
}

export const text = (
  value: string | number | undefined | null,
  more: { mono?: boolean; dim?: boolean; tone?: Tone; title?: string } = {},
): Cell => {
  const shown = value === undefined || value === null || value === '' ? '–' : String(value)
  return { type: 'text', text: shown, ...(shown === '–' ? { dim: true } : {}), ...more }
}
