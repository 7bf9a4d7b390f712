/** Expressions as the parser makes them: macros are already their comprehensions. Source: CEL's `syntax.proto`. */
import type { CelType } from './types.ts'
import type { Value } from './values.ts'

interface Node {
  /** Offset in the source, in UTF-16 units. */
  readonly at: number
  /** Set by the checker. */
  type?: CelType
}

export interface Literal extends Node {
  readonly kind: 'literal'
  readonly value: Value
}

export interface Ident extends Node {
  readonly kind: 'ident'
  readonly name: string
}

export interface Select extends Node {
  readonly kind: 'select'
  readonly operand: Expr
  readonly field: string
  /** `has(a.b)`: whether it is there. */
  readonly test: boolean
  /** Set by the checker if the whole is a name with dots. */
  qualified?: string
}

export interface Call extends Node {
  readonly kind: 'call'
  readonly name: string
  readonly target: Expr | null
  readonly args: readonly Expr[]
  /** Set by the checker: which overloads may be meant, by id. */
  overloads?: readonly string[]
  /** Set by the checker if target and name are the name of one function. */
  qualified?: string
}

export interface ListExpr extends Node {
  readonly kind: 'list'
  readonly items: readonly Expr[]
  /** Which items are optionals that are taken if they have a value. */
  readonly optional: ReadonlySet<number>
}

export interface MapEntry {
  readonly key: Expr
  readonly value: Expr
  readonly optional: boolean
}

export interface MapExpr extends Node {
  readonly kind: 'map'
  readonly entries: readonly MapEntry[]
}

export interface StructField {
  readonly name: string
  readonly at: number
  readonly value: Expr
  readonly optional: boolean
}

export interface StructExpr extends Node {
  readonly kind: 'struct'
  readonly name: string
  readonly fields: readonly StructField[]
}

export interface Comprehension extends Node {
  readonly kind: 'fold'
  readonly range: Expr
  readonly variable: string
  /** With two variables, the second: the value, while the first is the index or key. */
  readonly second: string | null
  readonly accumulator: string
  readonly initial: Expr
  readonly condition: Expr
  readonly step: Expr
  readonly result: Expr
}

export type Expr = Literal | Ident | Select | Call | ListExpr | MapExpr | StructExpr | Comprehension

/** No identifier that can be written, so that it hides nothing. */
export const ACCUMULATOR = '@result'

export const literal = (at: number, value: Value): Literal => ({ kind: 'literal', at, value })
export const ident = (at: number, name: string): Ident => ({ kind: 'ident', at, name })
export const call = (at: number, name: string, args: readonly Expr[], target: Expr | null = null): Call => ({
  kind: 'call',
  at,
  name,
  target,
  args,
})
export const list = (at: number, items: readonly Expr[] = []): ListExpr => ({ kind: 'list', at, items, optional: new Set() })

/** The parts of which an expression is made, in order of evaluation. */
export function children(expr: Expr): readonly Expr[] {
  switch (expr.kind) {
    case 'literal':
    case 'ident':
      return []
    case 'select':
      return [expr.operand]
    case 'call':
      return expr.target ? [expr.target, ...expr.args] : expr.args
    case 'list':
      return expr.items
    case 'map':
      return expr.entries.flatMap(({ key, value }) => [key, value])
    case 'struct':
      return expr.fields.map(({ value }) => value)
    case 'fold':
      return [expr.range, expr.initial, expr.condition, expr.step, expr.result]
  }
}
