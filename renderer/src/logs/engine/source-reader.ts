/** The lines of one log, from the bytes as they come; after a break, without those that are known already. */
import { LineParser, timeText, type Line } from './line.ts'

/** A line longer than this comes in parts (UTF-16 units). */
const LONG = 65_536

/** How it went with lines that were fetched again. */
export interface Recovery {
  /** Lines that had been missed. */
  readonly recovered: number
  /** The last known line came again, so nothing between is missing. */
  readonly whole: boolean
}

/** Times never go back: a line with an earlier time than the one before, or without any, has the time of that one. */
export class SourceReader {
  readonly #source: number
  /** Seconds since the epoch. */
  readonly #until: number
  readonly #parser = new LineParser()
  #decoder = new TextDecoder()
  #rest = ''
  #sec = 0
  #nano = 0
  /** Lines so far that have the time of the last one. */
  #same = 0
  #resume: { readonly sec: number; readonly nano: number; same: number; recovered: number; overlap: boolean } | null = null

  /** `untilMs`: later lines are left out; null: none is. */
  constructor(source: number, untilMs: number | null = null) {
    this.#source = source
    this.#until = untilMs === null ? Number.POSITIVE_INFINITY : untilMs / 1000
  }

  /** Of the last line, RFC 3339; "" if there is none. */
  get lastTime(): string {
    return timeText(this.#sec, this.#nano)
  }

  /** In the log's order; their ids are given by who keeps them. */
  read(bytes: Uint8Array): Line[] {
    this.#rest += this.#decoder.decode(bytes, { stream: true })
    const lines = this.#rest.split('\n')
    this.#rest = lines.pop() ?? ''
    if (this.#rest.length > LONG) {
      lines.push(this.#rest)
      this.#rest = ''
    }
    return this.#lines(lines)
  }

  /** What is left without a newline is a line, too. */
  flush(): Line[] {
    const rest = this.#rest + this.#decoder.decode()
    this.#rest = ''
    return rest ? this.#lines([rest]) : []
  }

  /** Lines come again, from the last one on. */
  beginResume(): void {
    this.#rest = ''
    this.#decoder = new TextDecoder()
    this.#resume = { sec: this.#sec, nano: this.#nano, same: this.#same, recovered: 0, overlap: this.#sec === 0 }
  }

  endResume(): Recovery {
    const resume = this.#resume
    this.#resume = null
    return { recovered: resume?.recovered ?? 0, whole: resume?.overlap ?? true }
  }

  #lines(raws: readonly string[]): Line[] {
    const lines: Line[] = []
    for (const raw of raws) {
      const { sec, nano, level, text } = this.#parser.parse(raw)
      if (sec + nano / 1e9 > this.#until) continue
      if (this.#resume && sec !== 0 && this.#isKnown(sec, nano)) continue
      const later = sec > this.#sec || (sec === this.#sec && nano > this.#nano)
      if (later) {
        this.#sec = sec
        this.#nano = nano
        this.#same = 0
      }
      this.#same++
      lines.push({ id: 0, source: this.#source, sec: this.#sec, nano: this.#nano, level, text })
    }
    return lines
  }

  #isKnown(sec: number, nano: number): boolean {
    const resume = this.#resume
    if (!resume) return false
    if (sec < resume.sec || (sec === resume.sec && nano < resume.nano)) return true
    if (sec === resume.sec && nano === resume.nano && resume.same > 0) {
      resume.same--
      resume.overlap = true
      return true
    }
    resume.recovered++
    return false
  }
}
