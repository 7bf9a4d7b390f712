import { isDeepStrictEqual } from 'node:util'

const SHOWN = 12

/** Where two values differ: `spec.a[0]: 1 became 2`. */
export function differences(one: unknown, other: unknown): string {
  const found = [...walk(one, other, '')]
  return found.slice(0, SHOWN).join('; ') + (found.length > SHOWN ? `; and ${found.length - SHOWN} more` : '')
}

function* walk(one: unknown, other: unknown, path: string): Generator<string> {
  if (isDeepStrictEqual(one, other)) return
  if (isObject(one) && isObject(other) && Array.isArray(one) === Array.isArray(other)) {
    for (const key of new Set([...Object.keys(one), ...Object.keys(other)]))
      yield* walk(one[key], other[key], path ? `${path}.${key}` : key)
    return
  }
  const shown = (value: unknown) => (value === undefined ? 'nothing' : (JSON.stringify(value) ?? 'nothing').slice(0, 300))
  yield `${path}: ${shown(one)} became ${shown(other)}`
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null
