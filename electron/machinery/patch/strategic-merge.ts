/**
 * Strategic merge patch: a merge patch that knows which lists are merged and by which key, with directives for what a plain
 * merge cannot say. Source: apimachinery `util/strategicpatch`, whose results and errors these are.
 *
 * - `$patch: replace | delete` on an object, or on an item of a list with a merge key.
 * - `$deleteFromPrimitiveList/<list>` names scalars to take out, `$setElementOrder/<list>` the order of what the patch knows.
 * - `$retainKeys` names the only fields that stay.
 *
 * Neither document is changed; the result shares with both.
 */
import { goFormat, isObject, jsonEqual, setOwn, type JsonObject } from '../json-value.ts'
import type { StructType } from '../schema/type.ts'
import { badRequest } from '../status.ts'
import { identityOf, orderElements, type Identity } from './element-order.ts'
import { unprocessablePatch } from './json-patch.ts'
import {
  asList,
  badOrderList,
  badPatchType,
  badRetainKeys,
  DIRECTIVE,
  elementKind,
  entryOf,
  isDeletionKey,
  isOrderKey,
  itemsOf,
  listOfDirective,
  DELETE_FROM_LIST,
  mergeKeyOf,
  RETAIN_KEYS,
  SET_ORDER,
  type Entry,
  type Level,
} from './strategic-schema.ts'

/**
 * Onto an `object` directives are carried out and nulls remove; onto another `patch` both are kept, so that the result has the
 * effect of the two patches one after the other.
 */
type Target = 'object' | 'patch'

/** Throws StatusError: `BadRequest` for what is no patch, `Invalid` (422) for one that does not apply. */
export function applyStrategicPatch(object: JsonObject, patch: unknown, type: StructType): JsonObject {
  if (!isObject(patch)) throw badRequest('invalid JSON document')
  return mergeObjects(object, patch, type, 'object')
}

/** One patch that does what the two do one after the other. Their `$setElementOrder` and `$retainKeys` must agree. */
export function mergeStrategicPatches(first: JsonObject, second: JsonObject, type: StructType): JsonObject {
  return mergeObjects(first, second, type, 'patch')
}

function mergeObjects(original: JsonObject, patch: JsonObject, level: Level, target: Target): JsonObject {
  if (Object.hasOwn(patch, DIRECTIVE)) {
    const { [DIRECTIVE]: directive, ...rest } = patch
    if (directive === 'replace') return rest
    if (directive === 'delete') return {}
    throw badPatchType(directive, patch)
  }
  const out = retainKeys(original, patch, target)
  const done = mergeOrderedLists(out, patch, level, target)
  for (const [key, value] of Object.entries(patch)) {
    if (key === RETAIN_KEYS || isOrderKey(key) || done.has(key)) continue
    if (isDeletionKey(key)) {
      if (target === 'patch') setOwn(out, key, value)
      else deleteFromList(out, listOfDirective(key, DELETE_FROM_LIST), value)
    } else mergeField(out, key, value, level, target)
  }
  return out
}

function mergeField(out: JsonObject, key: string, value: unknown, level: Level, target: Target): void {
  if (value === null) {
    delete out[key]
    if (target === 'object') return
  }
  const before = Object.hasOwn(out, key) ? out[key] : undefined
  if (isObject(before) && isObject(value)) {
    const { type, rule } = entryOf(level, key)
    setOwn(out, key, rule.strategy === 'replace' ? value : mergeObjects(before, value, type, target))
  } else if (Array.isArray(before) && Array.isArray(value)) {
    const entry = entryOf(level, key)
    setOwn(out, key, entry.rule.strategy === 'merge' ? mergeLists(before, value, entry, target) : value)
  } else {
    const plain = withoutDirectives(value, target)
    if (plain === undefined) delete out[key]
    else setOwn(out, key, plain)
  }
}

/** A copy of the object with only those fields that `$retainKeys` names, if the patch has it. */
function retainKeys(original: JsonObject, patch: JsonObject, target: Target): JsonObject {
  const list = patch[RETAIN_KEYS]
  if (list === undefined) return { ...original }
  if (target === 'patch') {
    const known = original[RETAIN_KEYS]
    if (known !== undefined && !jsonEqual(known, list))
      throw unprocessablePatch(
        `${goFormat(known)} and ${goFormat(list)} are not deep equal: this may happen when calculating the 3-way diff patch`,
      )
    return { ...original, [RETAIN_KEYS]: list }
  }
  if (!Array.isArray(list)) throw badRetainKeys()
  const kept = new Set<unknown>(list)
  for (const [key, value] of Object.entries(patch)) {
    if (value === null || key === RETAIN_KEYS || isDeletionKey(key) || isOrderKey(key)) continue
    if (!kept.has(key)) throw badRetainKeys()
  }
  return Object.fromEntries(Object.entries(original).filter(([key]) => kept.has(key)))
}

