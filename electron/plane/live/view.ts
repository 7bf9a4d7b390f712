/** What one window looks at: the rows of a table in an order, narrowed and grouped, with the changes since it was last told. */
import type { Pod } from '../../api/core/v1/types.gen.ts'
import type { KubeObject } from '../../api/meta/v1/object.ts'
import type { Clock } from '../../base/clock.ts'
import type { ListGroup, ListRow, ListView, ListWhere } from '../../contracts/list-channels.ts'
import type { SortKey } from '../../contracts/lists/facts.ts'
import { parseFilter, type Filter } from '../../contracts/lists/filter.ts'
import { usesConfig } from '../../contracts/lists/uses.ts'
import type { Owners } from './owners.ts'
import { Pace, sortInPeace } from './pace.ts'
import type { ListTable, Row } from './table.ts'

interface Line {
  readonly row: Row
  readonly group: string
  readonly first: number
  readonly by: SortKey
  fits: boolean
}

/** A run of lines of one group. */
interface Section {
  readonly group: string
  readonly at: number
  readonly n: number
  readonly folded: boolean
}

export interface Window {
  readonly total: number
  readonly matching: number
  readonly lines: number
  readonly waiting: number
  readonly chips: Readonly<Record<string, number>>
  readonly from: number
  readonly entries: readonly (Row | ListGroup)[]
}

export const isRow = (entry: Row | ListGroup): entry is Row => 'uid' in entry

export class View implements Disposable {
  readonly #table: ListTable
  readonly #owners: Owners
  readonly #clock: Clock
  readonly #listening: Disposable
  readonly #changed = new Map<string, Row | null>()
  #view: ListView
  #filter: Filter
  /** What the list is of, in order. */
  #all: Line[] = []
  /** Of these what fits the filter. */
  #lines: Line[] = []
  #sections: readonly Section[] | null = null
  #byUid = new Map<string, Line>()
  #counts: number[] = []
  /** Rows that would stand elsewhere if the order were not held. */
  readonly #late = new Set<string>()
  #stale: 'order' | 'filter' | null = 'order'

