/** What changed from one object to another, as sets of paths. Source: structured-merge-diff `typed.Compare`. */
import { jsonEqual } from '../json-value.ts'
import type { ListType, Type } from '../schema/type.ts'
import { FieldSet } from './field-set.ts'
import { fieldElement, type PathElement } from './path-element.ts'
import { asItems, asObject, elementOf, isHollow, shapeOf } from './shape.ts'

/** No path is in more than one of the sets. */
export interface Comparison {
  readonly added: FieldSet
  readonly removed: FieldSet
  readonly modified: FieldSet
}

export function compareObjects(before: unknown, after: unknown, type: Type): Comparison {
  const level = new Level()
  compareContents(level, before, after, type)
  return level
}

class Level implements Comparison {
  readonly added = new FieldSet()
  readonly removed = new FieldSet()
  readonly modified = new FieldSet()

  attach(element: PathElement, below: Level): void {
    if (!below.added.isEmpty) this.added.children.set(element, below.added)
    if (!below.removed.isEmpty) this.removed.children.set(element, below.removed)
    if (!below.modified.isEmpty) this.modified.children.set(element, below.modified)
  }
}

function compareAt(level: Level, element: PathElement, before: unknown, after: unknown, type: Type): void {
  if (before === after && before !== undefined) return
  const below = new Level()
  const isLeaf = compareContents(below, before, after, type)
  level.attach(element, below)
  if (before === undefined) level.added.members.add(element)
  else if (after === undefined) level.removed.members.add(element)
  else if (isLeaf && !jsonEqual(before, after)) level.modified.members.add(element)
}

/** Returns whether the values are compared as a whole, which is left to the caller. */
function compareContents(level: Level, before: unknown, after: unknown, type: Type): boolean {
  if (isHollow(before) && isHollow(after)) return true
  const [old, now] = [shapeOf(type, before), shapeOf(type, after)]
  if (old.kind === 'object' || now.kind === 'object') {
    const child = old.kind === 'object' ? old.child : now.kind === 'object' ? now.child : () => type
    const [left, right] = [asObject(before), asObject(after)]
    for (const key in left) compareAt(level, fieldElement(key), left[key], Object.hasOwn(right, key) ? right[key] : undefined, child(key))
    for (const key in right) if (!Object.hasOwn(left, key)) compareAt(level, fieldElement(key), undefined, right[key], child(key))
    const mixed = (old.kind === 'leaf' && before != null) || (now.kind === 'leaf' && after != null)
    return mixed
  }
  if (old.kind === 'list' && now.kind === 'list') {
    compareItems(level, asItems(before), asItems(after), old.type)
    return false
  }
  return true
}

/** Items that are there more than once are taken together. */
function compareItems(level: Level, before: readonly unknown[], after: readonly unknown[], type: ListType): void {
  const [left, right] = [grouped(before, type), grouped(after, type)]
  for (const element of new Set([...left.keys(), ...right.keys()])) {
    const [old, now] = [left.get(element) ?? [], right.get(element) ?? []]
    if (old.length <= 1 && now.length <= 1) compareAt(level, element, old[0], now[0], type.items)
    else if (old.length > 1 && now.length > 1) {
      if (!jsonEqual(old, now)) level.modified.members.add(element)
    } else if (old.length > 1) {
      if (now.length > 0) compareAt(level, element, undefined, now[0], type.items)
      level.removed.members.add(element)
    } else {
      if (old.length > 0) compareAt(level, element, old[0], undefined, type.items)
      level.added.members.add(element)
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
