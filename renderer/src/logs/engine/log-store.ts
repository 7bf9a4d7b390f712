/**
 * The lines of several logs, merged by their nanosecond times. Bounded by bytes: when there are more, the oldest block leaves and its
 * lines are counted as dropped.
 */
import { Block, BLOCK, compareTime, type Key } from './block.ts'
import { MARK, type Line } from './line.ts'

/** Bytes of lines that are kept: about two million lines of a hundred characters. */
export const BUDGET = 256 * 1024 * 1024

export class LogStore {
  readonly #budget: number
  #blocks: Block[] = []
  #bytes = 0
  #nextId = 1
  #total = 0
  #dropped = 0
  /** Lines that are kept, by source. */
  #bySource: number[] = []
  readonly #marks = new Map<number, unknown>()

  constructor(budget: number = BUDGET) {
    this.#budget = budget
  }

  get blocks(): readonly Block[] {
    return this.#blocks
  }
  get bytes(): number {
    return this.#bytes
  }
  /** Lines that came, those that were dropped included. */
  get total(): number {
    return this.#total
  }
  get dropped(): number {
    return this.#dropped
  }
  get held(): number {
    return this.#total - this.#dropped
  }
  get bySource(): readonly number[] {
    return this.#bySource
  }
  /** Lines by level. */
  get counts(): number[] {
    const counts = new Array<number>(MARK).fill(0)
    for (const block of this.#blocks)
      for (let level = 0; level < MARK; level++) counts[level] = (counts[level] ?? 0) + (block.counts[level] ?? 0)
    return counts
  }
  get first(): Key | null {
    const block = this.#blocks[0]
    return block ? block.key(0) : null
  }
  get last(): Key | null {
    const block = this.#blocks.at(-1)
    return block ? block.key(block.size - 1) : null
  }

  /** `lines` of one source, in its order. Lines of the same time stand in the order in which they came. */
  add(lines: readonly Line[]): void {
    let late: Line[] = []
    for (const line of lines) {
      line.id = this.#nextId++
      this.#total++
      this.#bySource[line.source] = (this.#bySource[line.source] ?? 0) + 1
      const last = this.last
      if (last && compareTime(line, last) < 0) late.push(line)
      else this.#append(line)
    }
    while (late.length) late = this.#insert(late)
    while (this.#bytes > this.#budget && this.#blocks.length > 1) this.#drop()
  }

  /** A row that is no line, at a time; `data` says what it is. Its id, under which the data can be replaced. */
  mark(source: number, at: { sec: number; nano: number }, data: unknown): number {
    const line: Line = { id: this.#nextId++, source, sec: at.sec, nano: at.nano, level: MARK, text: '' }
    this.#marks.set(line.id, data)
    const last = this.last
    if (last && compareTime(line, last) < 0) this.#insert([line])
    else this.#append(line)
    return line.id
  }
  markData(id: number): unknown {
    return this.#marks.get(id)
  }
  replaceMark(id: number, data: unknown): void {
    if (this.#marks.has(id)) this.#marks.set(id, data)
  }

  clear(): void {
    this.#blocks = []
    this.#bytes = this.#total = this.#dropped = 0
    this.#bySource = []
    this.#marks.clear()
  }

  /** Where a line stands: block and index; the first later one where it was dropped, null where there is none. */
  find(key: Key): { block: number; at: number } | null {
    for (let block = this.blockOf(key); block < this.#blocks.length; block++) {
      const own = this.#blocks[block] as Block
      for (let at = own.lowerBound(key); at < own.size; at++) {
        if (own.ids[at] === key.id || compareTime(own.key(at), key) > 0) return { block, at }
      }
    }
    return null
  }

  /** The first block that has a line not earlier than that time; the number of blocks if none has. */
  blockOf(time: { sec: number; nano: number }): number {
    let low = 0
    let high = this.#blocks.length
    while (low < high) {
      const middle = (low + high) >> 1
      const block = this.#blocks[middle] as Block
      if (compareTime(block.key(block.size - 1), time) < 0) low = middle + 1
      else high = middle
    }
    return low
  }

  #append(line: Line): void {
    let block = this.#blocks.at(-1)
    if (!block || block.isFull) this.#blocks.push((block = new Block()))
    const before = block.size ? block.bytes : 0
    block.append(line)
    this.#bytes += block.bytes - before
  }

  /** Puts those of the sorted lines into their block that belong to the same one as the first; returns the rest. */
  #insert(lines: Line[]): Line[] {
    const [first] = lines as [Line]
    // Behind lines of the same time: one block further where it begins with that time, too.
    let at = this.#blockAfter(first)
    at = Math.min(at, this.#blocks.length - 1)
    const block = this.#blocks[at] as Block
    const next = this.#blocks[at + 1]
    const until = next ? lines.findIndex((line) => compareTime(line, next.key(0)) >= 0) : -1
    const own = until < 0 ? lines : lines.slice(0, until)
    const merged = merge(block.lines(), own)
    const made: Block[] = []
    // Halves leave room for lines that come late again.
    const piece = merged.length > BLOCK ? Math.ceil(merged.length / Math.ceil((merged.length * 2) / BLOCK)) : BLOCK
    for (let from = 0; from < merged.length; from += piece) made.push(Block.of(merged.slice(from, from + piece)))
    this.#bytes += made.reduce((sum, one) => sum + one.bytes, 0) - block.bytes
    this.#blocks.splice(at, 1, ...made)
    return until < 0 ? [] : lines.slice(until)
  }

  /** The last block that begins not later than the line. */
  #blockAfter(line: Line): number {
    let low = 0
    let high = this.#blocks.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (compareTime((this.#blocks[middle] as Block).key(0), line) <= 0) low = middle + 1
      else high = middle
    }
    return Math.max(0, low - 1)
  }

  #drop(): void {
    const block = this.#blocks.shift() as Block
    this.#bytes -= block.bytes
    for (let at = 0; at < block.size; at++) {
      if (block.levels[at] === MARK) {
        this.#marks.delete(block.ids[at] ?? 0)
        continue
      }
      const source = block.sources[at] ?? 0
      this.#bySource[source] = (this.#bySource[source] ?? 1) - 1
      this.#dropped++
    }
  }
}

/** Both are in order; of the same time those of `before` come first. */
function merge(before: readonly Line[], after: readonly Line[]): Line[] {
  const merged: Line[] = []
  let i = 0
  for (const line of after) {
    while (i < before.length && compareTime(before[i] as Line, line) <= 0) merged.push(before[i++] as Line)
    merged.push(line)
  }
  while (i < before.length) merged.push(before[i++] as Line)
  return merged
}
