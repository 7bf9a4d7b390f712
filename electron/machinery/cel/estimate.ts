/**
 * What an expression may cost at most, from how large its variables may be: the same figures as those of cel-go, because they decide
 * which rules may be stored. Source: cel-go `checker/cost.go`.
 */
import { ACCUMULATOR, children, type Call, type Comprehension, type Expr } from './ast.ts'
import { LIST_COST, MAP_COST, STRUCT_COST, TRAVERSAL } from './costs.ts'
import { callEstimate, type CallEstimate, type Operand } from './call-estimates.ts'
import { UNKNOWN, fixed, plus, scaled, times, union, type Range } from './ranges.ts'
import { parameter, type CelType } from './types.ts'
import { CelList, CelMap, sizeOf } from './values.ts'

/** Sizes of a container's items, or of its keys and values. */
interface Entries {
  readonly list: boolean
  readonly key: Range
  readonly value: Range
}

interface Local {
  readonly place: CelType | null
  readonly size: Range | null
  readonly entries: Entries | null
}

/** `root` is the type of the object that the expression is about: its declared sizes count. */
export function estimateCost(expr: Expr, root: CelType): Range {
  return new Estimator(root).cost(expr)
}

class Estimator {
  readonly #root: CelType
  readonly #places = new Map<Expr, CelType | null>()
  readonly #sizes = new Map<Expr, Range>()
  readonly #entries = new Map<Expr, Entries>()
  readonly #locals = new Map<string, Local[]>()

  constructor(root: CelType) {
    this.#root = root
  }

  cost(expr: Expr): Range {
    switch (expr.kind) {
      case 'literal':
        return fixed(0)
      case 'ident':
        this.#places.set(expr, this.#placeOf(expr))
        return fixed(1)
      case 'select':
        return this.#select(expr)
      case 'call':
        return this.#call(expr)
      case 'list': {
        const costs = expr.items.map((item) => this.cost(item))
        this.#entries.set(expr, { list: true, key: fixed(1), value: this.#unionOf(expr.items) })
        return plus(...costs, fixed(LIST_COST))
      }
      case 'map': {
        const costs = children(expr).map((child) => this.cost(child))
        const [keys, values] = [expr.entries.map(({ key }) => key), expr.entries.map(({ value }) => value)]
        this.#entries.set(expr, { list: false, key: this.#unionOf(keys), value: this.#unionOf(values) })
        return plus(...costs, fixed(MAP_COST))
      }
      case 'struct':
        return plus(...children(expr).map((child) => this.cost(child)), fixed(STRUCT_COST))
      case 'fold':
        return isBinding(expr) ? this.#binding(expr) : this.#fold(expr)
    }
  }

  #unionOf(exprs: readonly Expr[]): Range {
    if (exprs.length === 0) return fixed(0)
    return exprs.map((one) => this.#size(one) ?? UNKNOWN).reduce(union)
  }

