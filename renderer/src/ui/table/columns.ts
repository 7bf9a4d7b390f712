/** What a table shows of a row, and in which order rows come. */
export interface ColumnSpec<T> {
  readonly id: string
  readonly label: string
  /** The label is only said, not shown: what is in the column speaks for itself. */
  readonly quiet?: boolean
  /** More words for the header's tooltip. */
  readonly title?: string
  /** Pixels that it needs at least. */
  readonly min: number
  /** Its share of what is left over; absent: it keeps to `min`. */
  readonly grow?: number
  readonly align?: 'right'
  /** Columns with the largest number leave first where there is no room; absent: it stays. */
  readonly drop?: number
  /** Not shown until the person asks for it. */
  readonly optional?: boolean
  /** By what rows are ordered, or that somebody else orders them by this column. */
  readonly sort?: ((row: T) => string | number) | true
}

export interface SortState {
  readonly id: string
  readonly descending: boolean
}

export const GAP = 14

/** The columns that fit into `width` pixels, in their order. */
export function fitting<T>(columns: readonly ColumnSpec<T>[], width: number): readonly ColumnSpec<T>[] {
  const shown = new Set(columns)
  const needed = () => [...shown].reduce((sum, column) => sum + column.min + GAP, 0)
  for (const column of columns.filter((c) => c.drop !== undefined).toSorted((a, b) => (b.drop ?? 0) - (a.drop ?? 0))) {
    if (needed() <= width) break
    shown.delete(column)
  }
  return columns.filter((column) => shown.has(column))
}

/** CSS grid tracks. */
export function tracks<T>(columns: readonly ColumnSpec<T>[]): string {
  return columns.map((c) => (c.grow ? `minmax(${c.min}px, ${c.grow}fr)` : `${c.min}px`)).join(' ')
}
