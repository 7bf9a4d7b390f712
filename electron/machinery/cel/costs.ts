/**
 * What calls cost while they run, in cel-go's units: about one for each thing that is looked at. Sources: cel-go `common/cost.go` and
 * `interpreter/runtimecost.go`, apiserver `cel/library/cost.go`.
 */
import { CelList, CelMap, Opaque, sizeOf, type Value } from './values.ts'

export const LIST_COST = 10
export const MAP_COST = 30
export const STRUCT_COST = 40
/** Of going through one character. */
export const TRAVERSAL = 0.1
/** Of one character of a regular expression. */
export const REGEX = 0.25
/** What a check with the authorizer costs: two are affordable in one expression. */
export const AUTHORIZATION_COST = 350_000
/** The longest regular expression behind a named format. */
export const FORMAT_REGEX_SIZE = 128

type Cost = (args: readonly Value[]) => number

const size = (args: readonly Value[], index: number): number => sizeOf(args[index] ?? null)
const traversal =
  (times = 1): Cost =>
  (args) =>
    Math.ceil(size(args, 0) * times * TRAVERSAL)

/** Of what looks at no more than its arguments. */
export const one: Cost = () => 1
const smaller: Cost = (args) => (args[0] instanceof Opaque ? 1 : Math.ceil(Math.min(size(args, 0), size(args, 1)) * TRAVERSAL))
const both: Cost = (args) => Math.ceil((size(args, 0) + size(args, 1)) * TRAVERSAL)
const regex: Cost = (args) => Math.ceil((1 + size(args, 0)) * TRAVERSAL) * Math.ceil(size(args, 1) * REGEX)
const pairs: Cost = (args) => size(args, 0) * size(args, 1) + 1
const wholeList: Cost = (args) => traverse(args[0] ?? null)
const joined: Cost = ([list, separator]) => {
  if (!(list instanceof CelList)) return 1
  let length = sizeOf(separator ?? '') * list.size
  for (const item of list) length += sizeOf(item)
  return Math.ceil(length * 2 * TRAVERSAL)
}
const FAMILY_SIZE = 16
const containsIp = (parsed: boolean, masked: boolean): Cost => {
  const fixed = Math.ceil(2 * FAMILY_SIZE * TRAVERSAL) + (masked ? Math.ceil(FAMILY_SIZE * TRAVERSAL) + 1 : 0)
  return (args) => fixed + (parsed ? Math.ceil(size(args, 1) * TRAVERSAL) : 0)
}

/** Of making a list of so many items. */
const made = (items: number): number => LIST_COST + 1 + items
/** Each item is compared with each, twice. */
const quadratic: Cost = ([list]) => {
  const first = list instanceof CelList && list.size > 0 ? list.at(0) : null
  const each = typeof first === 'string' || first instanceof Uint8Array ? 2 + TRAVERSAL : 2
  return made(Math.floor(each * sizeOf(list ?? '') ** 2))
}

const BY_FUNCTION: Readonly<Record<string, Cost>> = {
  check: () => AUTHORIZATION_COST,
  fieldSelector: selector,
  labelSelector: selector,
  isSorted: wholeList,
  sum: wholeList,
  max: wholeList,
  min: wholeList,
  indexOf: wholeList,
  lastIndexOf: wholeList,
  includes: wholeList,
  distinct: quadratic,
  sort: quadratic,
  '@sortByAssociatedKeys': (args) => quadratic([args[1] ?? null]),
  flatten: (args) => made(flatSize(args[0] ?? null)),
  slice: ([, from, to]) => made(typeof from === 'bigint' && typeof to === 'bigint' ? Math.max(0, Number(to - from)) : 0),
  reverse: (args) => made(size(args, 0)),
  'lists.range': ([count]) => made(typeof count === 'bigint' ? Math.max(0, Number(count)) : 0),
  first: one,
  last: one,
  url: traversal(),
  isURL: traversal(),
  lowerAscii: traversal(),
  upperAscii: traversal(),
  substring: traversal(),
  trim: traversal(),
  'jsonpatch.escapeKey': traversal(),
  replace: replaced,
  split: traversal(2),
  join: joined,
  find: regex,
  findAll: regex,
  cidr: traversal(),
  isIP: traversal(),
  isCIDR: traversal(),
  'ip.isCanonical': traversal(2),
  quantity: traversal(),
  isQuantity: traversal(),
  semver: traversal(),
  isSemver: traversal(),
  validate: (args) => Math.ceil((1 + size(args, 1)) * TRAVERSAL) * FORMAT_REGEX_SIZE * REGEX,
  'sets.contains': pairs,
  'sets.intersects': pairs,
  'sets.equivalent': (args) => 2 * size(args, 0) * size(args, 1) + 1,
  format: traversal(),
  'strings.quote': traversal(),
}

/** Goes through what is looked for. */
function part(args: readonly Value[]): number {
  return Math.ceil(size(args, 1) * TRAVERSAL)
}

const BY_OVERLOAD: Readonly<Record<string, Cost>> = {
  starts_with_string: part,
  ends_with_string: part,
  string_to_bytes: traversal(),
  bytes_to_string: traversal(),
  in_list: (args) => size(args, 1),
  less_string: smaller,
  less_equals_string: smaller,
  greater_string: smaller,
  greater_equals_string: smaller,
  less_bytes: smaller,
  less_equals_bytes: smaller,
  greater_bytes: smaller,
  greater_equals_bytes: smaller,
  equals: smaller,
  not_equals: smaller,
  add_string: both,
  add_bytes: both,
  matches: regex,
  matches_string: regex,
  contains_string: (args) => Math.ceil(size(args, 0) * TRAVERSAL) * Math.ceil(size(args, 1) * TRAVERSAL),
  string_to_ip: traversal(),
  cidr_contains_ip_string: containsIp(true, false),
  cidr_contains_ip_ip: containsIp(false, false),
  cidr_contains_cidr_string: containsIp(true, true),
  cidr_contains_cidr: containsIp(false, true),
}

/** Known before the call: too dear a call is not made. */
export function callCost(name: string, overload: string): Cost {
  return BY_OVERLOAD[overload] ?? (Object.hasOwn(BY_FUNCTION, name) ? BY_FUNCTION[name] : undefined) ?? one
}

/** Each requirement, of two characters at least, is a structure with a list. */
function selector(args: readonly Value[]): number {
  const length = size(args, 1)
  return LIST_COST + Math.ceil(length * TRAVERSAL) + Math.ceil(Math.ceil(length * 0.5) * (LIST_COST + STRUCT_COST))
}

/** What is put in counts too: it may be much longer than what it takes the place of. */
function replaced(args: readonly Value[]): number {
  const [text, old, next] = [size(args, 0), size(args, 1), size(args, 2)]
  const grown = next > old ? Math.ceil((text / Math.max(old, 1) + 1) * next * TRAVERSAL) : 0
  return Math.ceil(text * 2 * TRAVERSAL) + grown
}

function traverse(value: Value): number {
  if (typeof value === 'string' || value instanceof Uint8Array) return Math.floor(sizeOf(value) * TRAVERSAL)
  if (value instanceof CelList) {
    let cost = 0
    for (const item of value) cost += traverse(item)
    return cost
  }
  if (value instanceof CelMap) {
    let cost = 0
    for (const key of value.keys()) cost += traverse(key) + traverse(value.get(key) ?? null)
    return cost
  }
  return 1
}

function flatSize(value: Value): number {
  if (!(value instanceof CelList)) return 1
  let count = 0
  for (const item of value) count += flatSize(item)
  return count
}
