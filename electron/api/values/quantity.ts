/**
 * Kubernetes' fixed-point numbers with units (apimachinery `api/resource.Quantity`): exact decimals on bigint, in one of three
 * families of suffixes. A quantity keeps the family it was written in.
 *
 *     <quantity> ::= <signedNumber><suffix>
 *     <suffix>   ::= Ki | Mi | Gi | Ti | Pi | Ei  |  n | u | m | "" | k | M | G | T | P | E  |  (e|E)<signedInteger>
 *
 * Finer than a nano-unit is rounded up, away from zero.
 */

export type QuantityFormat = 'DecimalSI' | 'BinarySI' | 'DecimalExponent'

/** The value is `unscaled` × 10^`exponent`. */
export interface ParsedQuantity {
  readonly unscaled: bigint
  readonly exponent: number
  readonly format: QuantityFormat
  /** The text as it was written, where upstream keeps it instead of writing the canonical form. */
  readonly text?: string
}

export class QuantityError extends Error {
  override readonly name = 'QuantityError'
}

const WRONG_FORMAT = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
const WRONG_SUFFIX = "unable to parse quantity's suffix"

const BINARY: Record<string, number> = { Ki: 10, Mi: 20, Gi: 30, Ti: 40, Pi: 50, Ei: 60 }
const DECIMAL: Record<string, number> = { n: -9, u: -6, m: -3, '': 0, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 }
const BINARY_SUFFIX = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei']
const DECIMAL_SUFFIX = new Map(Object.entries(DECIMAL).map(([suffix, exponent]) => [exponent, suffix]))
/** Larger binary quantities are cut to this: 2^63 - 1. */
const MAX_BINARY = 2n ** 63n - 1n
/** Digits that surely fit an int64; upstream's fast path, which decides whether the text is kept. */
const INT64_DIGITS = 18
const NANO = -9
/** Upstream takes any int32; what is beyond this serves only to exhaust memory. */
const MAX_EXPONENT = 9999

const SYNTAX = /^([+-]?)([0-9]*)(?:\.([0-9]*))?([eEinumkKMGTP]*[-+]?[0-9]*)$/

/** Throws QuantityError with upstream's message. Numbers are taken as they are written in JSON. */
export function parseQuantity(input: string | number): ParsedQuantity {
  const text = String(input).trim()
  const match = text === '' ? null : SYNTAX.exec(text)
  if (!match) throw new QuantityError(WRONG_FORMAT)
  const [, sign = '', digits = '', fraction = '', suffix = ''] = match
  const unit = interpretSuffix(suffix)
  const whole = digits.replace(/^0+/, '')
  const negative = sign === '-'

  const kept = keepsText(whole || '0', fraction, unit)
  let unscaled = BigInt((whole || '0') + fraction)
  let exponent = -fraction.length
  if (unit.base === 10) exponent += unit.exponent
  else unscaled <<= BigInt(unit.exponent)
  let format = unit.format
  if (exponent < NANO) {
    unscaled = ceilDiv(unscaled, 10n ** BigInt(NANO - exponent))
    exponent = NANO
  }
  if (format === 'BinarySI') {
    if (compareScaled(unscaled, exponent, MAX_BINARY, 0) > 0) [unscaled, exponent] = [MAX_BINARY, 0]
    if (fraction !== '' && unscaled > 0n && compareScaled(unscaled, exponent, 1n, 0) < 0) format = 'DecimalSI'
  }
  const signed = negative ? -unscaled : unscaled
  return kept ? { unscaled: signed, exponent, format, text } : { unscaled: signed, exponent, format }
}

interface Unit {
  readonly base: 2 | 10
  readonly exponent: number
  readonly format: QuantityFormat
}

function interpretSuffix(suffix: string): Unit {
  const decimal = DECIMAL[suffix]
  if (decimal !== undefined) return { base: 10, exponent: decimal, format: 'DecimalSI' }
  const binary = BINARY[suffix]
  if (binary !== undefined) return { base: 2, exponent: binary, format: 'BinarySI' }
  if (/^[eE][-+]?[0-9]+$/.test(suffix)) {
    const exponent = Number(suffix.slice(1))
    if (Math.abs(exponent) > MAX_EXPONENT) throw new QuantityError(WRONG_SUFFIX)
    return { base: 10, exponent, format: 'DecimalExponent' }
  }
  throw new QuantityError(WRONG_SUFFIX)
}

/** Upstream remembers the text of what its fast path takes for canonical already; clients see that text again. */
function keepsText(whole: string, fraction: string, unit: Unit): boolean {
  if (unit.base === 10) {
    const scale = unit.exponent - fraction.length
    const shifted = whole + fraction
    if (whole.length + fraction.length > INT64_DIGITS || scale < NANO) return false
    return scale % 3 === 0 && !shifted.endsWith('000') && !shifted.startsWith('0')
  }
  if (fraction !== '' || 15 - whole.length - Math.trunc((unit.exponent * 3) / 10) - 1 < 0) return false
  return (BigInt(whole) & 7n) !== 0n
}

