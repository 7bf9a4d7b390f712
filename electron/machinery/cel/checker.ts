/** Types of expressions, and which overloads are meant, before anything runs. Sources: CEL language definition, "Gradual type checking"; cel-go `checker`. */
import type { Call, Comprehension, Expr, ListExpr, MapExpr, Select, StructExpr } from './ast.ts'
import { children } from './ast.ts'
import type { SourceError } from './errors.ts'
import type { Overload } from './functions.ts'
import { qualifiedName } from './parser.ts'
import {
  BOOL,
  DYN,
  ERROR,
  INT,
  formatType,
  isDynOrError,
  isOptional,
  listOf,
  mapOf,
  optionalOf,
  parameter,
  STRING,
  type CelType,
} from './types.ts'
import { TypeVariables } from './unify.ts'
import { runtimeType } from './values.ts'

export interface Declarations {
  /** Names may have dots in them. */
  readonly variables: ReadonlyMap<string, CelType>
  readonly functions: ReadonlyMap<string, readonly Overload[]>
  /** Types that expressions may name: as values, and objects that they may make. */
  readonly types: (name: string) => CelType | undefined
  /** Whether lists and maps that are written out may hold different types. */
  readonly mixed: boolean
}

/** Writes types and overloads into the expression. */
export function check(expr: Expr, declarations: Declarations): readonly SourceError[] {
  return new Checker(declarations).whole(expr)
}

class Checker {
  readonly #declared: Declarations
  readonly #types = new TypeVariables()
  readonly #errors: SourceError[] = []
  #scopes: ReadonlyMap<string, CelType>[] = []

  constructor(declared: Declarations) {
    this.#declared = declared
  }

  whole(expr: Expr): readonly SourceError[] {
    this.#check(expr)
    const settle = (one: Expr) => {
      one.type = this.#types.resolve(one.type ?? ERROR, true)
      for (const child of children(one)) settle(child)
    }
    settle(expr)
    return this.#errors
  }

