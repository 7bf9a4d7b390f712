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

export interface ListColumn<T> extends ColumnSpec<T> {
  readonly cell: (row: T) => Cell
}

export interface ListChip<T> {
  readonly id: string
  readonly label: PlainKey
  readonly icon: IconName
  readonly fits: (row: T, context: ListContext) => boolean
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
  readonly chips?: readonly ListChip<T>[]
  readonly actions: readonly RowAction[]
  readonly empty: { readonly title: PlainKey; readonly text: PlainKey }
  /** Smaller comes first, before the chosen order. */
  readonly first?: (row: T, context: ListContext) => number
  readonly sort?: { readonly id: string; readonly descending: boolean }
  /** Text that the filter searches beside the cells. */
  readonly haystack?: (row: T) => string
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
