/** A run of lines in the order of their times: their texts as one string, everything else in arrays of numbers. */
import { MARK, type Line } from './line.ts'

/** Lines of a full block: few enough to be searched in a moment, many enough that there are few blocks. */
export const BLOCK = 1024
/** What a line takes beside its text, in bytes. */
const OVERHEAD = 19

/** By (time, then the order in which they came). */
export interface Key {
  readonly sec: number
  readonly nano: number
  readonly id: number
}

/** Less than 0 where `a` is earlier. */
export const compareTime = (a: { sec: number; nano: number }, b: { sec: number; nano: number }): number => a.sec - b.sec || a.nano - b.nano

export class Block {
  readonly ids = new Uint32Array(BLOCK)
  readonly secs = new Uint32Array(BLOCK)
  readonly nanos = new Uint32Array(BLOCK)
  readonly sources = new Uint16Array(BLOCK)
  readonly levels = new Uint8Array(BLOCK)
  /** Where each line begins in the text. */
  readonly #starts = new Uint32Array(BLOCK + 1)
  /** Lines by level, marks last. */
  readonly counts = new Uint32Array(MARK + 1)
  #size = 0
  #text = ''
  #parts: string[] = []
  #wide = false

  /** `lines` in order, at most BLOCK. */
  static of(lines: readonly Line[]): Block {
    const block = new Block()
    for (const line of lines) block.append(line)
    return block
  }

  get size(): number {
    return this.#size
  }
  get isFull(): boolean {
    return this.#size === BLOCK
  }
  /** What it takes in memory, about: V8 keeps a character in one byte unless one of the text is beyond Latin-1. */
  get bytes(): number {
    return (this.#starts[this.#size] ?? 0) * (this.#wide ? 2 : 1) + BLOCK * OVERHEAD
  }
  /** All texts, with a newline after each. */
  get text(): string {
    if (this.#parts.length) {
      this.#text += `${this.#parts.join('\n')}\n`
      this.#parts = []
    }
    return this.#text
  }

  /** The caller sees to it that the line is not earlier than the last one. */
  append(line: Line): void {
    const at = this.#size++
    this.ids[at] = line.id
    this.secs[at] = line.sec
    this.nanos[at] = line.nano
    this.sources[at] = line.source
    this.levels[at] = line.level
    this.counts[line.level] = (this.counts[line.level] ?? 0) + 1
    this.#starts[at + 1] = (this.#starts[at] ?? 0) + line.text.length + 1
    this.#parts.push(line.text)
    this.#wide ||= /[^\0-\u007f]/.test(line.text)
    // Joined, the texts are one flat string; the pieces of what was received can go.
    if (this.isFull) void this.text
  }

  line(at: number): Line {
    return {
      id: this.ids[at] ?? 0,
      source: this.sources[at] ?? 0,
      sec: this.secs[at] ?? 0,
      nano: this.nanos[at] ?? 0,
      level: this.levels[at] ?? 0,
      text: this.textOf(at),
    }
  }
  textOf(at: number): string {
    return this.text.slice(this.#starts[at], (this.#starts[at + 1] ?? 1) - 1)
  }
  key(at: number): Key {
    return { sec: this.secs[at] ?? 0, nano: this.nanos[at] ?? 0, id: this.ids[at] ?? 0 }
  }
  lines(): Line[] {
    return Array.from({ length: this.#size }, (_, at) => this.line(at))
  }

  /** The first line that is not earlier than that time; `size` if all are. */
  lowerBound(time: { sec: number; nano: number }): number {
    let low = 0
    let high = this.#size
    while (low < high) {
      const middle = (low + high) >> 1
      if (compareTime(this.key(middle), time) < 0) low = middle + 1
      else high = middle
    }
    return low
  }

  /** The lines in which the pattern is found, which must be global, by index. A match never reaches over a line's end. */
  find(pattern: RegExp): Uint16Array {
    const found = new Uint16Array(this.#size)
    const text = this.text
    let n = 0
    let at = 0
    pattern.lastIndex = 0
    for (let match = pattern.exec(text); match; match = pattern.exec(text)) {
      at = this.#lineAt(match.index, at)
      if (at >= this.#size) break
      const end = (this.#starts[at + 1] ?? 1) - 1
      const inside = match.index + match[0].length <= end
      if (this.levels[at] !== MARK && (inside || this.#finds(pattern, at))) found[n++] = at
      pattern.lastIndex = end + 1
    }
    return found.slice(0, n)
  }

  /** For what would match beyond the line's end: the line alone. */
  #finds(pattern: RegExp, at: number): boolean {
    pattern.lastIndex = 0
    return pattern.test(this.textOf(at))
  }

  /** The line with that offset, not before `from`. */
  #lineAt(offset: number, from: number): number {
    let low = from
    let high = this.#size
    while (low + 1 < high) {
      const middle = (low + high) >> 1
      if ((this.#starts[middle] ?? 0) <= offset) low = middle
      else high = middle
    }
    return (this.#starts[low + 1] ?? 0) <= offset ? low + 1 : low
  }
}
