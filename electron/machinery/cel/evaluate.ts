/**
 * Checked expressions as closures. Each step counts what it costs, as cel-go counts it, and ends with a BudgetError when that is too
 * much. Source: cel-go `interpreter`.
 */
import { entryAt, fieldName, indexOptional, isPresent, itemAt, select, selectOptional } from './access.ts'
import { ACCUMULATOR, type Call, type Comprehension, type Expr, type ListExpr, type MapExpr, type StructExpr } from './ast.ts'
import type { Declarations } from './checker.ts'
import { LIST_COST, MAP_COST, STRUCT_COST, callCost, one } from './costs.ts'
import { callable, choose, type Callable } from './dispatch.ts'
import { BudgetError, CelError, noSuchOverload } from './errors.ts'
import { CelList, CelMap, Optional, TypeValue, ValueList, ValueMap, ValueObject, showValue, type Value } from './values.ts'

export type Bindings = Readonly<Record<string, Value>>

export interface Frame {
  readonly bindings: Bindings
  /** Of comprehensions: variables and accumulators; an accumulator may hold an error, which a later step may outweigh. */
  readonly slots: (Value | CelError)[]
  cost: number
  readonly limit: number
}

export type Step = (frame: Frame) => Value

export interface Compiled {
  readonly run: Step
  readonly slots: number
}

export function compileChecked(expr: Expr, declarations: Declarations): Compiled {
  const compiler = new Compiler(declarations)
  const run = compiler.compile(expr, new Map())
  return { run, slots: compiler.slots }
}

export function charge(frame: Frame, cost: number): void {
  frame.cost += cost
  if (frame.cost > frame.limit) throw new BudgetError()
}

type Scope = ReadonlyMap<string, number>

class Compiler {
  readonly #declared: Declarations
  slots = 0

  constructor(declared: Declarations) {
    this.#declared = declared
  }

  compile(expr: Expr, scope: Scope): Step {
    switch (expr.kind) {
      case 'literal': {
        const { value } = expr
        return () => value
      }
      case 'ident':
        return this.#name(expr.name, scope)
      case 'select': {
        if (expr.qualified !== undefined) return this.#name(expr.qualified, new Map())
        const operand = this.compile(expr.operand, scope)
        const { field } = expr
        if (expr.test) return (frame) => isPresent(operand(frame), field)
        return (frame) => {
          const value = operand(frame)
          charge(frame, 1)
          return select(value, field)
        }
      }
      case 'call':
        return this.#call(expr, scope)
      case 'list':
        return this.#list(expr, scope)
      case 'map':
        return this.#map(expr, scope)
      case 'struct':
        return this.#struct(expr, scope)
      case 'fold':
        return this.#fold(expr, scope)
    }
  }

  #name(written: string, scope: Scope): Step {
    const slot = scope.get(written)
    if (slot !== undefined) {
      return (frame) => {
        charge(frame, 1)
        const value = frame.slots[slot] as Value | CelError
        if (value instanceof CelError) throw value
        return value
      }
    }
    const name = written.replace(/^\./, '')
    if (this.#declared.variables.has(name)) {
      return (frame) => {
        charge(frame, 1)
        const value = Object.hasOwn(frame.bindings, name) ? frame.bindings[name] : undefined
        if (value === undefined) throw new CelError(`no such attribute(s): ${name}`)
        return value
      }
    }
    const type = new TypeValue(this.#declared.types(name)?.name ?? name)
    return (frame) => {
      charge(frame, 1)
      return type
    }
  }

