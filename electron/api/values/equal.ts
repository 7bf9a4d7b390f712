/**
 * Whether two decoded values mean the same: an absent member, undefined and null are one, and so are an empty list and none at
 * all. Source: apimachinery `equality.Semantic`. Decoding has made quantities canonical and left zero values out.
 */
export function semanticEqual(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true
  if (isNothing(a) || isNothing(b)) return isEmptyList(a) && isEmptyList(b)
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Array.isArray(a) || Array.isArray(b)) {
    return Array.isArray(a) && Array.isArray(b) && a.length === b.length && a.every((item, i) => semanticEqual(item, b[i]))
  }
  const [x, y] = [a as Record<string, unknown>, b as Record<string, unknown>]
  return new Set([...Object.keys(x), ...Object.keys(y)]).values().every((key) => semanticEqual(x[key], y[key]))
}

const isNothing = (value: unknown) => value === undefined || value === null
const isEmptyList = (value: unknown) => isNothing(value) || (Array.isArray(value) && value.length === 0)
