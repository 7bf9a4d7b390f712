/** All that an object mentions: its leaves, the keys of its maps, the items of its lists. Source: structured-merge-diff `typed.ToFieldSet`. */
import type { Type } from '../schema/type.ts'
import { FieldSet } from './field-set.ts'
import { fieldElement, type PathElement } from './path-element.ts'
import { asItems, asObject, childType, elementOf, isHollow, shapeOf } from './shape.ts'

export function toFieldSet(value: unknown, type: Type): FieldSet {
  const set = new FieldSet()
  collect(set, value, type)
  return set
}

/** Puts what is in the value into the set; returns whether the value is a leaf, which is its holder's to own. */
function collect(set: FieldSet, value: unknown, type: Type): boolean {
  const shape = shapeOf(type, value)
  if (shape === 'leaf') return true
  if (shape === 'list' && type.kind === 'list') {
    const counts = new Map<PathElement, unknown[]>()
    for (const item of asItems(value)) {
      const element = elementOf(type, item)
      counts.set(element, [...(counts.get(element) ?? []), item])
    }
    for (const [element, items] of counts) {
      set.add(element)
      if (items.length === 1) descend(set, element, items[0], type.items)
    }
    return false
  }
  const named = type.kind === 'struct' ? type.fields : null
  for (const [key, item] of Object.entries(asObject(value))) {
    const element = fieldElement(key)
    const leaf = descend(set, element, item, childType(type, key))
    const empty = item === null || (isHollow(item) && !Array.isArray(item))
    if (leaf || empty || !named?.has(key)) set.add(element)
  }
  return false
}

function descend(set: FieldSet, element: PathElement, value: unknown, type: Type): boolean {
  const below = new FieldSet()
  const leaf = collect(below, value, type)
  set.put(element, below)
  return leaf
}
