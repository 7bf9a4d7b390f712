import { describe, expect, it } from 'vitest'
import { LogEngine } from './engine.ts'
import { timeText } from './line.ts'
import type { LogSnapshot } from './protocol.ts'

const bytes = (text: string) => new TextEncoder().encode(text)
const BASE = Date.parse('2026-11-21T12:00:00Z') / 1000

/** An engine whose answers come when they are asked for. */
function start(options: { budget?: number; sources?: number } = {}) {
  let last: LogSnapshot | undefined
  const waiting: (() => void)[] = []
  const engine = new LogEngine({
    later: (fn) => void waiting.push(fn),
    clock: () => 0,
    show: (snapshot) => (last = snapshot),
    ...(options.budget ? { budget: options.budget } : {}),
  })
  for (let source = 0; source < (options.sources ?? 1); source++)
    engine.handle({ op: 'source', source, label: `s${source}`, untilMs: null })
  let window = 0
  return {
    engine,
    push: (text: string, source = 0) => engine.handle({ op: 'push', source, bytes: bytes(text) }),
    /** What is there after all that waits was done. */
    look: (from = 0, count = 1_000_000, follow = false): LogSnapshot => {
      engine.handle({ op: 'window', window: ++window, from, count, follow })
      for (let fn = waiting.shift(); fn; fn = waiting.shift()) fn()
      return last as LogSnapshot
    },
    filter: (typed: string, more: { only?: boolean; level?: number; hidden?: number[] } = {}) =>
      engine.handle({ op: 'filter', typed, only: false, level: 0, hidden: [], ...more }),
  }
}
const texts = (snapshot: LogSnapshot) => snapshot.lines.map(({ text, mark }) => mark?.kind ?? text)

describe('a log', () => {
  it('joins what was cut between two chunks, within a character too', () => {
    const { engine, look } = start()
    for (const byte of bytes('one\ntwö\nthree')) engine.handle({ op: 'push', source: 0, bytes: Uint8Array.of(byte) })
    expect(texts(look())).toEqual(['one', 'twö'])
    engine.handle({ op: 'flush', source: 0 })
    expect(texts(look())).toEqual(['one', 'twö', 'three'])
  })

  it('merges several by their nanoseconds, whichever came first', () => {
    const { push, look } = start({ sources: 3 })
    push('2026-11-21T12:00:00.000000003Z c\n2026-11-21T12:00:01Z e\n', 0)
    push('2026-11-21T12:00:00.000000001Z a\n2026-11-21T12:00:00.000000004Z d\n', 1)
    push('2026-11-21T12:00:00.000000002Z b\n2026-11-21T12:00:01Z f\n', 2)
    expect(texts(look())).toEqual(['a', 'b', 'c', 'd', 'e', 'f'])
  })

  it('merges what comes in any pieces to what a sort would give, each source in its own order', () => {
    let seed = 7
    const random = () => (seed = (seed * 16_807) % 2_147_483_647) / 2_147_483_647
    const { push, look } = start({ sources: 4 })
    const all: { time: number; source: number; n: number; raw: string }[] = []
    const queues = [0, 1, 2, 3].map((source) => {
      let time = Math.floor(random() * 1000)
      return Array.from({ length: 3000 }, (_, n) => {
        time += Math.floor(random() * 3)
        const line = { time, source, n, raw: `${timeText(BASE, time * 1000)} ${source}/${n}\n` }
        all.push(line)
        return line
      })
    })
    while (queues.some((queue) => queue.length)) {
      const own = queues[Math.floor(random() * 4)] ?? []
      const part = own.splice(0, 1 + Math.floor(random() * 700))
      if (part[0]) push(part.map(({ raw }) => raw).join(''), part[0].source)
    }
    const shown = look().lines
    expect(shown).toHaveLength(12_000)
    expect(shown.map(({ nano }) => nano)).toEqual(all.map(({ time }) => time * 1000).toSorted((a, b) => a - b))
    for (const source of [0, 1, 2, 3]) {
      const own = shown.filter((row) => row.source === source).map(({ text }) => text)
      expect(own).toEqual(Array.from({ length: 3000 }, (_, n) => `${source}/${n}`))
    }
  })

  it('keeps a source in its order where its clock goes back', () => {
    const { push, look } = start()
    push('2026-11-21T12:00:05Z a\n2026-11-21T12:00:01Z b\n2026-11-21T12:00:06Z c\n')
    expect(texts(look())).toEqual(['a', 'b', 'c'])
  })

  it('counts levels, shows the worse ones, and leaves out sources', () => {
    const { push, look, filter } = start({ sources: 2 })
    push('2026-11-21T12:00:00Z ERROR a\n2026-11-21T12:00:01Z WARN b\n2026-11-21T12:00:02Z c\n', 0)
    push('2026-11-21T12:00:03Z ERROR d\n', 1)
    expect(look().counts).toEqual([1, 0, 0, 1, 2])
    filter('', { level: 3 })
    expect(texts(look())).toEqual(['ERROR a', 'WARN b', 'ERROR d'])
    filter('', { level: 4, hidden: [0] })
    expect(texts(look())).toEqual(['ERROR d'])
    expect(look()).toMatchObject({ held: 4, rows: 1 })
  })

  it('forgets the oldest lines when its room is used up, and counts them', () => {
    const { push, look } = start({ budget: 200_000 })
    const line = 'x'.repeat(90)
    for (let n = 0; n < 20; n++) push(Array.from({ length: 500 }, (_, i) => `${line} ${n * 500 + i}\n`).join(''))
    const { total, held, dropped, bytes: used, lines } = look()
    expect(total).toBe(10_000)
    expect(held + dropped).toBe(10_000)
    expect(used).toBeLessThan(330_000)
    expect(lines).toHaveLength(held)
    expect(lines.at(-1)?.text).toBe(`${line} 9999`)
    expect(lines[0]?.text).toBe(`${line} ${dropped}`)
  })

  it('leaves out what is later than what is wanted', () => {
    const { engine, look } = start()
    engine.handle({ op: 'source', source: 5, label: 'five', untilMs: BASE * 1000 + 1500 })
    engine.handle({ op: 'push', source: 5, bytes: bytes('2026-11-21T12:00:01Z a\n2026-11-21T12:00:02Z b\n') })
    expect(texts(look())).toEqual(['a'])
  })

  it('is given as text, whole or as it is filtered, with whose line it is where there are several', () => {
    const one = start()
    one.push('2026-11-21T12:00:00.5Z a\n2026-11-21T12:00:01Z ERROR b\n')
    expect(one.engine.handle({ op: 'text', shown: false })?.parts?.join('')).toBe(
      '2026-11-21T12:00:00.500000000Z a\n2026-11-21T12:00:01.000000000Z ERROR b\n',
    )
    const two = start({ sources: 2 })
    two.push('2026-11-21T12:00:00Z a\n', 0)
    two.push('2026-11-21T12:00:00Z ERROR b\n', 1)
    two.filter('', { level: 4 })
    expect(two.engine.handle({ op: 'text', shown: true })?.parts?.join('')).toBe('s1 2026-11-21T12:00:00.000000000Z ERROR b\n')
  })
})

