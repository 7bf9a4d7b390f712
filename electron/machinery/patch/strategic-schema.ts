/** What strategic merge patch needs to know of a type, and the words for what is wrong with a patch. */
import { goFormat, isObject, type JsonObject } from '../json-value.ts'
import type { PatchRule, Type } from '../schema/type.ts'
import { badRequest, type StatusError } from '../status.ts'
import { unprocessablePatch } from './json-patch.ts'

export const DIRECTIVE = '$patch'
export const RETAIN_KEYS = '$retainKeys'
export const DELETE_FROM_LIST = '$deleteFromPrimitiveList'
export const SET_ORDER = '$setElementOrder'

/** The type at some place of an object; null where no schema describes it. */
export type Level = Type | null

export interface Entry {
  readonly type: Level
  readonly rule: PatchRule
}

const NO_RULE: PatchRule = Object.freeze({ strategy: null, retainKeys: false, mergeKey: undefined })
const UNDESCRIBED: Entry = Object.freeze({ type: null, rule: NO_RULE })

/** What is under a key. Throws StatusError `BadRequest` where the type has no such field. */
export function entryOf(level: Level, key: string): Entry {
  const type = level?.kind === 'union' ? level.object : level
  if (type?.kind === 'map') return { type: type.values, rule: NO_RULE }
  if (type?.kind !== 'struct') return UNDESCRIBED
  const field = type.fields.get(key)
  if (field) return { type: field.type, rule: field.patch }
  if (type.keepUnknown) return UNDESCRIBED
  throw badRequest(`unable to find api field in struct ${type.name} for the json field ${JSON.stringify(key)}`)
}

export function itemsOf(level: Level): Level {
  return level?.kind === 'list' ? level.items : null
}

/** "$setElementOrder/containers" -> "containers". */
export function listOfDirective(key: string, prefix: typeof DELETE_FROM_LIST | typeof SET_ORDER): string {
  const name = key.slice(prefix.length + 1)
  if (!key.startsWith(`${prefix}/`)) throw prefix === SET_ORDER ? badOrderList() : badRequest('invalid patch format of primitive list')
  return name
}

export const isOrderKey = (key: string) => key.startsWith(SET_ORDER)
export const isDeletionKey = (key: string) => key.startsWith(DELETE_FROM_LIST)

/** The type that all items of merging lists have. Null if there are no items. Throws StatusError. */
export function elementKind(...lists: readonly (readonly unknown[])[]): 'map' | 'scalar' | null {
  let found: string | null = null
  for (const item of lists.flat(1)) {
    const kind = Array.isArray(item) ? 'list' : isObject(item) ? 'map' : item === null ? 'nil' : typeof item
    if (kind === 'list') throw unprocessablePatch('lists of lists are not supported')
    if (found !== null && kind !== found) throw unprocessablePatch(`list element types are not identical: ${goFormat(lists)}`)
    found = kind
  }
  return found === null ? null : found === 'map' ? 'map' : 'scalar'
}

export function mergeKeyOf(item: unknown, mergeKey: string): unknown {
  if (!isObject(item)) throw expected('map[string]interface {}', item)
  if (!Object.hasOwn(item, mergeKey)) throw unprocessablePatch(`map: ${goFormat(item)} does not contain declared merge key: ${mergeKey}`)
  return item[mergeKey]
}

export function asList(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw expected('[]interface {}', value)
  return value
}

export function badPatchType(directive: unknown, patch: JsonObject): StatusError {
  return unprocessablePatch(`unknown patch type: ${goFormat(directive)} in map: ${goFormat(patch)}`)
}

export const badOrderList = () => badRequest('invalid patch format of setElementOrder list')
export const badRetainKeys = () => badRequest('invalid patch format of retainKeys')

function expected(type: string, actual: unknown): StatusError {
  const got =
    actual === null ? '%!s(<nil>)' : Array.isArray(actual) ? '[]interface {}' : isObject(actual) ? 'map[string]interface {}' : typeof actual
  return unprocessablePatch(`expected a ${type}, but received a ${got}`)
}
