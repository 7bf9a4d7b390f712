/**
 * The log view's work off the window's thread: keeps the lines, answers with the few that are on screen. It runs in a web worker; the
 * window asks by `handle` and hears of news by `show`.
 */
import type { Key } from './block.ts'
import { MARK, timeText, type Line } from './line.ts'
import { LogStore } from './log-store.ts'
import type { LogRow, LogSnapshot, MarkView, Operation, Reply } from './protocol.ts'
import { parseQuery } from '../search.ts'
import { SourceReader } from './source-reader.ts'
import { LogView } from './view.ts'

export interface EngineDeps {
  /** Calls `fn` a little later; what is asked for meanwhile falls together. */
  readonly later: (fn: () => void, ms: number) => void
  /** Milliseconds of a clock that only goes on. */
  readonly clock: () => number
  readonly show: (snapshot: LogSnapshot) => void
  /** Bytes of lines that are kept. */
  readonly budget?: number
}

/** Between two looks of the window at a log that grows, in milliseconds. */
const PACE = 50
/** How long one look may take before it is answered with what is known, in milliseconds. */
const SLICE = 40

interface Source {
  readonly reader: SourceReader
  readonly label: string
  /** The mark of the break that is being filled. */
  gap: { id: number; lostAt: number; backAt: number } | null
}

export class LogEngine {
  readonly #deps: EngineDeps
  readonly #store: LogStore
  readonly #view: LogView
  readonly #sources = new Map<number, Source>()
  #window: { id: number; from: number; count: number; anchor: Key | null } = { id: 0, from: 0, count: 0, anchor: null }
  #follow = true
  /** The last line there was when the view was held; null while it is not. */
  #heldAt: Key | null = null
  #hit: Key | null = null
  #typed = ''
  #scheduled = false
  #version = 0

  constructor(deps: EngineDeps) {
    this.#deps = deps
    this.#store = new LogStore(deps.budget)
    this.#view = new LogView(this.#store)
  }

  handle(operation: Operation): Reply | undefined {
    switch (operation.op) {
      case 'source':
        this.#sources.set(operation.source, {
          reader: new SourceReader(operation.source, operation.untilMs),
          label: operation.label,
          gap: null,
        })
        return undefined
      case 'push':
        this.#add(this.#source(operation.source).reader.read(operation.bytes))
        return undefined
      case 'flush':
        this.#add(this.#source(operation.source).reader.flush())
        return undefined
      case 'resume':
        return this.#resume(operation.source, operation.gap)
      case 'settle':
        return this.#settle(operation.source)
      case 'restart': {
        const last = this.#store.last ?? { sec: 0, nano: 0 }
        this.#store.mark(operation.source, last, { kind: 'restart' } satisfies MarkView)
        return this.#soon()
      }
      case 'lastTime':
        return { time: this.#source(operation.source).reader.lastTime }
      case 'clear':
        this.#store.clear()
        this.#sources.clear()
        this.#hit = this.#heldAt = null
        this.#follow = true
        return this.#soon()
      case 'filter': {
        this.#typed = operation.typed
        const parsed = parseQuery(operation.typed)
        const pattern = parsed && 'pattern' in parsed ? parsed.pattern : null
        const before = this.#view.filter.pattern
        const same = before?.source === pattern?.source && before?.flags === pattern?.flags
        this.#view.filter = {
          pattern: same ? before : pattern,
          only: operation.only,
          level: operation.level,
          hidden: new Set(operation.hidden),
        }
        if (!same) this.#hit = null
        return this.#now()
      }
      case 'window':
        this.#follow = operation.follow
        this.#window = { id: operation.window, from: operation.from, count: operation.count, anchor: null }
        return this.#now()
      case 'hold':
        this.#heldAt = operation.on ? this.#store.last : null
        return this.#now()
      case 'step':
        return this.#step(operation.by)
      case 'timeIndex': {
        const sec = Math.floor(operation.ms / 1000)
        return { index: this.#view.indexOfTime({ sec, nano: Math.round((operation.ms - sec * 1000) * 1e6) }) }
      }
      case 'text':
        return { parts: this.#text(operation.shown) }
    }
  }

