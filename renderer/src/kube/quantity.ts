/** Quantities as a person reads them. */
import { decimal } from '../i18n/numbers.ts'

export { amount, parseQuantity, percent } from '../../../electron/contracts/lists/quantity.ts'

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
