/** An object without some of its fields and items. Source: structured-merge-diff `typed.RemoveItems`. */
import { setOwn, type JsonObject } from '../json-value.ts'
import type { Type } from '../schema/type.ts'
import type { FieldSet } from './field-set.ts'
import { fieldElement } from './path-element.ts'
import { asItems, asObject, childType, elementOf, isHollow, shapeOf } from './shape.ts'

/** A place in the result of `removeFields` where something became null. */
export interface Emptied {
  readonly holder: JsonObject | unknown[]
  readonly key: string | number
}

/**
 * Shares with the object. What has nothing left becomes null: it is there still, for those who own it. What is owned as a whole
 * has nothing left when anything in it goes.
 */
export function removeFields(value: unknown, gone: FieldSet, type: Type, emptied: Emptied[] = []): unknown {
  const shape = shapeOf(type, value)
  if (isHollow(value)) return value
  if (shape === 'leaf') return typeof value === 'object' ? null : value
  if (shape === 'list' && type.kind === 'list') {
    const items: unknown[] = []
    for (const item of asItems(value)) {
      const element = elementOf(type, item)
      if (gone.members.has(element)) continue
      const below = gone.children.get(element)
      const left = below && !below.isEmpty ? removeFields(item, below, type.items, emptied) : item
      if (left === null) emptied.push({ holder: items, key: items.length })
      items.push(left)
    }
    return items.length > 0 ? items : null
  }
  const out: JsonObject = {}
  for (const [key, item] of Object.entries(asObject(value))) {
    const element = fieldElement(key)
    if (gone.members.has(element)) continue
    const below = gone.children.get(element)
    const left = below && !below.isEmpty ? removeFields(item, below, childType(type, key), emptied) : item
    if (left === null && item !== null) emptied.push({ holder: out, key })
    setOwn(out, key, left)
  }
  return isHollow(out) ? null : out
}

/** Takes the nulls away again; an item of a list stays, with nothing in it. */
export function dropEmptied(emptied: readonly Emptied[]): void {
  for (const { holder, key } of emptied) {
    if (Array.isArray(holder)) holder[Number(key)] = {}
    else delete holder[key]
  }
}