  #call(expr: Call, scope: Scope): Step {
    const { args } = expr
    const target = expr.target && expr.qualified === undefined ? this.compile(expr.target, scope) : null
    const steps = args.map((arg) => this.compile(arg, scope))
    const [first, second, third] = steps as [Step, Step, Step]
    switch (expr.name) {
      case '_&&_':
        return logical(first, second, false)
      case '_||_':
        return logical(first, second, true)
      case '_?_:_':
        return (frame) => {
          const condition = first(frame)
          if (typeof condition !== 'boolean') throw noSuchOverload()
          return condition ? second(frame) : third(frame)
        }
      case '@not_strictly_false':
        return (frame) => {
          charge(frame, 1)
          try {
            return first(frame) !== false
          } catch (error) {
            if (error instanceof CelError) return true
            throw error
          }
        }
      case '_?._': {
        const field = args[1]?.kind === 'literal' ? showValue(args[1].value) : ''
        return (frame) => {
          const operand = first(frame)
          charge(frame, 1)
          return selectOptional(operand, field)
        }
      }
      case '_[_]':
        return (frame) => {
          const [operand, index] = [first(frame), second(frame)]
          charge(frame, 1)
          if (operand instanceof CelList) return itemAt(operand, index)
          if (operand instanceof CelMap) return entryAt(operand, index)
          return operand instanceof Optional ? indexOptional(operand, index) : select(operand, fieldName(index))
        }
      case '_[?_]':
        return (frame) => {
          const [operand, index] = [first(frame), second(frame)]
          charge(frame, 1)
          return indexOptional(operand, index)
        }
      case 'or':
      case 'orValue':
        if (target && expr.overloads?.some((id) => id.startsWith('optional_or'))) return alternative(target, first, expr.name === 'or')
        break
      default:
    }
    return this.#apply(expr, target ? [target, ...steps] : steps)
  }

  #apply(expr: Call, steps: readonly Step[]): Step {
    const name = expr.qualified ?? expr.name
    const known = this.#declared.functions.get(name) ?? []
    const candidates = known
      .filter(({ id }) => expr.overloads?.includes(id))
      .map((one) => ({ ...callable(one), cost: callCost(name, one.id) }))
    const [only] = candidates
    const [first, second] = steps
    if (candidates.length === 1 && only?.cost === one && steps.length === 2 && first && second) return pair(only, first, second)
    return (frame) => {
      const args = steps.map((step) => step(frame))
      const chosen = choose(candidates, args)
      charge(frame, chosen.cost(args))
      return chosen.run(...args)
    }
  }

  #list({ items, optional }: ListExpr, scope: Scope): Step {
    const steps = items.map((item) => this.compile(item, scope))
    return (frame) => {
      const values: Value[] = []
      for (const [i, step] of steps.entries()) {
        const value = step(frame)
        if (!optional.has(i)) values.push(value)
        else if (!(value instanceof Optional)) throw new CelError(`cannot initialize optional list element from non-optional value`)
        else if (value.value !== undefined) values.push(value.value)
      }
      charge(frame, LIST_COST)
      return new ValueList(values)
    }
  }

  #map({ entries }: MapExpr, scope: Scope): Step {
    const steps = entries.map(({ key, value, optional }) => ({
      key: this.compile(key, scope),
      value: this.compile(value, scope),
      optional,
    }))
    return (frame) => {
      const made: [Value, Value][] = []
      for (const { key, value, optional } of steps) {
        const [at, found] = [key(frame), value(frame)]
        const kept = optional ? entryOf(found) : found
        if (kept !== undefined) made.push([at, kept])
      }
      charge(frame, MAP_COST)
      return ValueMap.unique(made)
    }
  }

  #struct({ name, fields }: StructExpr, scope: Scope): Step {
    const type = this.#declared.types(name.replace(/^\./, ''))
    if (!type)
      return () => {
        throw new CelError(`unknown type: ${name}`)
      }
    const steps = fields.map(({ name: field, value, optional }) => ({ field, optional, value: this.compile(value, scope) }))
    return (frame) => {
      const values = new Map<string, Value>()
      for (const { field, optional, value } of steps) {
        const found = value(frame)
        const kept = optional ? entryOf(found) : found
        if (kept !== undefined) values.set(field, kept)
      }
      charge(frame, STRUCT_COST)
      return new ValueObject(type, values)
    }
  }

  #fold(expr: Comprehension, scope: Scope): Step {
    const initial = this.compile(expr.initial, scope)
    const accumulator = this.slots++
    const outer = new Map(scope).set(expr.accumulator, accumulator)
    const result = this.compile(expr.result, outer)
    if (isBinding(expr)) {
      return (frame) => {
        charge(frame, LIST_COST)
        frame.slots[accumulator] = initial(frame)
        return result(frame)
      }
    }
    const range = this.compile(expr.range, scope)
    const [keySlot, valueSlot] = [this.slots++, this.slots++]
    const inner = new Map(outer).set(expr.variable, keySlot)
    if (expr.second !== null) inner.set(expr.second, valueSlot)
    const condition = this.compile(expr.condition, inner)
    const step = this.#step(expr.step, inner, accumulator)
    const lenient = expr.condition.kind === 'call'
    const pairs = expr.second !== null
    /** False: that was enough. */
    const turn = (frame: Frame, key: Value, value: Value): boolean => {
      frame.slots[keySlot] = key
      frame.slots[valueSlot] = value
      if (condition(frame) === false) return false
      if (lenient) {
        try {
          frame.slots[accumulator] = step(frame)
        } catch (error) {
          if (!(error instanceof CelError)) throw error
          frame.slots[accumulator] = error
        }
      } else frame.slots[accumulator] = step(frame)
      return true
    }
    return (frame) => {
      const over = range(frame)
      frame.slots[accumulator] = fresh(initial(frame))
      if (over instanceof CelList) {
        for (let i = 0; i < over.size; i++) {
          const item = over.at(i)
          if (!turn(frame, pairs ? BigInt(i) : item, item)) break
        }
      } else if (over instanceof CelMap) {
        for (const key of over.keys()) if (!turn(frame, key, pairs ? (over.get(key) ?? null) : null)) break
      } else throw noSuchOverload()
      return result(frame)
    }
  }

  /** A step of a comprehension; what is added to the accumulator is added in place, because nothing else sees it. */
  #step(expr: Expr, scope: Scope, accumulator: number): Step {
    if (expr.kind !== 'call') return this.compile(expr, scope)
    const [first, second, third] = expr.args
    const own = (one: Expr | undefined) => one?.kind === 'ident' && one.name === ACCUMULATOR
    if (expr.name === '_?_:_' && first && second && own(third)) {
      const [condition, then] = [this.compile(first, scope), this.#step(second, scope, accumulator)]
      return (frame) => {
        const chosen = condition(frame)
        if (typeof chosen !== 'boolean') throw noSuchOverload()
        if (chosen) return then(frame)
        charge(frame, 1)
        return frame.slots[accumulator] as Value
      }
    }
    if (expr.name === '_+_' && own(first) && second?.kind === 'list') {
      const item = this.compile(second.items[0] as Expr, scope)
      return (frame) => {
        const value = item(frame)
        charge(frame, LIST_COST + 2)
        const list = frame.slots[accumulator] as Growing
        list.items.push(value)
        return list
      }
    }
    return this.compile(expr, scope)
  }
}

