import { describe, expect, it } from 'vitest'
import { LogBuffer } from './buffer.ts'
import { isBreak, levelOf, parseLine } from './line.ts'

const bytes = (text: string) => new TextEncoder().encode(text)
const texts = (buffer: LogBuffer) => buffer.rows.map((row) => (isBreak(row) ? `[${row.kind}]` : row.text))

describe('a line', () => {
  it('has its time apart, to nine decimals so that times compare as text', () => {
    expect(parseLine('2026-11-21T14:50:51.2Z hello', 1)).toMatchObject({ time: '2026-11-21T14:50:51.200000000Z', text: 'hello' })
    expect(parseLine('2026-11-21T16:50:51.25+02:00 hello', 1).time).toBe('2026-11-21T14:50:51.250000000Z')
    expect(parseLine('no time', 1)).toMatchObject({ time: '', text: 'no time' })
  })
  it('loses the colours of terminals', () => {
    expect(parseLine('\u001b[31mERROR\u001b[0m down', 1)).toMatchObject({ text: 'ERROR down', level: 'err' })
  })
})

describe('a level', () => {
  it.each([
    ['ERROR: down', 'err'],
    ['12:00 [WARN] heap', 'warn'],
    ['{"ts":1,"level":"error","msg":"x"}', 'err'],
    ['time=1 level=warning msg=x', 'warn'],
    ['W1121 14:50:51.208 pkg.go:1] x', 'warn'],
    ['INFO ready', 'info'],
    ['GET /errors 200', ''],
    ['no error here', ''],
  ])('of %j is %j', (text, level) => {
    expect(levelOf(text)).toBe(level)
  })
})

describe('a log', () => {
  it('joins what was cut between two chunks, within a character too', () => {
    const buffer = new LogBuffer()
    const all = bytes('one\ntwö\nthree')
    for (const byte of all) buffer.push(Uint8Array.of(byte))
    expect(texts(buffer)).toEqual(['one', 'twö'])
    buffer.flush()
    expect(texts(buffer)).toEqual(['one', 'twö', 'three'])
  })

  it('counts levels', () => {
    const buffer = new LogBuffer()
    buffer.push(bytes('ERROR a\nWARN b\nERROR c\nd\n'))
    expect(buffer.counts).toMatchObject({ err: 2, warn: 1, '': 1 })
  })

  it('leaves out what it has already when lines come again, and says that none are missing', () => {
    const buffer = new LogBuffer()
    buffer.push(bytes('2026-11-21T12:00:00.1Z a\n2026-11-21T12:00:00.2Z b\n2026-11-21T12:00:00.2Z c\n'))
    buffer.beginResume({ lostAt: 0, backAt: 3100 })
    buffer.push(
      bytes(
        '2026-11-21T12:00:00.1Z a\n2026-11-21T12:00:00.2Z b\n2026-11-21T12:00:00.2Z c\n2026-11-21T12:00:00.2Z d\n2026-11-21T12:00:01Z e\n',
      ),
    )
    const open = buffer.rows.find(isBreak)
    buffer.endResume(0, 3100)
    expect(texts(buffer)).toEqual(['a', 'b', 'c', '[gap]', 'd', 'e'])
    const gap = buffer.rows.find(isBreak)
    expect(gap, 'a row that is shown is drawn anew only if it is another').not.toBe(open)
    expect(gap?.text).toContain('3.1 s')
    expect(gap?.text).toContain('2 lines')
    expect(gap?.text).toContain('none missing')
  })

  it('says that some may be missing where the last line does not come again', () => {
    const buffer = new LogBuffer()
    buffer.push(bytes('2026-11-21T12:00:00.1Z a\n'))
    buffer.beginResume({ lostAt: 0, backAt: 1000 })
    buffer.push(bytes('2026-11-21T12:05:00Z z\n'))
    buffer.endResume(0, 1000)
    expect(buffer.rows.find(isBreak)?.text).toContain('may be missing')
  })

  it('forgets the oldest lines in blocks, and goes on counting', () => {
    const buffer = new LogBuffer({ limit: 100, block: 20 })
    buffer.push(bytes(Array.from({ length: 130 }, (_, i) => `line ${i}\n`).join('')))
    expect(buffer.size).toBeLessThanOrEqual(100)
    expect([buffer.total, buffer.dropped % 20]).toEqual([130, 0])
    expect(texts(buffer).at(-1)).toBe('line 129')
  })
})
