/** What of the kept lines is shown, and what of it matches a search: an index over the blocks that is kept while they grow. */
import type { Block, Key } from './block.ts'
import { MARK, type Line } from './line.ts'
import type { LogStore } from './log-store.ts'

export interface Filter {
  /** Global; null: nothing is searched for. */
  readonly pattern: RegExp | null
  /** Only lines that match are shown. */
  readonly only: boolean
  /** Least level that is shown, an index in LEVELS; 0: all. */
  readonly level: number
  /** Sources that are not shown. */
  readonly hidden: ReadonlySet<number>
}

interface Scan {
  foundFor: RegExp | null
  foundSize: number
  found: Uint16Array
  shownFor: Filter | null
  shownSize: number
  /** Indexes of what is shown; null: all. */
  rows: Uint16Array | null
  /** Indexes of what is shown and matches. */
  matches: Uint16Array
}

const NONE = new Uint16Array()
/** Blocks between two looks at the clock. */
const STRIDE = 8

export class LogView {
  readonly #store: LogStore
  #filter: Filter = { pattern: null, only: false, level: 0, hidden: new Set() }
  #scans = new WeakMap<Block, Scan>()
  /** Rows and matches before each block, and in all. */
  #rowStarts = new Float64Array(1)
  #matchStarts = new Float64Array(1)

  constructor(store: LogStore) {
    this.#store = store
  }

  get filter(): Filter {
    return this.#filter
  }
  set filter(filter: Filter) {
    this.#filter = filter
  }
  get rowCount(): number {
    return this.#rowStarts.at(-1) ?? 0
  }
  get matchCount(): number {
    return this.#matchStarts.at(-1) ?? 0
  }

  /** Looks at what is new since the last time, newest first, until `until` says stop; false if there is more to look at. */
  refresh(until: () => boolean = () => false): boolean {
    const { blocks } = this.#store
    let done = true
    let looked = 0
    for (let i = blocks.length - 1; i >= 0; i--) {
      const block = blocks[i] as Block
      if (this.#isFresh(block)) continue
      if (looked++ % STRIDE === STRIDE - 1 && until()) {
        done = false
        break
      }
      this.#look(block)
    }
    const rowStarts = new Float64Array(blocks.length + 1)
    const matchStarts = new Float64Array(blocks.length + 1)
    for (const [i, block] of blocks.entries()) {
      const scan = this.#scans.get(block)
      const known = scan?.shownFor === this.#filter ? scan : undefined
      const rows = known ? (known.rows?.length ?? block.size) : this.#filter.only ? 0 : block.size
      rowStarts[i + 1] = (rowStarts[i] ?? 0) + rows
      matchStarts[i + 1] = (matchStarts[i] ?? 0) + (known?.matches.length ?? 0)
    }
    this.#rowStarts = rowStarts
    this.#matchStarts = matchStarts
    return done
  }

  slice(from: number, count: number): Line[] {
    const lines: Line[] = []
    const end = Math.min(this.rowCount, from + count)
    for (let index = Math.max(0, from); index < end;) {
      const b = upper(this.#rowStarts, index)
      const block = this.#store.blocks[b] as Block
      const rows = this.#rowsOf(block)
      const stop = Math.min(end, this.#rowStarts[b + 1] ?? end)
      for (; index < stop; index++) {
        const at = index - (this.#rowStarts[b] ?? 0)
        lines.push(block.line(rows ? (rows[at] ?? 0) : at))
      }
    }
    return lines
  }

  /** The index of a row, or of the next one that is shown. */
  indexOf(key: Key): number {
    const found = this.#store.find(key)
    if (!found) return this.rowCount
    const rows = this.#rowsOf(this.#store.blocks[found.block] as Block)
    return (this.#rowStarts[found.block] ?? 0) + (rows ? lower(rows, found.at) : found.at)
  }

  /** The first row that is not earlier than that time. */
  indexOfTime(time: { sec: number; nano: number }): number {
    const b = this.#store.blockOf(time)
    const block = this.#store.blocks[b]
    if (!block) return this.rowCount
    const rows = this.#rowsOf(block)
    const at = block.lowerBound(time)
    return (this.#rowStarts[b] ?? 0) + (rows ? lower(rows, at) : at)
  }

  match(ordinal: number): Key | null {
    if (ordinal < 0 || ordinal >= this.matchCount) return null
    const b = upper(this.#matchStarts, ordinal)
    const block = this.#store.blocks[b] as Block
    return block.key(this.#scans.get(block)?.matches[ordinal - (this.#matchStarts[b] ?? 0)] ?? 0)
  }

  /** How many matches stand before that line. */
  ordinalOf(key: Key): number {
    const found = this.#store.find(key)
    if (!found) return this.matchCount
    const matches = this.#scans.get(this.#store.blocks[found.block] as Block)?.matches ?? NONE
    return (this.#matchStarts[found.block] ?? 0) + lower(matches, found.at)
  }

  #rowsOf(block: Block): Uint16Array | null {
    const scan = this.#scans.get(block)
    return scan?.shownFor === this.#filter ? scan.rows : this.#filter.only ? NONE : null
  }

  #isFresh(block: Block): boolean {
    const scan = this.#scans.get(block)
    return scan?.shownFor === this.#filter && scan.shownSize === block.size && scan.foundFor === this.#filter.pattern
  }

  #look(block: Block): void {
    const { pattern, only, level, hidden } = this.#filter
    let scan = this.#scans.get(block)
    if (!scan) {
      scan = { foundFor: null, foundSize: 0, found: NONE, shownFor: null, shownSize: 0, rows: null, matches: NONE }
      this.#scans.set(block, scan)
    }
    if (!pattern) scan.found = NONE
    else if (scan.foundFor !== pattern || scan.foundSize !== block.size) scan.found = block.find(pattern)
    scan.foundFor = pattern
    scan.foundSize = scan.shownSize = block.size
    scan.shownFor = this.#filter
    const all = level === 0 && hidden.size === 0
    const fits = (at: number) => (block.levels[at] ?? 0) >= level && !hidden.has(block.sources[at] ?? 0)
    scan.matches = all ? scan.found : scan.found.filter(fits)
    if (only && pattern) scan.rows = withMarks(block, scan.matches)
    else if (all) scan.rows = null
    else scan.rows = Uint16Array.from({ length: block.size }, (_, at) => at).filter(fits)
  }
}

/** Marks are shown among what matches, too: they say where lines may be missing. */
function withMarks(block: Block, matches: Uint16Array): Uint16Array {
  if (!block.counts[MARK]) return matches
  const rows = new Set(matches)
  for (let at = 0; at < block.size; at++) if (block.levels[at] === MARK) rows.add(at)
  return Uint16Array.from(rows).toSorted()
}

/** The first index whose value is not less. */
function lower(sorted: Uint16Array, value: number): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((sorted[middle] ?? 0) < value) low = middle + 1
    else high = middle
  }
  return low
}

/** The block in which that row is: the last one that begins at it or before, and is not empty. */
function upper(starts: Float64Array, value: number): number {
  let low = 0
  let high = starts.length - 1
  while (low < high) {
    const middle = (low + high) >> 1
    if ((starts[middle + 1] ?? 0) <= value) low = middle + 1
    else high = middle
  }
  return low
}
