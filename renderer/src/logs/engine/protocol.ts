/** What window and log worker say to each other. */

/** A place where lines may be missing, or where a container began anew. Times in milliseconds since the epoch. */
export type MarkView =
  | {
      readonly kind: 'gap'
      readonly lostAt: number
      readonly backAt: number
      /** While what was missed is being fetched; then whether it is known to be all. */
      readonly state: 'open' | 'whole' | 'maybe'
      readonly recovered: number
    }
  | { readonly kind: 'restart' }

export interface LogRow {
  readonly id: number
  readonly source: number
  readonly sec: number
  readonly nano: number
  /** Index in LEVELS. */
  readonly level: number
  readonly text: string
  readonly mark?: MarkView
}

/** What there is, and what is on screen of it. */
export interface LogSnapshot {
  readonly version: number
  /** Lines that came; that are kept; that had to go. */
  readonly total: number
  readonly held: number
  readonly dropped: number
  readonly bytes: number
  /** Kept lines by level, and by source. */
  readonly counts: readonly number[]
  readonly bySource: readonly number[]
  /** Of the first and the last line that are kept, milliseconds since the epoch. */
  readonly firstMs: number | null
  readonly lastMs: number | null
  /** Rows that pass the filters, up to where the view is held. */
  readonly rows: number
  /** Rows that came since it was held. */
  readonly newer: number
  /** What is searched for, as it was typed, and in how many of the rows it is. */
  readonly typed: string
  readonly matches: number
  /** The search has not looked at everything yet. */
  readonly searching: boolean
  readonly hit: { readonly id: number; readonly ordinal: number } | null
  /** Which request for a window this answers. */
  readonly window: number
  /** Index of the first of `lines`. */
  readonly from: number
  readonly lines: readonly LogRow[]
}

export type Operation =
  /** `untilMs`: later lines are not wanted; null: all are. */
  | { readonly op: 'source'; readonly source: number; readonly label: string; readonly untilMs: number | null }
  | { readonly op: 'push'; readonly source: number; readonly bytes: Uint8Array }
  | { readonly op: 'flush'; readonly source: number }
  /** Lines come again from the last one on; with `gap` the break is marked. */
  | { readonly op: 'resume'; readonly source: number; readonly gap: { readonly lostAt: number; readonly backAt: number } | null }
  /** All that was missed has come, as far as can be told. */
  | { readonly op: 'settle'; readonly source: number }
  | { readonly op: 'restart'; readonly source: number }
  /** Answered with the time of the source's last line, RFC 3339, or "". */
  | { readonly op: 'lastTime'; readonly source: number }
  | { readonly op: 'clear' }
  | { readonly op: 'filter'; readonly typed: string; readonly only: boolean; readonly level: number; readonly hidden: readonly number[] }
  /** What is on screen; with `follow` the last `count` rows, whatever comes. */
  | { readonly op: 'window'; readonly window: number; readonly from: number; readonly count: number; readonly follow: boolean }
  /** What comes from now on is not shown until it is let go. */
  | { readonly op: 'hold'; readonly on: boolean }
  /** To the next match, or the one before; answered with its index, -1 if there is none. */
  | { readonly op: 'step'; readonly by: 1 | -1 }
  | { readonly op: 'timeIndex'; readonly ms: number }
  | { readonly op: 'text'; readonly shown: boolean }

export interface Reply {
  readonly time?: string
  readonly index?: number
  readonly parts?: readonly string[]
}

export type ToEngine = { readonly call: number; readonly operation: Operation }
export type FromEngine =
  { readonly call: number; readonly reply?: Reply | undefined; readonly error?: string } | { readonly snapshot: LogSnapshot }