  constructor(table: ListTable, owners: Owners, view: ListView, clock: Clock, onChange: (gone: string | null) => void) {
    this.#table = table
    this.#owners = owners
    this.#view = view
    this.#filter = parseFilter(view.text)
    this.#clock = clock
    this.#listening = table.on({
      changed: (row, gone) => {
        this.#changed.set(row.uid, gone ? null : row)
        onChange(gone ? row.uid : null)
      },
    })
  }

  get dirty(): boolean {
    return this.#changed.size > 0 || this.#stale !== null
  }

  set(view: ListView): void {
    const before = this.#view
    this.#view = view
    const same = (read: (each: ListView) => unknown) => JSON.stringify(read(before)) === JSON.stringify(read(view))
    if (!same(({ where, sort, troubleFirst, group }) => [where, sort, troubleFirst, group])) this.#stale = 'order'
    else if (!same(({ text, chips }) => [text, chips])) this.#stale ??= 'filter'
    else if (!same(({ folded }) => folded)) this.#sections = null
    if (before.text !== view.text) this.#filter = parseFilter(view.text)
    if (before.held && !view.held && this.#late.size) this.#stale = 'order'
  }

  /** Takes in what has changed. Another view may be set meanwhile; `dirty` tells. */
  async settle(): Promise<void> {
    const stale = this.#stale
    this.#stale = null
    if (stale === 'order') await this.#build()
    else if (stale === 'filter') await this.#refilter()
    else if (this.#changed.size) this.#apply()
  }

  window(): Window {
    const { from, count } = this.#view
    const chips: Record<string, number> = {}
    for (const [index, id] of this.#table.chips.entries()) chips[id] = this.#counts[index] ?? 0
    const { lines, entries } = this.#slice(from, from + count)
    return { total: this.#all.length, matching: this.#lines.length, lines, waiting: this.#late.size, chips, from, entries }
  }

  /** The rows of the lines from `from` to before `to`; of all that fit if neither is given. */
  rowsBetween(from?: number, to?: number): Row[] {
    if (from === undefined && to === undefined) return this.#lines.map((line) => line.row)
    return this.#slice(from ?? 0, to ?? Infinity).entries.filter(isRow)
  }

  /** Of these those that are there and fit. */
  rowsOf(keys: readonly string[]): Row[] {
    return keys.flatMap((uid) => {
      const line = this.#byUid.get(uid)
      return line?.fits ? [line.row] : []
    })
  }

  [Symbol.dispose](): void {
    this.#listening[Symbol.dispose]()
  }

  #isIn({ object }: Row, { namespace, node, under, uses }: ListWhere): boolean {
    if (namespace !== undefined && object.metadata.namespace !== namespace) return false
    if (node !== undefined && (object as Pod).spec?.nodeName !== node) return false
    if (under !== undefined && !this.#owners.isUnder(object, under)) return false
    return uses === undefined || usesConfig(object as Pod, uses.kind, uses.name, namespace)
  }

  #line(row: Row): Line {
    const { facts, around } = this.#table
    const { group, troubleFirst, sort } = this.#view
    const { object } = row
    return {
      row,
      group: group === undefined ? '' : (facts.groups[group]?.(object, around) ?? ''),
      first: troubleFirst ? (facts.first?.(object, around) ?? 0) : 0,
      by: facts.keys[sort.id]?.(object, around) ?? row.tie,
      fits: this.#fits(row),
    }
  }

  #fits(row: Row): boolean {
    const { chips } = this.#view
    if (chips.length && !this.#table.chips.some((id, index) => chips.includes(id) && (row.mask & (1 << index)) !== 0)) return false
    return this.#filter.empty || this.#filter.fits(row.object, this.#table.haystack(row))
  }

  readonly #compare = (a: Line, b: Line): number =>
    order(a.group, b.group) ||
    a.first - b.first ||
    (this.#view.sort.descending ? -order(a.by, b.by) : order(a.by, b.by)) ||
    order(a.row.tie, b.row.tie) ||
    order(a.row.uid, b.row.uid)

  async #build(): Promise<void> {
    const pace = new Pace(this.#clock)
    const { where } = this.#view
    this.#changed.clear()
    const lines: Line[] = []
    for (const row of [...this.#table.rows.values()]) {
      if (this.#isIn(row, where)) lines.push(this.#line(row))
      if (pace.tired) await pace.rest()
      if (this.#stale === 'order') return
    }
    this.#all = await sortInPeace(lines, this.#compare, pace)
    this.#byUid = new Map(this.#all.map((line) => [line.row.uid, line]))
    this.#late.clear()
    // What changed while the order was made is in `#changed`.
    if (this.#changed.size && !this.#stale) this.#apply()
    else this.#count()
  }

  async #refilter(): Promise<void> {
    const pace = new Pace(this.#clock)
    for (const line of this.#all) {
      line.fits = this.#fits(line.row)
      if (pace.tired) await pace.rest()
      if (this.#stale) return
    }
    if (this.#changed.size) this.#apply()
    else this.#count()
  }

  #apply(): void {
    const { where, held, group } = this.#view
    const frozen = held && group === undefined
    const gone = new Set<Line>()
    const moved: Line[] = []
    const replaced = new Map<Line, Line>()
    for (const [uid, row] of this.#changed) {
      const old = this.#byUid.get(uid)
      if (!row || !this.#isIn(row, where)) {
        if (old) gone.add(old)
        this.#byUid.delete(uid)
        this.#late.delete(uid)
        continue
      }
      const line = this.#line(row)
      this.#byUid.set(uid, line)
      const stays = old !== undefined && (frozen || (old.group === line.group && old.first === line.first && old.by === line.by))
      if (old && stays) {
        if (old.first !== line.first || old.by !== line.by) this.#late.add(uid)
        replaced.set(old, line)
        continue
      }
      if (old) gone.add(old)
      if (frozen) this.#late.add(uid)
      moved.push(line)
    }
    this.#changed.clear()
    if (gone.size || replaced.size) this.#all = this.#all.flatMap((line) => (gone.has(line) ? [] : (replaced.get(line) ?? line)))
    if (moved.length) this.#all = frozen ? [...this.#all, ...moved] : merged(this.#all, moved.toSorted(this.#compare), this.#compare)
    this.#count()
  }

  #count(): void {
    const counts = this.#table.chips.map(() => 0)
    this.#lines = []
    for (const line of this.#all) {
      const { mask } = line.row
      if (mask) for (let bit = 0; bit < counts.length; bit++) if (mask & (1 << bit)) counts[bit] = (counts[bit] ?? 0) + 1
      if (line.fits) this.#lines.push(line)
    }
    this.#counts = counts
    this.#sections = null
  }

  #sectionsNow(): readonly Section[] {
    if (this.#sections) return this.#sections
    const folded = new Set(this.#view.folded)
    const sections: Section[] = []
    let at = 0
    for (let end = 1; end <= this.#lines.length; end++) {
      const group = this.#lines[at]?.group ?? ''
      if (this.#lines[end]?.group === group) continue
      sections.push({ group, at, n: end - at, folded: folded.has(group) })
      at = end
    }
    return (this.#sections = sections)
  }

  #slice(from: number, to: number): { lines: number; entries: (Row | ListGroup)[] } {
    if (this.#view.group === undefined) {
      return { lines: this.#lines.length, entries: this.#lines.slice(from, to).map((line) => line.row) }
    }
    const entries: (Row | ListGroup)[] = []
    let line = 0
    for (const { group, at, n, folded } of this.#sectionsNow()) {
      if (line >= from && line < to) entries.push({ group, n, folded })
      line++
      if (folded) continue
      const first = Math.max(0, from - line)
      const last = Math.min(n, to - line)
      for (let index = first; index < last; index++) {
        const found = this.#lines[at + index]
        if (found) entries.push(found.row)
      }
      line += n
    }
    return { lines: line, entries }
  }
}

const order = (a: SortKey, b: SortKey): number => (a < b ? -1 : a > b ? 1 : 0)

function merged<T>(a: readonly T[], b: readonly T[], compare: (a: T, b: T) => number): T[] {
  const result: T[] = []
  let i = 0
  for (const item of b) {
    while (i < a.length && compare(a[i] as T, item) <= 0) result.push(a[i++] as T)
    result.push(item)
  }
  while (i < a.length) result.push(a[i++] as T)
  return result
}

/** A row as it crosses to the window. */
export function rowOf(object: KubeObject, table: ListTable, owners: Owners): ListRow {
  const trouble = table.facts.hasPods ? owners.worst(object.metadata.uid) : undefined
  return { object: table.facts.slim?.(object) ?? object, ...(trouble ? { trouble } : {}) }
}
