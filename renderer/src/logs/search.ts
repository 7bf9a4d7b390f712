/** Finding in a log: what is typed, or a pattern between slashes. Looks at each line once. */
import { isBreak, type LogRow } from './line.ts'

export interface Query {
  readonly pattern: RegExp
}

/** Null for nothing; an error text for a pattern that is none. */
export function parseQuery(typed: string): Query | null | { readonly error: string } {
  if (!typed) return null
  const slashed = /^\/(.+)\/(i?)$/.exec(typed)
  try {
    const pattern = slashed ? new RegExp(slashed[1] ?? '', `g${slashed[2] ?? ''}`) : new RegExp(escapeText(typed), 'gi')
    return { pattern }
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) }
  }
}

const escapeText = (text: string) => text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)

/** The lines that match, by their number, as a log grows. */
export class Matches {
  readonly #pattern: RegExp
  #found: number[] = []
  #seen = 0

  constructor(query: Query) {
    this.#pattern = query.pattern
  }

  /** In the order of the log; lines that were dropped are gone. */
  update(rows: readonly LogRow[]): readonly number[] {
    const first = rows[0]?.n ?? 0
    const gone = this.#found.findIndex((n) => n >= first)
    if (gone > 0) this.#found = this.#found.slice(gone)
    else if (gone < 0) this.#found = []
    let from = rows.length
    while (from > 0 && (rows[from - 1]?.n ?? 0) > this.#seen) from--
    for (let i = from; i < rows.length; i++) {
      const row = rows[i] as LogRow
      // Unlike test, search leaves the pattern's lastIndex alone, from which matchAll would go on.
      if (!isBreak(row) && row.text.search(this.#pattern) >= 0) this.#found.push(row.n)
    }
    this.#seen = rows.at(-1)?.n ?? this.#seen
    return this.#found
  }
}

/** A text in pieces, those that match marked. */
export function pieces(text: string, query: Query | null): readonly { readonly text: string; readonly hit: boolean }[] {
  if (!query) return [{ text, hit: false }]
  const result: { text: string; hit: boolean }[] = []
  let at = 0
  for (const match of text.matchAll(query.pattern)) {
    if (match[0] === '') continue
    if (match.index > at) result.push({ text: text.slice(at, match.index), hit: false })
    result.push({ text: match[0], hit: true })
    at = match.index + match[0].length
  }
  if (at < text.length || result.length === 0) result.push({ text: text.slice(at), hit: false })
  return result
}
