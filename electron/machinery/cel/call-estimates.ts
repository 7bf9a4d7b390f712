/** What calls cost at most, and how large their results are. Sources: cel-go `checker/cost.go`, `ext/{sets,lists}.go`, apiserver `cel/library/cost.go`. */
import { AUTHORIZATION_COST, FORMAT_REGEX_SIZE, LIST_COST, REGEX, STRUCT_COST, TRAVERSAL } from './costs.ts'
import type { Expr } from './ast.ts'
import { NO_LIMIT, UNKNOWN, fixed, plus, scaled, times, type Range } from './ranges.ts'
import { parameter, sameType, type CelType } from './types.ts'

/** An argument of a call. */
export interface Operand {
  readonly expr: Expr | null
  readonly type: CelType
  /** The declaration of the place in the object that it is, if it is one. */
  readonly place: CelType | null
  readonly size: Range | null
}

export interface CallEstimate {
  /** Without what the arguments cost. */
  readonly cost: Range
  readonly size?: Range
}

export interface CallOperands {
  readonly name: string
  readonly target: Operand | null
  readonly args: readonly Operand[]
}

type Estimate = (call: CallOperands) => CallEstimate | null

const ONE: CallEstimate = { cost: fixed(1) }
const one: Estimate = () => ONE
const size = (operand: Operand | null | undefined): Range => operand?.size ?? UNKNOWN

/** Goes through the argument; the result is no longer. */
const readsArgument =
  (factor: number, keeps = false): Estimate =>
  ({ args: [first] }) => {
    const own = size(first)
    return { cost: scaled(own, factor * TRAVERSAL), ...(keeps ? { size: own } : {}) }
  }
const readsTarget: Estimate = ({ target }) => target && { cost: scaled(size(target), TRAVERSAL), size: size(target) }

const matching = (text: Range, pattern: Range): Range => times(scaled(plus(text, fixed(1)), TRAVERSAL), scaled(pattern, REGEX))
const find: Estimate = ({ target, args: [pattern] }) =>
  target && { cost: matching(size(target), size(pattern)), size: { min: 0, max: size(target).max } }

/** Each item is compared with something. */
const wholeList: Estimate = ({ target }) => {
  if (!target) return null
  if (target.type.kind !== 'list') return { cost: scaled(size(target), TRAVERSAL) }
  const item = parameter(target.type, 0)
  const each = item.kind === 'string' || item.kind === 'bytes' ? plus(fixed(1), scaled(itemSize(target), TRAVERSAL)) : fixed(1)
  return { cost: times(size(target), each) }
}

function itemSize({ place }: Operand): Range {
  return place?.kind === 'list' ? { min: 0, max: parameter(place, 0).maxSize ?? 0 } : UNKNOWN
}

const selector: Estimate = ({ args: [text] }) => {
  const length = size(text)
  return { cost: plus(fixed(LIST_COST), scaled(length, TRAVERSAL), scaled(scaled(length, 0.5), LIST_COST + STRUCT_COST)) }
}

const replace: Estimate = ({ target, args: [old, next] }) => {
  if (!target || !next) return null
  const [text, from, to] = [size(target), size(old), size(next)]
  const least = bound(text.min, from.max, to.min, from.max <= to.min)
  const most = bound(text.max, from.min, to.max, to.max <= from.min)
  const made = plus(times({ min: least.count, max: most.count }, to), { min: least.kept, max: most.kept })
  return { cost: scaled(text, 2 * TRAVERSAL), size: made }
}

/** How often something is replaced, and how much of the text stays. */
function bound(text: number, old: number, next: number, unchanged: boolean): { count: number; kept: number } {
  if (old === 0) return { count: text < NO_LIMIT ? text + 1 : text, kept: text }
  if (unchanged && next >= 0) return { count: 0, kept: text }
  return { count: Math.ceil(text / old), kept: 0 }
}

const split: Estimate = ({ target, args: [, limit] }) => {
  if (!target) return null
  const wanted = limit?.expr?.kind === 'literal' && typeof limit.expr.value === 'bigint' ? Number(limit.expr.value) : null
  const max = wanted === null ? size(target).max : wanted < 0 ? NO_LIMIT : wanted
  return { cost: scaled(size(target), 2 * TRAVERSAL), size: { min: 0, max } }
}

const join: Estimate = ({ target, args: [separator] }) => {
  if (!target) return null
  const count = size(target)
  const gaps = { min: Math.max(0, count.min - 1), max: Math.max(0, count.max - 1) }
  const made = plus(times(count, itemSize(target)), separator ? times(size(separator), gaps) : fixed(0))
  return { cost: scaled(made, TRAVERSAL), size: made }
}

