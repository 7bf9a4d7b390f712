/** Kubernetes quantities for display and sums, as plain numbers: cores, bytes, counts. Source: apimachinery `api/resource`. */
import { decimal } from '../i18n/numbers.ts'

const SUFFIX: Readonly<Record<string, number>> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
}

/** NaN for what is no quantity. */
export function parseQuantity(text: string | number | undefined | null): number {
  if (typeof text === 'number') return text
  const match = /^([+-]?(?:\d+\.?\d*|\.\d+))(?:([eE][+-]?\d+)|([numkMGTPE]|[KMGTPE]i)?)$/.exec((text ?? '').trim())
  if (!match) return Number.NaN
  if (match[2]) return Number(match[1] + match[2])
  return Number(match[1]) * (SUFFIX[match[3] ?? ''] ?? Number.NaN)
}

/** 0 for what is absent or no quantity: for sums. */
export function amount(text: string | number | undefined | null): number {
  const value = parseQuantity(text)
  return Number.isNaN(value) ? 0 : value
}

const short = (n: number, digits: number) => decimal(String(Number(n.toFixed(digits))))

/** Cores: "250m", "1.5", "12". */
export function cores(n: number): string {
  if (n === 0) return '0'
  if (n < 1) return `${short(n * 1000, 0)}m`
  return short(n, n < 10 ? 2 : 1)
}

/** Cores of a sum, always with one decimal: "11.8". */
export const coreSum = (n: number): string => (Number.isInteger(n) ? String(n) : decimal(n.toFixed(1)))

const UNITS = ['B', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi'] as const

/** Bytes with their binary unit: "256 Mi", "1.7 Gi". */
export function bytes(n: number): string {
  const { value, unit } = byteParts(n)
  return `${value} ${unit}`
}

/** The same in two parts; `as` fixes the unit, for "10.4 of 12 Gi". */
export function byteParts(n: number, as?: string): { value: string; unit: string } {
  const fixed = UNITS.indexOf(as as (typeof UNITS)[number])
  let exponent = fixed
  if (exponent < 0) for (exponent = 0; exponent < UNITS.length - 1 && Math.abs(n) >= 1024 ** (exponent + 1);) exponent++
  const value = n / 1024 ** exponent
  const size = Math.abs(value)
  const digits = exponent < 3 || size >= 100 ? 0 : size < 1 ? 2 : 1
  return { value: short(value, digits), unit: UNITS[exponent] ?? 'B' }
}

/** The shortest canonical quantity for a number of bytes that is a whole number of Mi: "384Mi", "2Gi". */
export function memoryQuantity(n: number): string {
  const mi = Math.ceil(n / 2 ** 20)
  return mi % 1024 === 0 ? `${mi / 1024}Gi` : `${mi}Mi`
}

/** Whole percent; 0 of nothing is 0. */
export const percent = (part: number, whole: number): number => (whole > 0 ? Math.round((part / whole) * 100) : 0)
