/** A deep copy of a JSON value that may be changed. */
export function thaw<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map((item: unknown) => thaw(item)) as T
  const copy: Record<string, unknown> = {}
  for (const key in value) copy[key] = thaw<unknown>(value[key])
  return copy as T
}
