/** Kubernetes quantities as plain numbers for display, sums and order: cores, bytes, counts. Source: apimachinery `api/resource`. */

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

/** Whole percent; 0 of nothing is 0. */
export const percent = (part: number, whole: number): number => (whole > 0 ? Math.round((part / whole) * 100) : 0)
