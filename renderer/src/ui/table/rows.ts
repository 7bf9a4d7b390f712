/**
 * The rows of a live table in order. Sorting starts from the order before, so that a few changes among many rows cost little; while
 * `held` (the pointer is over the table) nothing changes its place.
 */
import { computed, shallowRef, watch, type ComputedRef, type Ref } from 'vue'
import type { ColumnSpec, SortState } from './columns.ts'

export interface RowOptions<T extends object> {
  readonly items: () => readonly T[]
  readonly key: (row: T) => string
  /** True for the rows to show. */
  readonly keep: () => (row: T) => boolean
  readonly columns: () => readonly ColumnSpec<T>[]
  readonly sort: Ref<SortState>
  /** Decides between equals, and must differ for different rows. */
  readonly tie: (row: T) => string
  /** Comes before the sorted column: smaller first. */
  readonly first?: () => ((row: T) => number) | null
  readonly held?: Ref<boolean>
}

export interface Rows<T> {
  readonly rows: ComputedRef<readonly T[]>
  /** How many rows would change place if they might. */
  readonly waiting: ComputedRef<number>
}

type Key = string | number
const compare = (a: Key, b: Key): number => (a < b ? -1 : a > b ? 1 : 0)

export function useRows<T extends object>(options: RowOptions<T>): Rows<T> {
  const { key, tie } = options
  let order: string[] = []

  const sorted = computed(() => {
    const keep = options.keep()
    const first = options.first?.() ?? null
    const { id, descending } = options.sort.value
    const chosen = options.columns().find((column) => column.id === id)?.sort
    const by = typeof chosen === 'function' ? chosen : tie
    const kept = new Map<string, T>()
    for (const row of options.items()) if (keep(row)) kept.set(key(row), row)
    const rows: T[] = []
    for (const known of order) {
      const row = kept.get(known)
      if (row) rows.push(row)
      kept.delete(known)
    }
    rows.push(...kept.values())

    const keys = new Map<T, { first: number; by: Key; tie: string }>()
    for (const row of rows) keys.set(row, { first: first ? first(row) : 0, by: by(row), tie: tie(row) })
    const sign = descending ? -1 : 1
    rows.sort((left, right) => {
      const a = keys.get(left)
      const b = keys.get(right)
      if (!a || !b) return 0
      return a.first - b.first || sign * compare(a.by, b.by) || compare(a.tie, b.tie)
    })
    order = rows.map(key)
    return rows
  })

  const frozen = shallowRef<readonly string[] | null>(null)
  watch(
    () => options.held?.value === true,
    (held) => (frozen.value = held ? sorted.value.map(key) : null),
    { immediate: true },
  )
  // Another order or filter that the person asked for is no jump.
  watch([options.sort, options.keep, () => options.first?.()], () => {
    if (frozen.value) frozen.value = sorted.value.map(key)
  })

  const rows = computed<readonly T[]>(() => {
    const held = frozen.value
    if (!held) return sorted.value
    const byKey = new Map(sorted.value.map((row) => [key(row), row]))
    const result: T[] = []
    for (const known of held) {
      const row = byKey.get(known)
      if (row) result.push(row)
      byKey.delete(known)
    }
    return [...result, ...byKey.values()]
  })
  const waiting = computed(() => {
    if (!frozen.value) return 0
    const now = sorted.value
    return rows.value.reduce((n, row, index) => n + (now[index] === row ? 0 : 1), 0)
  })
  return { rows, waiting }
}
