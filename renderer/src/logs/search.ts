/** Finding in a log: what is typed, or a pattern between slashes. */

export interface Query {
  /** Global; lines are looked at alone: `^` and `$` are theirs. */
  readonly pattern: RegExp
}

/** Null for nothing; an error text for a pattern that is none. */
export function parseQuery(typed: string): Query | null | { readonly error: string } {
  if (!typed) return null
  const slashed = /^\/(.+)\/(i?)$/.exec(typed)
  try {
    const pattern = slashed ? new RegExp(slashed[1] ?? '', `gm${slashed[2] ?? ''}`) : new RegExp(escapeText(typed), 'gi')
    return { pattern }
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) }
  }
}

const escapeText = (text: string) => text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)

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
