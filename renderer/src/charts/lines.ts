/** What a chart over time shows, and what it tells in words. */

export interface ChartLine {
  readonly label: string
  /** One for each step; null where nothing was measured. */
  readonly values: readonly (number | null)[]
  /** Name of a token: "src-1". */
  readonly color: string
  /** A bound, not a measurement: drawn dashed. */
  readonly bound?: boolean
}

export interface Extent {
  readonly now: number | null
  readonly least: number | null
  readonly most: number | null
}

export function extentOf(values: readonly (number | null)[]): Extent {
  let least: number | null = null
  let most: number | null = null
  for (const value of values) {
    if (value === null) continue
    if (least === null || value < least) least = value
    if (most === null || value > most) most = value
  }
  return { now: values.at(-1) ?? values.at(-2) ?? null, least, most }
}

/** Means of as many steps that at most `rows` are left; the newest first. */
export function tableOf(
  start: number,
  step: number,
  lines: readonly ChartLine[],
  rows: number,
): { readonly at: number; readonly values: (number | null)[] }[] {
  const count = lines[0]?.values.length ?? 0
  const width = Math.max(1, Math.ceil(count / rows))
  const table: { at: number; values: (number | null)[] }[] = []
  for (let from = 0; from < count; from += width) {
    const values = lines.map(({ values: all }) => {
      const known = all.slice(from, from + width).filter((value) => value !== null)
      return known.length ? known.reduce((sum, value) => sum + value, 0) / known.length : null
    })
    table.push({ at: start + from * step, values })
  }
  return table.toReversed()
}
