/**
 * Strategic merge patches from documents: the change from one to another (two-way), and the change that brings a live object to a
 * configuration while it keeps what others did to it (three-way, as `kubectl apply`). Source: apimachinery `util/strategicpatch`.
 */
import { getOwn, isObject, jsonEqual, setOwn, type JsonObject } from '../json-value.ts'
import type { StructType } from '../schema/type.ts'
import { unprocessablePatch } from './json-patch.ts'
import {
  DELETE_FROM_LIST,
  DIRECTIVE,
  elementKind,
  entryOf,
  itemsOf,
  mergeKeyOf,
  RETAIN_KEYS,
  SET_ORDER,
  type Entry,
  type Level,
} from './strategic-schema.ts'
import { mergeStrategicPatches } from './strategic-merge.ts'

/** `applyStrategicPatch(original, result)` gives `modified`. */
export function createTwoWayPatch(original: JsonObject, modified: JsonObject, type: StructType): JsonObject {
  return diffObjects(original, modified, type, { changes: true, deletions: true, order: true, retainKeys: false })
}

/**
 * What makes `modified` of `current`, without taking away what is only in `current`; of what was in `original` and is no more in
 * `modified`, that is taken away. `original` is empty if nothing was ever applied.
 */
export function createThreeWayPatch(original: JsonObject, modified: JsonObject, current: JsonObject, type: StructType): JsonObject {
  const delta = diffObjects(current, modified, type, { changes: true, deletions: false, order: true, retainKeys: false })
  const deletions = diffObjects(original, modified, type, { changes: false, deletions: true, order: true, retainKeys: false })
  return mergeStrategicPatches(deletions, delta, type)
}

interface DiffOptions {
  /** Additions and changes go into the patch. */
  readonly changes: boolean
  readonly deletions: boolean
  /** `$setElementOrder` goes with lists that change. */
  readonly order: boolean
  /** The objects' field has the strategy `retainKeys`. */
  readonly retainKeys: boolean
}

function diffObjects(original: JsonObject, modified: JsonObject, level: Level, options: DiffOptions): JsonObject {
  const patch: JsonObject = {}
  for (const [key, value] of Object.entries(modified)) {
    const before = getOwn(original, key)
    if (isObject(before) && isObject(value)) diffObjectField(patch, key, before, value, level, options)
    else if (Array.isArray(before) && Array.isArray(value)) diffListField(patch, key, before, value, level, options)
    else if (options.changes && !jsonEqual(before, value)) setOwn(patch, key, value)
  }
  if (options.deletions) for (const key of Object.keys(original)) if (!Object.hasOwn(modified, key)) setOwn(patch, key, null)
  if (options.retainKeys) {
    const kept = Object.keys(modified).filter((key) => modified[key] !== null)
    const lost = Object.keys(original).some((key) => original[key] !== null && !Object.hasOwn(modified, key))
    if (kept.length > 0 && (lost || Object.keys(patch).length > 0)) patch[RETAIN_KEYS] = kept.sort()
  }
  return patch
}

function diffObjectField(patch: JsonObject, key: string, before: JsonObject, value: JsonObject, level: Level, options: DiffOptions): void {
  if (jsonEqual(before, value)) return
  const { type, rule } = entryOf(level, key)
  if (rule.strategy === 'replace') {
    if (options.changes) setOwn(patch, key, value)
    return
  }
  const inner = diffObjects(before, value, type, { ...options, retainKeys: rule.retainKeys })
  if (Object.keys(inner).length > 0) setOwn(patch, key, inner)
}

function diffListField(
  patch: JsonObject,
  key: string,
  before: readonly unknown[],
  value: readonly unknown[],
  level: Level,
  options: DiffOptions,
): void {
  const entry = entryOf(level, key)
  if (entry.rule.strategy !== 'merge') {
    if (options.changes && !jsonEqual(before, value)) setOwn(patch, key, value)
    return
  }
  if (before.length === 0) {
    if (value.length > 0 && options.changes) setOwn(patch, key, value)
    return
  }
  if (elementKind(before, value) === 'map') diffMergedObjects(patch, key, before, value, entry, options)
  else diffMergedScalars(patch, key, before, value, options)
}

function diffMergedScalars(
  patch: JsonObject,
  key: string,
  before: readonly unknown[],
  value: readonly unknown[],
  options: DiffOptions,
): void {
  const added = options.changes ? value.filter((item) => !before.includes(item)) : []
  const gone = options.deletions ? [...new Set(before.filter((item) => !value.includes(item)))] : []
  if (added.length > 0) setOwn(patch, key, added)
  if (gone.length > 0) patch[`${DELETE_FROM_LIST}/${key}`] = gone
  if (options.order && value.length > 0 && (gone.length > 0 || (options.changes && !jsonEqual(before, value))))
    patch[`${SET_ORDER}/${key}`] = value
}

function diffMergedObjects(
  patch: JsonObject,
  key: string,
  before: readonly unknown[],
  value: readonly unknown[],
  { type, rule }: Entry,
  options: DiffOptions,
): void {
  const { mergeKey } = rule
  if (mergeKey === undefined) throw unprocessablePatch(`cannot merge lists without merge key for ${key}`)
  const byKey = (list: readonly unknown[]) => new Map(list.map((item) => [mergeKeyOf(item, mergeKey), item as JsonObject]))
  const [old, wanted] = [byKey(before), byKey(value)]
  const changes: JsonObject[] = []
  for (const [id, item] of wanted) {
    const known = old.get(id)
    if (!known) {
      if (options.changes) changes.push(item)
      continue
    }
    const inner = diffObjects(known, item, itemsOf(type), { ...options, retainKeys: rule.retainKeys })
    if (Object.keys(inner).length > 0) changes.push({ ...inner, [mergeKey]: id })
  }
  if (options.deletions) for (const id of old.keys()) if (!wanted.has(id)) changes.push({ [mergeKey]: id, [DIRECTIVE]: 'delete' })
  if (changes.length > 0) setOwn(patch, key, changes)
  const order = value.map((item) => mergeKeyOf(item, mergeKey))
  const sameOrder = jsonEqual(
    before.map((item) => mergeKeyOf(item, mergeKey)),
    order,
  )
  if (options.order && order.length > 0 && (changes.length > 0 || (options.changes && !sameOrder)))
    patch[`${SET_ORDER}/${key}`] = order.map((id) => ({ [mergeKey]: id }))
}
