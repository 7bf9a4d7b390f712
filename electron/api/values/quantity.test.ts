import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  addQuantity,
  canonicalQuantity,
  compareQuantity,
  formatQuantity,
  mulQuantity,
  parseQuantity,
  QuantityError,
  quantityOf,
  roundUpQuantity,
  scaledValue,
  subQuantity,
  toMilli,
  toUnits,
  tryQuantity,
} from './quantity.ts'

describe('canonical form', () => {
  it.each([
    ['0', '0'],
    ['0Mi', '0'],
    ['-0', '0'],
    ['1', '1'],
    ['0.5', '500m'],
    ['.5', '500m'],
    ['1.5', '1500m'],
    ['100m', '100m'],
    ['1000m', '1'],
    ['0.1m', '100u'],
    ['0.0000000001', '1n'],
    ['-0.0000000001', '-1n'],
    ['1000', '1k'],
    ['1024', '1024'],
    ['1000000', '1M'],
    ['2000k', '2M'],
    ['1500M', '1500M'],
    ['1024Ki', '1Mi'],
    ['1536Mi', '1536Mi'],
    ['1.5Gi', '1536Mi'],
    ['0.5Ki', '512'],
    ['1Ki', '1Ki'],
    ['1000Ki', '1000Ki'],
    ['2048Mi', '2Gi'],
    ['1.1Ki', '1126400m'],
    ['0.1Ki', '102400m'],
    ['100Ei', '9223372036854775807'],
    ['-1.5Gi', '-1536Mi'],
    ['12e6', '12e6'],
    ['1.5e3', '1500'],
    ['1E3', '1E3'],
    ['1500e3', '1500e3'],
    ['1000e3', '1e6'],
    ['1e-3', '1e-3'],
    ['1000E', '1000E'],
    ['1000000E', '1000000E'],
    [' 64Mi ', '64Mi'],
  ])('of %j is %j', (written, canonical) => {
    expect(canonicalQuantity(written)).toBe(canonical)
  })

  it('takes numbers as JSON has them', () => {
    expect(canonicalQuantity(2)).toBe('2')
    expect(canonicalQuantity(0.25)).toBe('250m')
  })

  it('keeps the text where upstream does', () => {
    expect(canonicalQuantity('1.500')).toBe('1.500')
    expect(canonicalQuantity('1.')).toBe('1.')
    expect(canonicalQuantity('0.500')).toBe('500m')
    expect(canonicalQuantity('+5')).toBe('+5')
  })

  it.each([
    ['', 'quantities must match the regular expression'],
    ['x', 'quantities must match the regular expression'],
    ['1 Gi', 'quantities must match the regular expression'],
    ['1.2.3', 'quantities must match the regular expression'],
    ['1Gib', 'quantities must match the regular expression'],
    ['1kk', "unable to parse quantity's suffix"],
    ['1e', "unable to parse quantity's suffix"],
    ['1ki', "unable to parse quantity's suffix"],
    ['1e99999', "unable to parse quantity's suffix"],
  ])('refuses %j', (written, message) => {
    expect(() => parseQuantity(written)).toThrow(message)
    expect(() => parseQuantity(written)).toThrow(QuantityError)
    expect(tryQuantity(written)).toBeNull()
  })
})

describe('arithmetic', () => {
  it('adds and subtracts across units, in the first one’s family', () => {
    expect(formatQuantity(addQuantity('1Gi', '512Mi'))).toBe('1536Mi')
    expect(formatQuantity(addQuantity('1', '500m'))).toBe('1500m')
    expect(formatQuantity(addQuantity('0', '1Gi'))).toBe('1Gi')
    expect(formatQuantity(subQuantity('1Gi', '1Gi'))).toBe('0')
    expect(formatQuantity(subQuantity('500m', '1'))).toBe('-500m')
    expect(formatQuantity(mulQuantity('250m', 4))).toBe('1')
  })

  it('compares values, not texts', () => {
    expect(compareQuantity('1', '1000m')).toBe(0)
    expect(compareQuantity('1Ki', '1k')).toBe(1)
    expect(compareQuantity('-1', '1n')).toBe(-1)
  })

  it('rounds away from zero', () => {
    expect(toMilli('1.0001')).toBe(1001)
    expect(toMilli('-1.0001')).toBe(-1001)
    expect(toUnits('1.5')).toBe(2)
    expect(scaledValue('1500', 3)).toBe(2n)
    expect(formatQuantity(roundUpQuantity('1u', -3))).toBe('1m')
    expect(formatQuantity(roundUpQuantity('100m', -3))).toBe('100m')
  })
})

const amounts = fc.record({
  unscaled: fc.bigInt({ min: -(10n ** 17n), max: 10n ** 17n }),
  exponent: fc.integer({ min: -9, max: 6 }),
  format: fc.constantFrom('DecimalSI' as const, 'DecimalExponent' as const),
})
fc.configureGlobal({ seed: 20261121, numRuns: 300 })

describe('properties', () => {
  it('what is written is read back as the same value', () => {
    fc.assert(fc.property(amounts, (q) => compareQuantity(formatQuantity(q), q) === 0))
  })

  it('the canonical form of a decimal is its own canonical form', () => {
    fc.assert(
      fc.property(amounts, ({ unscaled, exponent }) => {
        const text = formatQuantity({ unscaled, exponent, format: 'DecimalSI' })
        return canonicalQuantity(text) === text
      }),
    )
  })

  it('adding and taking away again changes nothing', () => {
    fc.assert(fc.property(amounts, amounts, (a, b) => compareQuantity(subQuantity(addQuantity(a, b), b), a) === 0))
  })

  it('comparison agrees with the sign of the difference', () => {
    fc.assert(fc.property(amounts, amounts, (a, b) => Math.sign(Number(subQuantity(a, b).unscaled)) === compareQuantity(a, b)))
  })

  it('a binary count of bytes survives in its largest unit', () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: 1n, max: 2n ** 62n }),
        (bytes) => scaledValue(formatQuantity(quantityOf(bytes, 'BinarySI')), 0) === bytes,
      ),
    )
  })
})