/** The canonical text: no fraction, the largest suffix that loses nothing, "0" for zero. */
export function formatQuantity(q: ParsedQuantity): string {
  if (q.text !== undefined) return q.text
  if (q.unscaled === 0n) return '0'
  if (q.format === 'BinarySI') {
    const value = integerValue(q)
    if (value !== null && (value >= 1024n || value <= -1024n)) {
      const [mantissa, times] = removeFactors(value, 1024n, BINARY_SUFFIX.length - 1)
      return `${mantissa}${BINARY_SUFFIX[times]}`
    }
  }
  let [mantissa, exponent] = removeFactors(q.unscaled, 10n, Number.MAX_SAFE_INTEGER)
  exponent += q.exponent
  while (exponent % 3 !== 0 || (q.format !== 'DecimalExponent' && exponent > 18)) {
    mantissa *= 10n
    exponent--
  }
  if (q.format === 'DecimalExponent') return exponent === 0 ? `${mantissa}` : `${mantissa}e${exponent}`
  return `${mantissa}${DECIMAL_SUFFIX.get(exponent) ?? ''}`
}

/** As a string that Kubernetes would write for it; throws QuantityError. */
export function canonicalQuantity(input: string | number): string {
  return formatQuantity(parseQuantity(input))
}

/** The same, or null for what is no quantity. */
export function tryQuantity(input: unknown): ParsedQuantity | null {
  if (typeof input !== 'string' && typeof input !== 'number') return null
  try {
    return parseQuantity(input)
  } catch {
    return null
  }
}

type Operand = string | number | ParsedQuantity
const parsed = (q: Operand): ParsedQuantity => (typeof q === 'object' ? q : parseQuantity(q))

/** Negative, zero or positive, as `a` is less than, equal to or more than `b`. */
export function compareQuantity(a: Operand, b: Operand): number {
  const [x, y] = [parsed(a), parsed(b)]
  return compareScaled(x.unscaled, x.exponent, y.unscaled, y.exponent)
}

/** In the family of `a`, or of `b` if `a` is zero. */
export function addQuantity(a: Operand, b: Operand): ParsedQuantity {
  const [x, y] = [parsed(a), parsed(b)]
  const exponent = Math.min(x.exponent, y.exponent)
  const unscaled = rescale(x, exponent) + rescale(y, exponent)
  return { unscaled, exponent, format: x.unscaled === 0n ? y.format : x.format }
}

/** In the family of `a`, or of `b` if `a` is zero. */
export function subQuantity(a: Operand, b: Operand): ParsedQuantity {
  const y = parsed(b)
  return addQuantity(a, { unscaled: -y.unscaled, exponent: y.exponent, format: y.format })
}

/** Times a whole number. */
export function mulQuantity(a: Operand, times: number | bigint): ParsedQuantity {
  const x = parsed(a)
  return { unscaled: x.unscaled * BigInt(times), exponent: x.exponent, format: x.format }
}

/** The value divided by 10^scale, rounded up away from zero: scale 0 is the value, -3 its thousandths. */
export function scaledValue(a: Operand, scale: number): bigint {
  const x = parsed(a)
  if (x.exponent >= scale) return rescale(x, scale)
  const divisor = 10n ** BigInt(scale - x.exponent)
  return x.unscaled < 0n ? -ceilDiv(-x.unscaled, divisor) : ceilDiv(x.unscaled, divisor)
}

/** Whole units (bytes, cores, pods), rounded up; exact up to 2^53. */
export function toUnits(a: Operand): number {
  return Number(scaledValue(a, 0))
}

/** Thousandths (of a core), rounded up. */
export function toMilli(a: Operand): number {
  return Number(scaledValue(a, -3))
}

/** Rounded up to 10^scale, as Kubernetes does with resource lists (scale -3). */
export function roundUpQuantity(a: Operand, scale: number): ParsedQuantity {
  const x = parsed(a)
  return x.exponent >= scale ? x : { unscaled: scaledValue(x, scale), exponent: scale, format: x.format }
}

export function quantityOf(value: number | bigint, format: QuantityFormat = 'DecimalSI', exponent = 0): ParsedQuantity {
  return { unscaled: BigInt(value), exponent, format }
}

function rescale(q: ParsedQuantity, exponent: number): bigint {
  return q.unscaled * 10n ** BigInt(q.exponent - exponent)
}

function compareScaled(a: bigint, aExponent: number, b: bigint, bExponent: number): number {
  const exponent = Math.min(aExponent, bExponent)
  const [x, y] = [a * 10n ** BigInt(aExponent - exponent), b * 10n ** BigInt(bExponent - exponent)]
  return x < y ? -1 : x > y ? 1 : 0
}

function integerValue(q: ParsedQuantity): bigint | null {
  if (q.exponent >= 0) return rescale(q, 0)
  const divisor = 10n ** BigInt(-q.exponent)
  return q.unscaled % divisor === 0n ? q.unscaled / divisor : null
}

function removeFactors(value: bigint, factor: bigint, limit: number): [bigint, number] {
  let [rest, times] = [value, 0]
  while (times < limit && rest !== 0n && rest % factor === 0n) {
    rest /= factor
    times++
  }
  return [rest, times]
}

function ceilDiv(value: bigint, divisor: bigint): bigint {
  return (value + divisor - 1n) / divisor
}