/** Merges the lists for which the patch has `$setElementOrder`. Returns the names of those that need nothing more. */
function mergeOrderedLists(out: JsonObject, patch: JsonObject, level: Level, target: Target): Set<string> {
  const done = new Set<string>()
  for (const [key, value] of Object.entries(patch)) {
    if (!isOrderKey(key)) continue
    if (target === 'patch') {
      const known = out[key]
      if (known !== undefined && !jsonEqual(known, value)) throw badOrderList()
      out[key] = value
    }
    const order = asList(value)
    const name = listOfDirective(key, SET_ORDER)
    const before = Object.hasOwn(out, name) && out[name] !== null ? asList(out[name]) : null
    const changes = Object.hasOwn(patch, name) && patch[name] !== null ? asList(patch[name]) : null
    const entry = entryOf(level, name)
    checkOrder(changes ?? [], order, entry.rule.mergeKey)
    if (!before && !changes) continue
    let merged = before ?? []
    if (changes) {
      if (!before) merged = asList(withoutDirectives(changes, target))
      else merged = entry.rule.strategy === 'merge' ? mergeLists(before, changes, entry, target) : changes
    }
    const identity = identityOf(entry.rule.mergeKey)
    const plain = (changes ?? []).filter((item) => !hasDirective(item))
    setOwn(out, name, orderElements(merged, order, placesOf(before ?? [], merged, plain, identity), identity))
    if (changes) done.add(name)
  }
  return done
}

const hasDirective = (item: unknown) => isObject(item) && Object.hasOwn(item, DIRECTIVE)

/** The order that the object had. New items take the places of those that went, as far as there are such places. */
function placesOf(before: readonly unknown[], merged: readonly unknown[], changes: readonly unknown[], identity: Identity): unknown[] {
  const present = new Set(merged.map(identity))
  const old = new Set(before.map(identity))
  const kept = before.filter((item) => present.has(identity(item)))
  const added = changes.filter((item) => present.has(identity(item)) && !old.has(identity(item)))
  return [...kept, ...added.slice(0, before.length - kept.length)]
}

/** The patch's items must be among those of `$setElementOrder`, in the same order. */
function checkOrder(changes: readonly unknown[], order: readonly unknown[], mergeKey: string | undefined): void {
  if (changes.length === 0 || order.length === 0) return
  const identity = identityOf(mergeKey)
  let at = 0
  for (const change of changes) {
    if (hasDirective(change)) continue
    const wanted = identity(change)
    while (at < order.length && identity(order[at]) !== wanted) at++
    if (at++ >= order.length)
      throw unprocessablePatch(`The order in patch list:\n${goFormat(changes)}\n doesn't match ${SET_ORDER} list:\n${goFormat(order)}\n`)
  }
}

function mergeLists(original: readonly unknown[], patch: readonly unknown[], { type, rule }: Entry, target: Target): unknown[] {
  const kind = elementKind(original, patch)
  if (kind === null) return [...original]
  if (kind === 'scalar') return orderElements([...new Set([...original, ...patch])], patch, original, identityOf(undefined))
  const { mergeKey } = rule
  const items = itemsOf(type)
  if (mergeKey === undefined)
    throw unprocessablePatch(`cannot merge lists without merge key for ${items?.kind === 'struct' ? items.name : ''}`)
  const { kept, changes } = carryOutItemDirectives(original, patch, mergeKey)
  const merged = [...kept]
  for (const change of changes) {
    const key = mergeKeyOf(change, mergeKey)
    const at = merged.findIndex((item) => isObject(item) && item[mergeKey] === key)
    if (at < 0) merged.push(withoutDirectives(change, target))
    else merged[at] = mergeObjects(merged[at] as JsonObject, change, items, target)
  }
  return orderElements(merged, changes, kept, identityOf(mergeKey))
}

/** Items with `$patch` say what happens to those of the object: one goes, or all are replaced by the patch's. */
function carryOutItemDirectives(original: readonly unknown[], patch: readonly unknown[], mergeKey: string) {
  const changes: JsonObject[] = []
  let kept = [...original]
  let replace = false
  for (const change of patch as readonly JsonObject[]) {
    const directive = change[DIRECTIVE]
    if (directive === undefined) changes.push(change)
    else if (directive === 'delete') {
      const key = mergeKeyOf(change, mergeKey)
      kept = kept.filter((item) => !isObject(item) || item[mergeKey] !== key)
    } else if (directive === 'replace') replace = true
    else if (directive === 'merge') throw unprocessablePatch('merging lists cannot yet be specified in the patch')
    else throw badPatchType(directive, change)
  }
  return replace ? { kept: changes, changes: [] } : { kept, changes }
}

function deleteFromList(out: JsonObject, name: string, value: unknown): void {
  const before = Object.hasOwn(out, name) ? out[name] : undefined
  if (!Array.isArray(before) || !Array.isArray(value)) return
  const gone = new Set<unknown>(value)
  setOwn(
    out,
    name,
    before.filter((item) => !gone.has(item)),
  )
}

/**
 * A part of the patch that meets nothing to merge with. What carries a directive is left out (undefined); onto an object, nulls
 * and the other directives are as well, because they have nothing to act on.
 */
function withoutDirectives(value: unknown, target: Target): unknown {
  if (Array.isArray(value)) {
    const items: unknown[] = []
    for (const item of value as readonly unknown[]) {
      const plain = withoutDirectives(item, target)
      if (plain !== undefined) items.push(plain)
    }
    return items
  }
  if (!isObject(value)) return value
  if (Object.hasOwn(value, DIRECTIVE)) return undefined
  const out: JsonObject = {}
  for (const [key, item] of Object.entries(value)) {
    if (target === 'object' && (item === null || key === RETAIN_KEYS || isOrderKey(key) || isDeletionKey(key))) continue
    const plain = withoutDirectives(item, target)
    if (plain !== undefined) setOwn(out, key, plain)
  }
  return out
}
