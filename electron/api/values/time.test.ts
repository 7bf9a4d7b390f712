import { describe, expect, it } from 'vitest'
import { age, formatMicroTime, formatTime } from './time.ts'

const AT = Date.UTC(2026, 10, 21, 8, 0, 0)

describe('timestamps', () => {
  it('Time has whole seconds, rounded down', () => {
    expect(formatTime(AT + 999)).toBe('2026-11-21T08:00:00Z')
    expect(formatTime(-1)).toBe('1969-12-31T23:59:59Z')
  })

  it('MicroTime has six decimals', () => {
    expect(formatMicroTime(AT)).toBe('2026-11-21T08:00:00.000000Z')
    expect(formatMicroTime(AT + 12.5)).toBe('2026-11-21T08:00:00.012500Z')
  })

  it('an age is how long ago it was', () => {
    expect(age('2026-11-21T07:55:00Z', AT)).toBe('5m')
    expect(age(undefined, AT)).toBe('<unknown>')
    expect(age('yesterday', AT)).toBe('<unknown>')
  })
})
