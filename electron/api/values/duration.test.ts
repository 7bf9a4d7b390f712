import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatDurationNanos, humanDuration, parseDuration, parseDurationNanos, formatDuration, shortHumanDuration } from './duration.ts'

const S = 1000
const M = 60 * S
const H = 60 * M
const D = 24 * H

describe('humanDuration', () => {
  it.each([
    [-5 * S, '<invalid>'],
    [-1 * S, '0s'],
    [0, '0s'],
    [999, '0s'],
    [119 * S, '119s'],
    [120 * S, '2m'],
    [3 * M + 12 * S, '3m12s'],
    [10 * M, '10m'],
    [179 * M + 59 * S, '179m'],
    [3 * H, '3h'],
    [7 * H + 59 * M, '7h59m'],
    [8 * H + 30 * M, '8h'],
    [47 * H, '47h'],
    [48 * H, '2d'],
    [2 * D + 4 * H, '2d4h'],
    [8 * D, '8d'],
    [729 * D, '729d'],
    [730 * D, '2y'],
    [731 * D, '2y1d'],
    [8 * 365 * D, '8y'],
    [2919 * D, '7y364d'],
  ])('of %d ms is %s', (ms, text) => {
    expect(humanDuration(ms)).toBe(text)
  })
})

describe('shortHumanDuration', () => {
  it.each([
    [59 * S, '59s'],
    [60 * S, '1m'],
    [59 * M, '59m'],
    [23 * H, '23h'],
    [24 * H, '1d'],
    [366 * D, '1y'],
  ])('of %d ms is %s', (ms, text) => {
    expect(shortHumanDuration(ms)).toBe(text)
  })
})

describe('Go durations', () => {
  it.each([
    ['0', 0],
    ['1h30m', 5_400_000],
    ['1.5s', 1500],
    ['.5s', 500],
    ['-2m', -120_000],
    ['100ms', 100],
    ['250us', 0.25],
    ['1h0.5m', 3_630_000],
  ])('reads %s as %d ms', (text, ms) => {
    expect(parseDuration(text)).toBe(ms)
  })

  it.each(['', '1', '1d', 'h', '1h 2m', '5 s', '--1s', '9999999999h'])('does not read %j', (text) => {
    expect(parseDuration(text)).toBeNull()
  })

  it.each([
    [0, '0s'],
    [1500, '1.5s'],
    [90_000, '1m30s'],
    [3_600_000, '1h0m0s'],
    [100, '100ms'],
    [0.25, '250µs'],
    [-1500, '-1.5s'],
  ])('writes %d ms as %s', (ms, text) => {
    expect(formatDuration(ms)).toBe(text)
  })

  it('reads what it writes', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 62n), max: 2n ** 62n }), (n) => parseDurationNanos(formatDurationNanos(n)) === n),
      { seed: 7 },
    )
  })
})