class Growing extends ValueList {
  override readonly items: Value[] = []
}

/** A list that a comprehension begins with is its own. */
function fresh(value: Value): Value {
  return value instanceof ValueList && value.size === 0 ? new Growing([]) : value
}

function isBinding({ range, condition, accumulator }: Comprehension): boolean {
  return (
    accumulator !== ACCUMULATOR &&
    range.kind === 'list' &&
    range.items.length === 0 &&
    condition.kind === 'literal' &&
    condition.value === false
  )
}

/** The call of what is most often called: with two arguments, of one overload. */
function pair({ run, tests: [takesOne, takesOther] }: Callable, first: Step, second: Step): Step {
  return (frame) => {
    const [a, b] = [first(frame), second(frame)]
    if (!takesOne?.(a) || !takesOther?.(b)) throw noSuchOverload()
    charge(frame, 1)
    return run(a, b)
  }
}

/** One `deciding` outcome is enough, even if the other term fails. */
function logical(left: Step, right: Step, deciding: boolean): Step {
  return (frame) => {
    let failed: CelError | null = null
    try {
      const one = left(frame)
      if (one === deciding) return deciding
      if (typeof one !== 'boolean') failed = noSuchOverload()
    } catch (error) {
      if (!(error instanceof CelError)) throw error
      failed = error
    }
    const other = right(frame)
    if (other === deciding) return deciding
    if (failed) throw failed
    if (typeof other !== 'boolean') throw noSuchOverload()
    return !deciding
  }
}

function alternative(target: Step, other: Step, whole: boolean): Step {
  return (frame) => {
    const one = target(frame)
    if (!(one instanceof Optional)) throw noSuchOverload()
    charge(frame, 1)
    if (one.value === undefined) return other(frame)
    return whole ? one : one.value
  }
}

function entryOf(value: Value): Value | undefined {
  if (value instanceof Optional) return value.value
  throw new CelError('cannot initialize optional entry from non-optional value')
}
