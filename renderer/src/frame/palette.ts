/** What the palette offers, and how well each fits what was typed. */
import type { IconName } from '../ui/icons.ts'

export interface Entry {
  readonly id: string
  readonly group: 'go' | 'do' | 'object' | 'kind'
  readonly text: string
  /** Said after the text, and searched too. */
  readonly note?: string
  readonly icon: IconName
  readonly keys?: readonly string[]
  run(): void
}

/** 0 does not fit; more is better. Each word must be found; starts of words count most. */
export function score(entry: Entry, words: readonly string[]): number {
  const text = entry.text.toLowerCase()
  const note = entry.note?.toLowerCase() ?? ''
  let total = 0
  for (const word of words) {
    const at = text.indexOf(word)
    const startsWord = at === 0 || (at > 0 && /[\s/.:_-]/.test(text[at - 1] ?? ''))
    if (at === 0) total += 8
    else if (startsWord) total += 5
    else if (at > 0) total += 3
    else if (note.includes(word)) total += 1
    else return 0
  }
  return total + (text.length < 24 ? 1 : 0)
}

/** At most `limit` of them, best first; in their own order where they fit alike. */
export function search(entries: readonly Entry[], typed: string, limit: number): Entry[] {
  const words = typed.toLowerCase().split(/\s+/).filter(Boolean)
  if (words.length === 0) return entries.slice(0, limit)
  const fits = entries.map((entry) => ({ entry, points: score(entry, words) })).filter(({ points }) => points > 0)
  return fits
    .toSorted((a, b) => b.points - a.points)
    .slice(0, limit)
    .map(({ entry }) => entry)
}
