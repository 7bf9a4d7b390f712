/** Three versions of one object: where the edit began, what it became, and what someone else made of it meanwhile. */

type Json = unknown

const isObject = (value: Json): value is Record<string, Json> => typeof value === 'object' && value !== null && !Array.isArray(value)

function same(a: Json, b: Json): boolean {
  if (a === b) return true
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((each, index) => same(each, b[index]))
  if (!isObject(a) || !isObject(b)) return false
  const keys = new Set([...Object.keys(a), ...Object.keys(b)])
  return [...keys].every((key) => same(a[key], b[key]))
}

export interface Rebased {
  readonly result: Json
  /** Fields that both changed, to different values: "spec.replicas". The result has mine there. */
  readonly conflicts: readonly string[]
}

/** Mine on top of theirs. Lists are taken whole, as JSON merge patch (RFC 7386) does. */
export function rebase(base: Json, mine: Json, theirs: Json, path = ''): Rebased {
  if (same(mine, base)) return { result: theirs, conflicts: [] }
  if (same(theirs, base) || same(mine, theirs)) return { result: mine, conflicts: [] }
  if (!isObject(base) || !isObject(mine) || !isObject(theirs)) return { result: mine, conflicts: [path] }
  const result: Record<string, Json> = {}
  const conflicts: string[] = []
  for (const key of new Set([...Object.keys(theirs), ...Object.keys(mine)])) {
    const part = rebase(base[key], mine[key], theirs[key], path ? `${path}.${key}` : key)
    if (part.result !== undefined) result[key] = part.result
    conflicts.push(...part.conflicts)
  }
  return { result, conflicts }
}