const containsIp =
  (masked: boolean): Estimate =>
  ({ args: [other], target }) => {
    const family = { min: 4, max: 16 }
    const compared = scaled(plus(family, family), TRAVERSAL)
    const more = masked ? plus(scaled(family, TRAVERSAL), fixed(1)) : fixed(0)
    const parsed = other?.type.kind === 'string' ? scaled(size(other), TRAVERSAL) : fixed(0)
    return target && { cost: plus(compared, more, parsed) }
  }

const sets =
  (factor: number): Estimate =>
  ({ args: [a, b] }) => ({ cost: plus(scaled(times(size(a), size(b)), factor), fixed(1)) })

/** A new list of items from the target. */
const makesList =
  (cost: (count: Range) => Range, factor = 1): Estimate =>
  ({ target, args: [first] }) => {
    const count = size(target ?? first)
    return { cost: plus(scaled(cost(count), factor), fixed(LIST_COST + 1)), size: count }
  }
const linear = makesList((count) => count)
const quadratic = makesList((count) => times(count, count), 2)

const BY_FUNCTION: Readonly<Record<string, Estimate>> = {
  check: () => ({ cost: fixed(AUTHORIZATION_COST) }),
  fieldSelector: selector,
  labelSelector: selector,
  isSorted: wholeList,
  sum: wholeList,
  max: wholeList,
  min: wholeList,
  indexOf: wholeList,
  lastIndexOf: wholeList,
  url: readsArgument(1, true),
  'jsonpatch.escapeKey': readsArgument(1, true),
  lowerAscii: readsTarget,
  upperAscii: readsTarget,
  substring: readsTarget,
  trim: readsTarget,
  replace,
  split,
  join,
  find,
  findAll: find,
  cidr: readsArgument(1),
  isIP: readsArgument(1),
  isCIDR: readsArgument(1),
  'ip.isCanonical': readsArgument(2),
  containsIP: containsIp(false),
  containsCIDR: containsIp(true),
  quantity: readsArgument(1),
  isQuantity: readsArgument(1),
  semver: readsArgument(1),
  isSemver: readsArgument(1),
  validate: ({ args: [text] }) => ({ cost: scaled(scaled(size(text), TRAVERSAL), FORMAT_REGEX_SIZE * REGEX) }),
  'sets.contains': sets(1),
  'sets.intersects': sets(1),
  'sets.equivalent': sets(2),
  slice: linear,
  reverse: linear,
  flatten: linear,
  distinct: quadratic,
  sort: quadratic,
  '@sortByAssociatedKeys': quadratic,
  'lists.range': () => ({ cost: UNKNOWN, size: UNKNOWN }),
}

const compared: Estimate = ({ args: [left, right] }) => {
  const max = Math.min(size(left).max, size(right).max)
  if (left && right && left.type.kind === 'opaque' && sameType(left.type, right.type) && left.type.name !== 'optional_type') return ONE
  return { cost: scaled({ min: max > 0 ? 1 : 0, max }, TRAVERSAL) }
}

const BY_OVERLOAD: Readonly<Record<string, Estimate>> = {
  string_to_ip: readsArgument(1),
  cidr_ip: one,
  string_format: ({ target }) => ({ cost: scaled(size(target), TRAVERSAL) }),
  string_to_bytes: ({ args: [text] }) => ({
    cost: scaled(size(text), TRAVERSAL),
    size: { min: size(text).min, max: Math.min(size(text).max * 4, NO_LIMIT) },
  }),
  bytes_to_string: ({ args: [bytes] }) => ({
    cost: scaled(size(bytes), TRAVERSAL),
    size: { min: Math.floor(size(bytes).min / 4), max: size(bytes).max },
  }),
  strings_quote: ({ args: [text] }) => ({
    cost: scaled(size(text), TRAVERSAL),
    size: { min: size(text).min + 2, max: Math.min(size(text).max * 2 + 2, NO_LIMIT) },
  }),
  starts_with_string: readsArgument(1),
  ends_with_string: readsArgument(1),
  in_list: ({ args: [, items] }) => ({ cost: size(items) }),
  matches_string: ({ target, args: [pattern] }) => ({ cost: matching(size(target), size(pattern)) }),
  contains_string: ({ target, args: [part] }) => ({ cost: times(scaled(size(target), TRAVERSAL), scaled(size(part), TRAVERSAL)) }),
  equals: compared,
  not_equals: compared,
  ...Object.fromEntries(
    ['less', 'less_equals', 'greater', 'greater_equals'].flatMap((name) => [
      [`${name}_string`, compared],
      [`${name}_bytes`, compared],
    ]),
  ),
}

/** Without what the arguments cost. */
export function callEstimate(overload: string, call: CallOperands): CallEstimate {
  const own = Object.hasOwn(BY_OVERLOAD, overload) ? BY_OVERLOAD[overload] : undefined
  const shared = Object.hasOwn(BY_FUNCTION, call.name) ? BY_FUNCTION[call.name] : undefined
  return (own ?? shared)?.(call) ?? ONE
}
