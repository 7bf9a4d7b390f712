/** An applied configuration merged onto an object. Nothing is taken away by it. Source: structured-merge-diff `typed.Merge`. */
import { setOwn, type JsonObject } from '../json-value.ts'
import type { ListType, Type } from '../schema/type.ts'
import type { PathElement } from './path-element.ts'
import { asItems, asObject, childType, elementOf, isHollow, shapeOf } from './shape.ts'

/** Shares with both. */
export function mergeConfiguration(live: unknown, config: unknown, type: Type): unknown {
  if (config === undefined) return live
  if (live === undefined || (isHollow(live) && isHollow(config))) return config
  const [old, now] = [shapeOf(type, live), shapeOf(type, config)]
  if (old === 'object' && (now === 'object' || config === null)) return mergeFields(asObject(live), asObject(config), type)
  if (live === null && now === 'object') return config
  if (old === 'list' && now === 'list' && type.kind === 'list') return mergeItems(asItems(live), asItems(config), type)
  return config
}

function mergeFields(live: JsonObject, config: JsonObject, type: Type): JsonObject {
  const out = { ...live }
  for (const [key, value] of Object.entries(config))
    setOwn(out, key, mergeConfiguration(Object.hasOwn(live, key) ? live[key] : undefined, value, childType(type, key)))
  return out
}

/**
 * Items that both have stand in the configuration's order; what only the object has stays as near as that allows to where it was,
 * and what only the configuration has follows what is before it there.
 */
function mergeItems(live: readonly unknown[], config: readonly unknown[], type: ListType): unknown[] {
  const lefts = live.map((item) => elementOf(type, item))
  const rights = config.map((item) => elementOf(type, item))
  const byLeft = new Map<PathElement, unknown>()
  for (const [i, element] of lefts.entries()) byLeft.set(element, byLeft.has(element) ? null : live[i])
  const byRight = new Map(rights.map((element, i) => [element, config[i]]))
  const shared = rights.filter((element) => byLeft.has(element))
  const merged = new Set<PathElement>()
  const out: unknown[] = []
  let next = 0
  const take = (element: PathElement) => {
    merged.add(element)
    out.push(mergeConfiguration(byLeft.get(element), byRight.get(element), type.items))
    if (shared[next] === element) next++
  }
  for (let l = 0, r = 0; l < lefts.length || r < rights.length;) {
    const [left, right] = [lefts[l], rights[r]]
    if (left !== undefined && right !== undefined) {
      if (left === right) {
        take(right)
        l++
        r++
        continue
      }
      if (byRight.has(left) && shared[next] !== undefined && shared[next] !== left) {
        l++
        continue
      }
    }
    if (left !== undefined) {
      if (!byRight.has(left)) {
        out.push(live[l++])
        continue
      }
      if (merged.has(left)) l++
    }
    if (right !== undefined) {
      take(right)
      r++
    }
  }
  return out
}