describe('a search', () => {
  const many = (n: number) => Array.from({ length: n }, (_, i) => `${timeText(BASE + i, 0)} line ${i} ${i % 10 ? 'ok' : 'slow'}\n`).join('')

  it('counts lines, not places, and follows what comes', () => {
    const { push, look, filter } = start()
    push(many(3000))
    filter('slow')
    expect(look().matches).toBe(300)
    push('slow slow slow\n')
    expect(look().matches).toBe(301)
    filter('line 2999')
    expect(look().matches).toBe(1)
    filter('/^line 1\\d ok$/')
    expect(look().matches).toBe(9)
    filter('/ok\\s+line/')
    expect(look().matches, 'over the end of a line').toBe(0)
  })

  it('goes from match to match, the newest first, and round', () => {
    const { engine, push, look, filter } = start()
    push(many(3000))
    filter('slow')
    look()
    expect(engine.handle({ op: 'step', by: -1 })).toEqual({ index: 2990 })
    expect(engine.handle({ op: 'step', by: -1 })).toEqual({ index: 2980 })
    expect(look().hit).toMatchObject({ ordinal: 298 })
    expect(engine.handle({ op: 'step', by: 1 })).toEqual({ index: 2990 })
    expect(engine.handle({ op: 'step', by: 1 })).toEqual({ index: 0 })
  })

  it('can show only what matches, marks among it', () => {
    const { engine, push, look, filter } = start()
    push(many(2000))
    engine.handle({ op: 'restart', source: 0 })
    filter('slow', { only: true })
    const { rows, lines } = look(198, 10)
    expect(rows).toBe(201)
    expect(lines.map(({ text, mark }) => mark?.kind ?? text)).toEqual(['line 1980 slow', 'line 1990 slow', 'restart'])
  })

  it('finds nothing in what is hidden', () => {
    const { push, look, filter } = start({ sources: 2 })
    push('2026-11-21T12:00:00Z x\n', 0)
    push('2026-11-21T12:00:00Z x\n', 1)
    filter('x', { hidden: [1] })
    expect(look().matches).toBe(1)
  })
})

describe('what is on screen', () => {
  it('stays with its lines while others come before it and leave', () => {
    const { push, look, engine } = start({ sources: 2 })
    push(Array.from({ length: 100 }, (_, i) => `${timeText(BASE + i, 0)} a${i}\n`).join(''), 0)
    expect(look(50, 3).lines.map(({ text }) => text)).toEqual(['a50', 'a51', 'a52'])
    push(Array.from({ length: 10 }, (_, i) => `${timeText(BASE + i, 5)} b${i}\n`).join(''), 1)
    engine.handle({ op: 'hold', on: false })
    const now = look(60, 3)
    expect([now.from, now.lines.map(({ text }) => text)]).toEqual([60, ['a50', 'a51', 'a52']])
  })

  it('is the end while it is followed, and stands still while it is held', () => {
    const { push, look, engine } = start()
    push('a\nb\nc\n')
    expect(texts(look(0, 2, true))).toEqual(['b', 'c'])
    engine.handle({ op: 'hold', on: true })
    push('d\ne\n')
    const held = look(0, 2, true)
    expect([texts(held), held.rows, held.newer]).toEqual([['b', 'c'], 3, 2])
    engine.handle({ op: 'hold', on: false })
    expect(texts(look(0, 2, true))).toEqual(['d', 'e'])
  })

  it('can be found by its time', () => {
    const { engine, push, look } = start()
    push(Array.from({ length: 3000 }, (_, i) => `${timeText(BASE + i, 0)} ${i}\n`).join(''))
    look()
    expect(engine.handle({ op: 'timeIndex', ms: (BASE + 2500) * 1000 })).toEqual({ index: 2500 })
    expect(engine.handle({ op: 'timeIndex', ms: (BASE + 2500) * 1000 + 1 })).toEqual({ index: 2501 })
    expect(engine.handle({ op: 'timeIndex', ms: 0 })).toEqual({ index: 0 })
  })
})
