/** The lines of one log, from the bytes as they come. Bounded: the oldest lines leave in blocks, and are counted. */
import { shallowRef, type ShallowRef } from 'vue'
import { nextFrame } from '../time/clock.ts'
import { t, tn } from '../i18n/index.ts'
import { elapsed, clockTime } from '../time/format.ts'
import { isBreak, parseLine, type Level, type LogBreak, type LogLine, type LogRow } from './line.ts'

/** Lines that are kept. */
const LIMIT = 250_000
/** How many leave at once, so that it happens seldom. */
const BLOCK = 10_000
/** A line longer than this is shown in parts. */
const LONG = 16_384

export class LogBuffer {
  /** Goes up when there is something new to show. */
  readonly version: ShallowRef<number> = shallowRef(0)
  readonly #limit: number
  readonly #block: number
  #rows: LogRow[] = []
  #counts: Record<Level, number> = { err: 0, warn: 0, info: 0, debug: 0, '': 0 }
  #decoder = new TextDecoder()
  #rest = ''
  #next = 1
  #total = 0
  #dropped = 0
  #touched = false
  readonly #schedule: (fn: () => void) => unknown
  /** While lines are fetched again after a break: what is known already is left out. */
  #resume: { from: string; same: number; recovered: number; overlap: boolean; mark: LogBreak | null } | null = null
  #last: { time: string; same: number } = { time: '', same: 0 }

  /** `schedule` says when what came is shown: once a frame. */
  constructor(options: { limit?: number; block?: number; schedule?: (fn: () => void) => unknown } = {}) {
    this.#schedule = options.schedule ?? nextFrame
    this.#limit = options.limit ?? LIMIT
    this.#block = options.block ?? BLOCK
  }

  /** The same array as long as nothing was dropped; it only grows. */
  get rows(): readonly LogRow[] {
    return this.#rows
  }
  get counts(): Readonly<Record<Level, number>> {
    return this.#counts
  }
  /** Lines that came, those that were dropped included. */
  get total(): number {
    return this.#total
  }
  get size(): number {
    return this.#rows.length
  }
  get dropped(): number {
    return this.#dropped
  }
  /** Of the last line, RFC 3339; "" if there is none. */
  get lastTime(): string {
    return this.#last.time
  }

  push(bytes: Uint8Array): void {
    this.#rest += this.#decoder.decode(bytes, { stream: true })
    const lines = this.#rest.split('\n')
    this.#rest = lines.pop() ?? ''
    if (this.#rest.length > LONG) {
      lines.push(this.#rest)
      this.#rest = ''
    }
    for (const line of lines) this.#add(line)
    if (lines.length) this.#touch()
  }

  /** What is left without a newline is a line, too. */
  flush(): void {
    this.#rest += this.#decoder.decode()
    if (this.#rest) this.#add(this.#rest)
    this.#rest = ''
    this.#touch()
  }

  /** Lines come again from the last one on. With `gap`, milliseconds since the epoch, the break between is marked. */
  beginResume(gap: { lostAt: number; backAt: number } | null): void {
    this.#rest = ''
    this.#decoder = new TextDecoder()
    let mark: LogBreak | null = null
    if (gap) {
      const lost = elapsed(gap.backAt - gap.lostAt)
      mark = { n: this.#next++, kind: 'gap', text: t('logs.gap.open', { time: clockTime(gap.lostAt), lost }) }
      this.#rows.push(mark)
    }
    this.#resume = { from: this.#last.time, same: this.#last.same, recovered: 0, overlap: this.#last.time === '', mark }
    this.#touch()
  }

  /** All that was missed has come, as far as can be told: says so at the mark. */
  endResume(lostAt: number, backAt: number): void {
    const resume = this.#resume
    this.#resume = null
    if (!resume?.mark) return
    const params = { time: clockTime(lostAt), lost: elapsed(backAt - lostAt) }
    const text = resume.overlap ? tn('logs.gap.whole', resume.recovered, params) : tn('logs.gap.maybe', resume.recovered, params)
    // A row of its own: one that is shown is drawn anew only if it is another.
    const at = this.#rows.lastIndexOf(resume.mark)
    if (at >= 0) this.#rows[at] = { ...resume.mark, text }
    this.#touch()
  }

  /** A new run of the container begins here. */
  markRestart(): void {
    this.#rows.push({ n: this.#next++, kind: 'restart', text: t('logs.restarted') })
    this.#touch()
  }

  clear(): void {
    this.#rows = []
    this.#counts = { err: 0, warn: 0, info: 0, debug: 0, '': 0 }
    this.#rest = ''
    this.#total = this.#dropped = 0
    this.#resume = null
    this.#last = { time: '', same: 0 }
    this.#decoder = new TextDecoder()
    this.#touch()
  }

  text(): string {
    return this.#rows.map((row) => (isBreak(row) ? `--- ${row.text}` : `${row.time ? `${row.time} ` : ''}${row.text}`)).join('\n')
  }

  #touch(): void {
    if (this.#touched) return
    this.#touched = true
    this.#schedule(() => {
      this.#touched = false
      this.version.value++
    })
  }

  #add(raw: string): void {
    const line = parseLine(raw, this.#next)
    if (this.#resume && this.#isKnown(line)) return
    this.#next++
    if (line.time)
      this.#last = line.time === this.#last.time ? { time: line.time, same: this.#last.same + 1 } : { time: line.time, same: 1 }
    this.#rows.push(line)
    this.#counts[line.level]++
    this.#total++
    if (this.#rows.length > this.#limit) this.#drop()
  }

  #isKnown(line: LogLine): boolean {
    const resume = this.#resume
    if (!resume || !line.time) return false
    if (line.time < resume.from) return true
    if (line.time === resume.from && resume.same > 0) {
      resume.same--
      resume.overlap = true
      return true
    }
    resume.recovered++
    return false
  }

  #drop(): void {
    const gone = this.#rows.slice(0, this.#block)
    for (const row of gone) {
      if (isBreak(row)) continue
      this.#counts[row.level]--
      this.#dropped++
    }
    this.#rows = this.#rows.slice(this.#block)
  }
}
