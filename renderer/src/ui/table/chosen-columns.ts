import { computed, type ComputedRef } from 'vue'
import { kept } from '../../stores/prefs.ts'
import type { ColumnSpec } from './columns.ts'

export interface ChosenColumns<T> {
  readonly all: readonly ColumnSpec<T>[]
  readonly shown: ComputedRef<readonly ColumnSpec<T>[]>
  isShown(id: string): boolean
  /** The first column always stays. */
  canHide(id: string): boolean
  toggle(id: string): void
}

const isTexts = (value: unknown): value is string[] => Array.isArray(value) && value.every((each) => typeof each === 'string')

/** Which columns of the table `table` the person wants to see; remembered. */
export function useChosenColumns<T>(table: string, all: readonly ColumnSpec<T>[]): ChosenColumns<T> {
  const hidden = kept<string[]>(
    `columns.${table}`,
    all.filter((column) => column.optional).map((column) => column.id),
    isTexts,
  )
  const isShown = (id: string) => !hidden.value.includes(id)
  return {
    all,
    shown: computed(() => all.filter((column) => isShown(column.id))),
    isShown,
    canHide: (id) => all[0]?.id !== id,
    toggle(id) {
      hidden.value = isShown(id) ? [...hidden.value, id] : hidden.value.filter((each) => each !== id)
    },
  }
}
