/**
 * Checked expressions as closures. Each step counts what it costs, as cel-go counts it, and ends with a BudgetError when that is too
 * much. Source: cel-go `interpreter`.
 */
import { entryAt, fieldName, indexOptional, isPresent, itemAt, select, selectOptional } from './access.ts'
import { ACCUMULATOR, type Call, type Comprehension, type Expr, type ListExpr, type MapExpr, type StructExpr } from './ast.ts'
import { alternative, choice, logical, pair } from './branches.ts'
import type { Declarations } from './checker.ts'
import { constantOf, isConstant, membersOf } from './constants.ts'
import { LIST_COST, MAP_COST, STRUCT_COST, callCost, one } from './costs.ts'
import { callable, choose } from './dispatch.ts'
import { CelError, noSuchOverload } from './errors.ts'
import { charge, type Frame, type Step } from './frame.ts'
import { CelList, CelMap, Optional, TypeValue, ValueList, ValueMap, ValueObject, keyOf, showValue, type Value } from './values.ts'

export interface Compiled {
  readonly run: Step
  readonly slots: number
}

export function compileChecked(expr: Expr, declarations: Declarations): Compiled {
  const compiler = new Compiler(declarations)
  const run = compiler.compile(expr, new Map())
  return { run, slots: compiler.slots }
}

type Scope = ReadonlyMap<string, number>

class Compiler {
  readonly #declared: Declarations
  slots = 0

  constructor(declared: Declarations) {
    this.#declared = declared
  }

  compile(expr: Expr, scope: Scope): Step {
    const constant = this.#constant(expr)
    return constant === undefined ? this.#compile(expr, scope) : () => constant
  }

  #constant(expr: Expr): Value | undefined {
    if (expr.kind === 'literal') return expr.value
    if (!isConstant(expr)) return undefined
    const step = this.#compile(expr, new Map())
    return constantOf(() => step({ bindings: {}, slots: [], cost: 0, limit: Infinity }))
  }

  #compile(expr: Expr, scope: Scope): Step {
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
    return () => type
  }

  #call(expr: Call, scope: Scope): Step {
    const { args } = expr
    const target = expr.target && expr.qualified === undefined ? this.compile(expr.target, scope) : null
    const steps = args.map((arg) => this.compile(arg, scope))
    const [first, second, third] = steps as [Step, Step, Step]
    const members = args[1] ? membersOf(expr, this.#constant(args[1])) : null
    if (members) return (frame) => members.size > 0 && members.has(keyOf(first(frame)) ?? '')
    switch (expr.name) {
      case '_&&_':
        return logical(first, second, false)
      case '_||_':
        return logical(first, second, true)
      case '_?_:_':
        return choice(first, this.#resolved(args[1], second, scope), this.#resolved(args[2], third, scope))
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
      case '_[_]': {
        const key = this.#resolved(args[1], second, scope)
        return (frame) => {
          const [operand, index] = [first(frame), key(frame)]
          charge(frame, 1)
          if (operand instanceof CelList) return itemAt(operand, index)
          if (operand instanceof CelMap) return entryAt(operand, index)
          return operand instanceof Optional ? indexOptional(operand, index) : select(operand, fieldName(index))
        }
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

  /** A name, or a way from one, that another step looks up by itself: that costs one less. */
  #resolved(expr: Expr | undefined, step: Step, scope: Scope): Step {
    if (!expr || !isPath(expr) || this.#constant(expr) !== undefined || (expr.kind === 'ident' && !this.#isVariable(expr.name, scope)))
      return step
    return (frame) => {
      frame.cost--
      return step(frame)
    }
  }

  #isVariable(name: string, scope: Scope): boolean {
    return scope.has(name) || this.#declared.variables.has(name.replace(/^\./, ''))
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

/** The list or map that a comprehension begins with is its own. */
function fresh(value: Value): Value {
  if (value instanceof ValueList && value.size === 0) return new Growing([])
  return value instanceof ValueMap && value.size === 0 ? new ValueMap() : value
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

function isPath(expr: Expr): boolean {
  if (expr.kind === 'ident') return true
  if (expr.kind === 'select') return !expr.test && isPath(expr.operand)
  return expr.kind === 'call' && expr.name === '_[_]' && expr.args[0] !== undefined && isPath(expr.args[0])
}

function entryOf(value: Value): Value | undefined {
  if (value instanceof Optional) return value.value
  throw new CelError('cannot initialize optional entry from non-optional value')
}
