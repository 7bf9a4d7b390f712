/**
 * Freezes JSON data to its depths, so that an object that many share cannot be changed by one of them. What is frozen already is
 * taken to be so to its depths.
 */
export function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  if (Array.isArray(value)) for (const item of value as unknown[]) deepFreeze(item)
  else for (const key in value) deepFreeze(value[key])
  return Object.freeze(value)
}

/** The type with everything in it open to change, as `thaw` gives it. */
export type Thawed<T> = T extends readonly (infer U)[] ? Thawed<U>[] : T extends object ? { -readonly [K in keyof T]: Thawed<T[K]> } : T

/** A copy of JSON data that may be changed. */
export function thaw<T>(value: T): Thawed<T> {
  if (typeof value !== 'object' || value === null) return value as Thawed<T>
  if (Array.isArray(value)) return value.map((item: unknown) => thaw(item)) as Thawed<T>
  const out: Record<string, unknown> = {}
  for (const [key, item] of Object.entries(value)) {
    if (key === '__proto__') Object.defineProperty(out, key, { value: thaw(item), writable: true, enumerable: true, configurable: true })
    else out[key] = thaw(item)
  }
  return out as Thawed<T>
}
