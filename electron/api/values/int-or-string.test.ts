import { describe, expect, it } from 'vitest'
import {
  intValue,
  nonNegativeIntOrPercent,
  notMoreThan100Percent,
  percentOf,
  portNumberOrName,
  scaledIntOrPercent,
} from './int-or-string.ts'

describe('percentages', () => {
  it('scale with the rounding asked for', () => {
    expect(scaledIntOrPercent('25%', 10, 'up')).toBe(3)
    expect(scaledIntOrPercent('25%', 10, 'down')).toBe(2)
    expect(scaledIntOrPercent(4, 10, 'up')).toBe(4)
    expect(scaledIntOrPercent('http', 10, 'up')).toBeNull()
    expect(percentOf('25%')).toBe(25)
    expect(percentOf('25')).toBeNull()
  })

  it('are checked as upstream does', () => {
    expect(nonNegativeIntOrPercent('a', '10%')).toEqual([])
    expect(nonNegativeIntOrPercent('a', -1)[0]?.message).toBe('Invalid value: -1: must be greater than or equal to 0')
    expect(nonNegativeIntOrPercent('a', '10')[0]?.message).toBe(
      "Invalid value: \"10\": a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')",
    )
    expect(notMoreThan100Percent('a', '101%')[0]?.message).toBe('Invalid value: "101%": must not be greater than 100%')
    expect(notMoreThan100Percent('a', 1000)).toEqual([])
  })
})

describe('ports', () => {
  it('are numbers or names', () => {
    expect(portNumberOrName('p', 80)).toEqual([])
    expect(portNumberOrName('p', 'http')).toEqual([])
    expect(portNumberOrName('p', 0)[0]?.message).toBe('Invalid value: 0: must be between 1 and 65535, inclusive')
    expect(portNumberOrName('p', '80')[0]?.message).toBe('Invalid value: "80": must contain at least one letter (a-z)')
  })

  it('in text count as numbers only when they are nothing else', () => {
    expect([intValue(80), intValue('80'), intValue('http'), intValue('8x')]).toEqual([80, 80, 0, 0])
  })
})