  #select(expr: Expr & { kind: 'select' }): Range {
    if (expr.qualified !== undefined) {
      this.#places.set(expr, this.#root)
      return fixed(1)
    }
    const operand = this.cost(expr.operand)
    if (expr.test) return operand
    const { kind } = expr.operand.type as CelType
    this.#places.set(expr, fieldOf(this.#place(expr.operand), expr.field))
    return kind === 'map' || kind === 'object' || kind === 'param' ? plus(operand, fixed(1)) : operand
  }

  #local(name: string): Local | undefined {
    return this.#locals.get(name)?.at(-1)
  }

  #placeOf({ name }: Expr & { kind: 'ident' }): CelType | null {
    const local = this.#local(name)
    if (local) return local.place
    return name === ACCUMULATOR ? null : this.#root
  }

  #place(expr: Expr): CelType | null {
    return expr.kind === 'ident' ? this.#placeOf(expr) : (this.#places.get(expr) ?? null)
  }

  #size(expr: Expr): Range | null {
    const known = this.#sizes.get(expr) ?? literalSize(expr)
    if (known) return known
    const place = this.#place(expr)
    if (place) return { min: 0, max: place.maxSize ?? 0 }
    if (isScalar(expr.type as CelType)) return fixed(1)
    return expr.kind === 'ident' ? (this.#local(expr.name)?.size ?? null) : null
  }

  #entriesOf(expr: Expr): Entries | null {
    const known = this.#entries.get(expr)
    return known ?? (expr.kind === 'ident' ? (this.#local(expr.name)?.entries ?? null) : null)
  }

  #operand(expr: Expr): Operand {
    return { expr, type: expr.type as CelType, place: this.#place(expr), size: this.#size(expr) }
  }

  #call(expr: Call): Range {
    const { args, name } = expr
    const costs = args.map((arg) => this.cost(arg))
    const [first] = args
    if (name === 'dyn' && first && !expr.target) {
      const [size, entries] = [this.#size(first), this.#entriesOf(first)]
      if (size) this.#sizes.set(expr, size)
      if (entries) this.#entries.set(expr, entries)
      return plus(fixed(1), ...costs)
    }
    const owner = expr.target && expr.qualified === undefined ? expr.target : null
    const target = owner ? this.cost(owner) : fixed(0)
    const call = {
      name: expr.qualified ?? name,
      target: owner ? this.#operand(owner) : null,
      args: args.map((arg) => this.#operand(arg)),
    }
    let own: Range | null = null
    let size: Range | null = null
    for (const overload of expr.overloads ?? []) {
      const estimate = this.#overload(expr, overload, call, costs)
      own = own ? union(own, estimate.cost) : estimate.cost
      if (estimate.size) size = size ? union(size, estimate.size) : estimate.size
      if ((overload === 'index_list' || overload === 'index_map') && first) {
        size = this.#entriesOf(first)?.value ?? null
        this.#places.set(expr, entryOf(this.#place(first)))
      }
      size ??= this.#size(expr)
    }
    if (size) this.#sizes.set(expr, size)
    return plus(target, own ?? fixed(0))
  }

  /** With what the arguments cost. */
  #overload(expr: Call, overload: string, call: Parameters<typeof callEstimate>[1], costs: readonly Range[]): CallEstimate {
    const [left = fixed(0), right = fixed(0), last = fixed(0)] = costs
    const all = plus(...costs)
    const [first, second, third] = expr.args as [Expr, Expr, Expr]
    switch (overload) {
      case 'logical_and':
      case 'logical_or':
        return { cost: { min: left.min, max: plus(left, right).max } }
      case 'conditional': {
        this.#joinEntries(expr, second, third)
        const size = union(this.#size(second) ?? UNKNOWN, this.#size(third) ?? UNKNOWN)
        return { cost: plus(left, union(right, last)), size }
      }
      case 'add_string':
      case 'add_bytes':
      case 'add_list': {
        this.#joinEntries(expr, first, second)
        const size = plus(this.#size(first) ?? UNKNOWN, this.#size(second) ?? UNKNOWN)
        return { cost: plus(overload === 'add_list' ? fixed(1) : scaled(size, TRAVERSAL), all), size }
      }
      default: {
        const { cost, size } = callEstimate(overload, call)
        return { cost: plus(cost, all), ...(size ? { size } : {}) }
      }
    }
  }

  #joinEntries(expr: Expr, one: Expr, other: Expr): void {
    const [a, b] = [this.#entriesOf(one), this.#entriesOf(other)]
    if (a && b) this.#entries.set(expr, { list: a.list, key: union(a.key, b.key), value: union(a.value, b.value) })
  }

  #within<T>(locals: readonly (readonly [string, Local])[], inside: () => T): T {
    for (const [name, local] of locals) this.#locals.set(name, [...(this.#locals.get(name) ?? []), local])
    const result = inside()
    for (const [name] of locals) this.#locals.get(name)?.pop()
    return result
  }

  #named(expr: Expr): Local {
    return { place: this.#place(expr), size: this.#size(expr), entries: this.#entriesOf(expr) }
  }

  #binding(expr: Comprehension): Range {
    const before = plus(this.cost(expr.range), this.cost(expr.initial))
    return this.#within([[expr.accumulator, this.#named(expr.initial)]], () => {
      const cost = plus(before, this.cost(expr.result))
      const [size, entries] = [this.#size(expr.result), this.#entriesOf(expr.result)]
      if (size) this.#sizes.set(expr, size)
      if (entries) this.#entries.set(expr, entries)
      return cost
    })
  }

  #fold(expr: Comprehension): Range {
    const before = plus(this.cost(expr.range), this.cost(expr.initial))
    return this.#within([[expr.accumulator, this.#named(expr.initial)]], () => {
      const each = this.#within(this.#variables(expr), () => plus(this.cost(expr.condition), this.cost(expr.step)))
      const after = this.cost(expr.result)
      const count = this.#size(expr.range) ?? UNKNOWN
      if (expr.initial.kind === 'literal') this.#sizes.set(expr, fixed(sizeOf(expr.initial.value)))
      else if (expr.initial.kind === 'list' || expr.initial.kind === 'map') {
        this.#sizes.set(expr, count)
        const entries = this.#entriesOf(expr.step)
        if (entries) this.#entries.set(expr, entries)
      }
      return plus(before, after, times(count, each))
    })
  }

  #variables({ range, variable, second }: Comprehension): (readonly [string, Local])[] {
    const entries = this.#entriesOf(range)
    const list = entries ? entries.list : (range.type as CelType).kind === 'list'
    const place = this.#place(range)
    // What is made from no place of the object counts as if it were the object, as upstream has it.
    const key: Local = { place: place ? keyOf(place) : this.#root, size: entries?.key ?? null, entries: null }
    const value: Local = { place: place ? entryOf(place) : this.#root, size: entries?.value ?? null, entries: null }
    if (second === null) return [[variable, list ? value : key]]
    return [
      [variable, key],
      [second, value],
    ]
  }
}

function isBinding({ range, condition, accumulator }: Comprehension): boolean {
  const never = condition.kind === 'literal' && condition.value === false
  return accumulator !== ACCUMULATOR && never && range.kind === 'list' && range.items.length === 0
}

function fieldOf(place: CelType | null, field: string): CelType | null {
  if (place?.kind === 'object') return place.field?.(field)?.type ?? null
  return null
}

const entryOf = (place: CelType | null): CelType | null =>
  place?.kind === 'list' ? parameter(place, 0) : place?.kind === 'map' ? parameter(place, 1) : null
const keyOf = (place: CelType): CelType | null => (place.kind === 'map' ? parameter(place, 0) : null)

function literalSize(expr: Expr): Range | null {
  if (expr.kind === 'literal') return expr.value instanceof CelList || expr.value instanceof CelMap ? null : fixed(sizeOf(expr.value))
  if (expr.kind === 'list') return fixed(expr.items.length)
  return expr.kind === 'map' ? fixed(expr.entries.length) : null
}

const SCALARS: ReadonlySet<string> = new Set(['bool', 'double', 'duration', 'int', 'timestamp', 'uint'])

function isScalar(type: CelType): boolean {
  return SCALARS.has(type.kind) || (type.name === 'optional_type' && isScalar(parameter(type, 0)))
}