  #source(source: number): Source {
    const known = this.#sources.get(source)
    if (!known) throw new Error(`there is no source ${source}`)
    return known
  }

  #add(lines: Line[]): void {
    if (lines.length === 0) return
    this.#store.add(lines)
    this.#soon()
  }

  #resume(source: number, gap: { lostAt: number; backAt: number } | null): undefined {
    const own = this.#source(source)
    own.reader.beginResume()
    if (!gap) return
    const last = this.#store.last ?? { sec: 0, nano: 0 }
    const id = this.#store.mark(source, last, { kind: 'gap', ...gap, state: 'open', recovered: 0 } satisfies MarkView)
    own.gap = { id, ...gap }
    this.#soon()
  }

  #settle(source: number): undefined {
    const own = this.#source(source)
    const { recovered, whole } = own.reader.endResume()
    if (!own.gap) return
    const { id, lostAt, backAt } = own.gap
    own.gap = null
    this.#store.replaceMark(id, { kind: 'gap', lostAt, backAt, state: whole ? 'whole' : 'maybe', recovered } satisfies MarkView)
    this.#soon()
  }

  #step(by: 1 | -1): Reply {
    this.#view.refresh()
    const n = this.#view.matchCount
    if (n === 0) return { index: -1 }
    // The first step goes to the newest: that is where one looks.
    const at = this.#hit ? this.#view.ordinalOf(this.#hit) : n
    const next = this.#hit ? (at + by + n) % n : n - 1
    this.#hit = this.#view.match(next)
    this.#follow = false
    const index = this.#hit ? this.#view.indexOf(this.#hit) : -1
    this.#soon()
    return { index }
  }

  /** Lines with their times, in pieces; with `shown` only what passes the filters. */
  #text(shown: boolean): string[] {
    const labelled = this.#sources.size > 1
    const parts: string[] = []
    const write = (lines: readonly Line[]) => {
      let text = ''
      for (const line of lines) {
        if (line.level === MARK) continue
        const label = labelled ? `${this.#sources.get(line.source)?.label ?? ''} ` : ''
        text += `${label}${line.sec ? `${timeText(line.sec, line.nano)} ` : ''}${line.text}\n`
      }
      parts.push(text)
    }
    this.#view.refresh()
    if (shown) for (let from = 0; from < this.#view.rowCount; from += 4096) write(this.#view.slice(from, 4096))
    else for (const block of this.#store.blocks) write(block.lines())
    return parts
  }

  #soon(): undefined {
    if (this.#scheduled) return
    this.#scheduled = true
    this.#deps.later(() => {
      this.#scheduled = false
      this.#now()
    }, PACE)
  }

  #now(): undefined {
    const stop = this.#deps.clock() + SLICE
    const whole = this.#view.refresh(() => this.#deps.clock() > stop)
    this.#deps.show(this.#snapshot(whole))
    if (!whole) this.#deps.later(() => this.#now(), 0)
  }

  #snapshot(whole: boolean): LogSnapshot {
    const all = this.#view.rowCount
    const heldIndex = this.#heldAt ? this.#view.indexOf(this.#heldAt) + 1 : all
    const rows = Math.min(all, heldIndex)
    const { id, count, anchor } = this.#window
    let from = this.#follow ? Math.max(0, rows - count) : anchor ? this.#view.indexOf(anchor) : this.#window.from
    from = Math.max(0, Math.min(from, Math.max(0, rows - 1)))
    const lines = this.#view.slice(from, Math.min(count, rows - from))
    // From now on the window stays with this line, wherever lines before it come or go.
    if (lines[0]) this.#window = { id, from, count, anchor: { ...lines[0] } }
    const store = this.#store
    return {
      version: ++this.#version,
      total: store.total,
      held: store.held,
      dropped: store.dropped,
      bytes: store.bytes,
      counts: store.counts,
      bySource: store.bySource.slice(),
      firstMs: store.first ? store.first.sec * 1000 + store.first.nano / 1e6 : null,
      lastMs: store.last ? store.last.sec * 1000 + store.last.nano / 1e6 : null,
      rows,
      newer: all - rows,
      typed: this.#typed,
      matches: this.#view.matchCount,
      searching: !whole,
      hit: this.#hit ? { id: this.#hit.id, ordinal: this.#view.ordinalOf(this.#hit) } : null,
      window: id,
      from,
      lines: lines.map((line) => this.#row(line)),
    }
  }

  #row({ id, source, sec, nano, level, text }: Line): LogRow {
    if (level !== MARK) return { id, source, sec, nano, level, text }
    return { id, source, sec, nano, level, text, mark: this.#store.markData(id) as MarkView }
  }
}
