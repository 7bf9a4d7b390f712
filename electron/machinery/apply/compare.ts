/** What changed from one object to another, as sets of paths. Source: structured-merge-diff `typed.Compare`. */
import { jsonEqual } from '../json-value.ts'
import type { ListType, Type } from '../schema/type.ts'
import { FieldSet } from './field-set.ts'
import { fieldElement, type PathElement } from './path-element.ts'
import { asItems, asObject, childType, elementOf, isHollow, shapeOf } from './shape.ts'

/** No path is in more than one of the sets. */
export interface Comparison {
  readonly added: FieldSet
  readonly removed: FieldSet
  readonly modified: FieldSet
}

export function compareObjects(before: unknown, after: unknown, type: Type): Comparison {
  const changes = new Changes()
  compareContents(changes, before, after, type)
  return changes
}

class Changes implements Comparison {
  readonly added = new FieldSet()
  readonly removed = new FieldSet()
  readonly modified = new FieldSet()

  put(element: PathElement, below: Comparison): void {
    this.added.put(element, below.added)
    this.removed.put(element, below.removed)
    this.modified.put(element, below.modified)
  }
}

function compareAt(changes: Changes, element: PathElement, before: unknown, after: unknown, type: Type): void {
  if (before === after && before !== undefined) return
  let isLeaf = true
  if (typeof before === 'object' || typeof after === 'object') {
    const below = new Changes()
    isLeaf = compareContents(below, before, after, type)
    changes.put(element, below)
  }
  if (before === undefined) changes.added.add(element)
  else if (after === undefined) changes.removed.add(element)
  else if (isLeaf && !jsonEqual(before, after)) changes.modified.add(element)
}

/** Returns whether the values are compared as a whole, which is left to the caller. */
function compareContents(changes: Changes, before: unknown, after: unknown, type: Type): boolean {
  if (isHollow(before) && isHollow(after)) return true
  const [old, now] = [shapeOf(type, before), shapeOf(type, after)]
  if (old === 'object' || now === 'object') {
    const [left, right] = [asObject(before), asObject(after)]
    for (const key in left) {
      const value = Object.hasOwn(right, key) ? right[key] : undefined
      if (value !== left[key]) compareAt(changes, fieldElement(key), left[key], value, childType(type, key))
    }
    for (const key in right)
      if (!Object.hasOwn(left, key)) compareAt(changes, fieldElement(key), undefined, right[key], childType(type, key))
    return (old === 'leaf' && before != null) || (now === 'leaf' && after != null)
  }
  if (old !== 'list' || now !== 'list' || type.kind !== 'list') return true
  compareItems(changes, asItems(before), asItems(after), type)
  return false
}

/** Items that are there more than once are taken together. */
function compareItems(changes: Changes, before: readonly unknown[], after: readonly unknown[], type: ListType): void {
  const [left, right] = [grouped(before, type), grouped(after, type)]
  for (const element of new Set([...left.keys(), ...right.keys()])) {
    const [old, now] = [left.get(element) ?? [], right.get(element) ?? []]
    if (old.length <= 1 && now.length <= 1) compareAt(changes, element, old[0], now[0], type.items)
    else if (old.length > 1 && now.length > 1) {
      if (!jsonEqual(old, now)) changes.modified.add(element)
    } else if (old.length > 1) {
      if (now.length > 0) compareAt(changes, element, undefined, now[0], type.items)
      changes.removed.add(element)
    } else {
      if (old.length > 0) compareAt(changes, element, old[0], undefined, type.items)
      changes.added.add(element)
    }
  }
}

function grouped(items: readonly unknown[], type: ListType): Map<PathElement, unknown[]> {
  const groups = new Map<PathElement, unknown[]>()
  for (const item of items) {
    const element = elementOf(type, item)
    const group = groups.get(element)
    if (group) group.push(item)
    else groups.set(element, [item])
  }
  return groups
}