  #fail(at: number, message: string): CelType {
    this.#errors.push({ at, message })
    return ERROR
  }

  #check(expr: Expr): CelType {
    const type = this.#typeOf(expr)
    expr.type = type
    return type
  }

  #typeOf(expr: Expr): CelType {
    switch (expr.kind) {
      case 'literal':
        return runtimeType(expr.value)
      case 'ident':
        return this.#variable(expr.name) ?? this.#undeclared(expr.at, expr.name)
      case 'select':
        return this.#select(expr)
      case 'call':
        return this.#call(expr)
      case 'list':
        return this.#list(expr)
      case 'map':
        return this.#map(expr)
      case 'struct':
        return this.#struct(expr)
      case 'fold':
        return this.#fold(expr)
    }
  }

  #undeclared(at: number, name: string): CelType {
    return this.#fail(at, `undeclared reference to '${name}' (in container '')`)
  }

  #local(name: string): CelType | undefined {
    for (let i = this.#scopes.length - 1; i >= 0; i--) {
      const type = this.#scopes[i]?.get(name)
      if (type) return type
    }
    return undefined
  }

  #variable(name: string): CelType | undefined {
    const bare = name.replace(/^\./, '')
    const local = name === bare ? this.#local(name) : undefined
    return local ?? this.#declared.variables.get(bare) ?? this.#namedType(bare)
  }

  #namedType(name: string): CelType | undefined {
    const type = this.#declared.types(name)
    return type && { kind: 'type', name: 'type', params: [type] }
  }

  #select(expr: Select): CelType {
    const name = qualifiedName(expr)
    const root = name?.split('.')[0] ?? ''
    if (name !== null && !this.#local(root)) {
      const type = this.#variable(name)
      if (type) {
        expr.qualified = name.replace(/^\./, '')
        return type
      }
    }
    const type = this.#field(expr.at, expr.operand, expr.field, false)
    return expr.test ? BOOL : this.#types.resolve(type)
  }

  #field(at: number, operand: Expr, field: string, optional: boolean): CelType {
    const whole = this.#types.resolve(this.#check(operand))
    const wrapped = isOptional(whole)
    const target = wrapped ? this.#types.resolve(parameter(whole, 0)) : whole
    const type = this.#fieldOf(at, target, field)
    return wrapped || optional ? optionalOf(type) : type
  }

  #fieldOf(at: number, target: CelType, field: string): CelType {
    switch (target.kind) {
      case 'map':
        return parameter(target, 1)
      case 'object':
        if (!target.field) return DYN
        return target.field(field)?.type ?? this.#fail(at, `undefined field '${field}'`)
      case 'param':
        this.#types.assign(DYN, target)
        return DYN
      case 'dyn':
      case 'error':
        return DYN
      default:
        this.#fail(at, `type '${formatType(target)}' does not support field selection`)
        return DYN
    }
  }

  #call(expr: Call): CelType {
    const { name, target, args } = expr
    if (name === '_?._') {
      const field = args[1]
      if (field) field.type = STRING
      expr.overloads = ['select_optional_field']
      const value = field?.kind === 'literal' && typeof field.value === 'string' ? field.value : ''
      return this.#types.resolve(this.#field(expr.at, args[0] as Expr, value, true))
    }
    for (const arg of args) this.#check(arg)
    if (!target) {
      const bare = name.replace(/^\./, '')
      const overloads = this.#declared.functions.get(bare)
      if (bare !== name) expr.qualified = bare
      return overloads ? this.#resolve(expr, bare, overloads, args) : this.#undeclared(expr.at, name)
    }
    const prefix = qualifiedName(target)
    const qualified = prefix === null ? undefined : this.#declared.functions.get(`${prefix}.${name}`)
    if (qualified && prefix !== null && !this.#local(prefix)) {
      expr.qualified = `${prefix}.${name}`
      target.type = DYN
      return this.#resolve(expr, expr.qualified, qualified, args)
    }
    this.#check(target)
    const overloads = this.#declared.functions.get(name)
    return overloads ? this.#resolve(expr, name, overloads, [target, ...args], true) : this.#undeclared(expr.at, name)
  }

  #resolve(expr: Call, name: string, overloads: readonly Overload[], args: readonly Expr[], member = false): CelType {
    const found = args.map(({ type }) => type ?? ERROR)
    if (name === '_&&_' || name === '_||_') return this.#logical(expr, name)
    const ids: string[] = []
    let result: CelType | null = null
    for (const overload of overloads) {
      if (overload.member !== member || overload.params.length !== found.length) continue
      const { params, result: declared } = this.#instance(overload)
      if (!this.#types.assignAll(found, params)) continue
      ids.push(overload.id)
      const type = this.#types.resolve(declared)
      if (!result) result = type
      else if (result.kind !== 'dyn' && formatType(result) !== formatType(type)) result = DYN
    }
    expr.overloads = ids
    if (result) return result
    const shown = found.map((type) => formatType(this.#types.resolve(type, true)))
    const [target = '', ...others] = shown
    const applied = member ? `${target}.(${others.join(', ')})` : `(${shown.join(', ')})`
    return this.#fail(expr.at, `found no matching overload for '${name}' applied to '${applied}'`)
  }

  #logical(expr: Call, name: string): CelType {
    expr.overloads = [name === '_&&_' ? 'logical_and' : 'logical_or']
    const wrong = expr.args.filter(({ type = ERROR }) => !this.#types.assign(type, BOOL))
    for (const { at, type = ERROR } of wrong) this.#mismatch(at, BOOL, type)
    return wrong.length > 0 ? ERROR : BOOL
  }

  #mismatch(at: number, wanted: CelType, found: CelType): CelType {
    const [one, other] = [this.#types.resolve(wanted, true), this.#types.resolve(found, true)]
    return this.#fail(at, `expected type '${formatType(one)}' but found '${formatType(other)}'`)
  }

  /** The overload with parameters of its own. */
  #instance({ params, result }: Overload): Pick<Overload, 'params' | 'result'> {
    const made = new Map<string, CelType>()
    const instance = (type: CelType): CelType => {
      if (type.kind === 'param') {
        const known = made.get(type.name) ?? this.#types.fresh()
        made.set(type.name, known)
        return known
      }
      return type.params.length > 0 ? { ...type, params: type.params.map(instance) } : type
    }
    const own = params.map(instance)
    return made.size > 0 ? { params: own, result: instance(result) } : { params, result }
  }

  /** The type of values that may be of either type. */
  #join(at: number, before: CelType | null, type: CelType): CelType {
    if (!before) return type
    if (this.#types.assign(before, type)) return this.#types.moreGeneral(before, type)
    return this.#declared.mixed ? DYN : this.#mismatch(at, before, type)
  }

  /** What an optional item or entry holds. */
  #inside(at: number, type: CelType): CelType {
    const held = this.#types.resolve(type)
    if (isOptional(held)) return parameter(held, 0)
    return isDynOrError(held) ? DYN : this.#mismatch(at, optionalOf(held), held)
  }

  #list({ items, optional }: ListExpr): CelType {
    let type: CelType | null = null
    for (const [i, item] of items.entries()) {
      const own = this.#check(item)
      type = this.#join(item.at, type, optional.has(i) ? this.#inside(item.at, own) : own)
    }
    return listOf(type ?? this.#types.fresh())
  }

  #map({ entries }: MapExpr): CelType {
    let [keys, values]: [CelType | null, CelType | null] = [null, null]
    for (const { key, value, optional } of entries) {
      keys = this.#join(key.at, keys, this.#check(key))
      const own = this.#check(value)
      values = this.#join(value.at, values, optional ? this.#inside(value.at, own) : own)
    }
    return mapOf(keys ?? this.#types.fresh(), values ?? this.#types.fresh())
  }

  #struct(expr: StructExpr): CelType {
    const name = expr.name.replace(/^\./, '')
    const type = this.#declared.types(name)
    for (const { value } of expr.fields) this.#check(value)
    if (!type) return this.#undeclared(expr.at, name)
    if (type.kind !== 'object') return this.#fail(expr.at, `'${formatType(type)}' is not a message type`)
    for (const { name: field, at, value, optional } of expr.fields) {
      const own = value.type ?? ERROR
      const found = optional ? this.#inside(value.at, own) : own
      const declared = type.field ? type.field(field)?.type : DYN
      if (!declared) this.#fail(at, `undefined field '${field}'`)
      else if (!this.#types.assign(declared, found)) {
        const [wanted, given] = [formatType(declared), formatType(this.#types.resolve(found, true))]
        this.#fail(at, `expected type of field '${field}' is '${wanted}' but provided type is '${given}'`)
      }
    }
    return type
  }

  #fold(expr: Comprehension): CelType {
    const accumulated = this.#inScope(new Map(), () => this.#check(expr.initial))
    const range = this.#types.resolve(this.#check(expr.range))
    const variables = this.#variables(expr, range)
    const outer = new Map([[expr.accumulator, accumulated]])
    return this.#inScope(outer, () => {
      this.#inScope(variables, () => {
        this.#assert(expr.condition, BOOL)
        this.#assert(expr.step, accumulated)
      })
      return this.#types.resolve(this.#check(expr.result))
    })
  }

  #variables({ variable, second, range: { at } }: Comprehension, range: CelType): Map<string, CelType> {
    const named = (one: CelType, two: CelType) => new Map(second === null ? [[variable, one]] : [[variable, one] as const, [second, two]])
    switch (range.kind) {
      case 'list':
        return second === null ? named(parameter(range, 0), DYN) : named(INT, parameter(range, 0))
      case 'map':
        return named(parameter(range, 0), parameter(range, 1))
      case 'dyn':
      case 'error':
        return named(DYN, DYN)
      case 'param':
        this.#types.assign(DYN, range)
        return named(DYN, DYN)
      default:
        this.#fail(at, `expression of type '${formatType(range)}' cannot be range of a comprehension (must be list, map, or dynamic)`)
        return named(ERROR, ERROR)
    }
  }

  #assert(expr: Expr, wanted: CelType): void {
    const found = this.#check(expr)
    if (!this.#types.assign(found, wanted)) this.#mismatch(expr.at, wanted, found)
  }

  #inScope<T>(scope: ReadonlyMap<string, CelType>, inside: () => T): T {
    this.#scopes.push(scope)
    const result = inside()
    this.#scopes.pop()
    return result
  }
}
