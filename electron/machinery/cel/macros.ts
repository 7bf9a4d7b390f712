/** Macros: calls that stand for comprehensions. Sources: CEL language definition, "Macros"; cel-go `ext/{bindings,comprehensions}`. */
import { ACCUMULATOR, call, ident, list, literal, type Call, type Comprehension, type Expr } from './ast.ts'
import { SyntaxFailure } from './lexer.ts'

/** What a call stands for; null if it is a call after all. Throws SyntaxFailure. */
type Macro = (call: Call) => Expr | null
/** By `name:arguments`, with a dot before the name if it is called on something. */
export type Macros = ReadonlyMap<string, Macro>

export function expandMacro(macros: Macros, expr: Call): Expr | null {
  // `.name(x)` is a function of the root name space.
  if (!expr.target && expr.name.startsWith('.')) return null
  return macros.get(`${expr.target ? '.' : ''}${expr.name}:${expr.args.length}`)?.(expr) ?? null
}

const TRUE = (at: number) => literal(at, true)
const FALSE = (at: number) => literal(at, false)
const notStrictlyFalse = (at: number, expr: Expr) => call(at, '@not_strictly_false', [expr])
const result = (at: number) => ident(at, ACCUMULATOR)

type Fold = Pick<Comprehension, 'initial' | 'condition' | 'step'> & { readonly result?: Expr }

function fold(expr: Call, variables: readonly string[], { result: last, ...parts }: Fold): Comprehension {
  const { at, target } = expr
  const [variable = '', second = null] = variables
  return {
    kind: 'fold',
    at,
    range: target as Expr,
    variable,
    second,
    accumulator: ACCUMULATOR,
    ...parts,
    result: last ?? result(at),
  }
}

function variableOf(expr: Expr): string {
  if (expr.kind !== 'ident' || expr.name.startsWith('.')) throw new SyntaxFailure(expr.at, 'argument must be a simple name')
  return expr.name
}

/** The names of the variables and what follows them. */
function split(expr: Call, count: number): { names: string[]; rest: Expr[] } {
  const names = expr.args.slice(0, count).map(variableOf)
  if (names.length === 2 && names[0] === names[1])
    throw new SyntaxFailure(expr.args[1]?.at ?? expr.at, `duplicate variable name: ${names[0]}`)
  return { names, rest: expr.args.slice(count) }
}

const first = (exprs: readonly Expr[]): Expr => exprs[0] as Expr

const all =
  (count: number): Macro =>
  (expr) => {
    const { names, rest } = split(expr, count)
    const { at } = expr
    const step = call(at, '_&&_', [result(at), first(rest)])
    return fold(expr, names, { initial: TRUE(at), condition: notStrictlyFalse(at, result(at)), step })
  }

const exists =
  (count: number): Macro =>
  (expr) => {
    const { names, rest } = split(expr, count)
    const { at } = expr
    const step = call(at, '_||_', [result(at), first(rest)])
    return fold(expr, names, { initial: FALSE(at), condition: notStrictlyFalse(at, call(at, '!_', [result(at)])), step })
  }

const existsOne =
  (count: number): Macro =>
  (expr) => {
    const { names, rest } = split(expr, count)
    const { at } = expr
    const step = call(at, '_?_:_', [first(rest), call(at, '_+_', [result(at), literal(at, 1n)]), result(at)])
    const last = call(at, '_==_', [result(at), literal(at, 1n)])
    return fold(expr, names, { initial: literal(at, 0n), condition: TRUE(at), step, result: last })
  }

const append = (at: number, item: Expr) => call(at, '_+_', [result(at), list(at, [item])])
const when = (at: number, condition: Expr | null, then: Expr) => (condition ? call(at, '_?_:_', [condition, then, result(at)]) : then)

/** `map(x, t)`, `map(x, p, t)`, `transformList(k, v, t)`, `transformList(k, v, p, t)`. */
const transformList =
  (count: number): Macro =>
  (expr) => {
    const { names, rest } = split(expr, count)
    const { at } = expr
    const step = when(at, rest.length === 2 ? first(rest) : null, append(at, rest.at(-1) as Expr))
    return fold(expr, names, { initial: list(at), condition: TRUE(at), step })
  }

const filter: Macro = (expr) => {
  const { names, rest } = split(expr, 1)
  const { at } = expr
  const step = when(at, first(rest), append(at, ident(at, names[0] ?? '')))
  return fold(expr, names, { initial: list(at), condition: TRUE(at), step })
}

const transformMap =
  (entries: boolean): Macro =>
  (expr) => {
    const { names, rest } = split(expr, 2)
    const { at } = expr
    const last = rest.at(-1) as Expr
    const insert = call(at, 'cel.@mapInsert', entries ? [result(at), last] : [result(at), ident(at, names[0] ?? ''), last])
    const step = when(at, rest.length === 2 ? first(rest) : null, insert)
    return fold(expr, names, { initial: { kind: 'map', at, entries: [] }, condition: TRUE(at), step })
  }

const has: Macro = ({ at, args }) => {
  const [operand] = args
  if (operand?.kind !== 'select') throw new SyntaxFailure(operand?.at ?? at, 'invalid argument to has() macro')
  return { ...operand, at, test: true }
}

/** A name for what an expression is: a comprehension over nothing whose accumulator is the name. */
export function bind(at: number, name: string, value: Expr, inside: Expr): Comprehension {
  return {
    kind: 'fold',
    at,
    range: list(at),
    variable: '#unused',
    second: null,
    accumulator: name,
    initial: value,
    condition: FALSE(at),
    step: ident(at, name),
    result: inside,
  }
}

const celBind: Macro = ({ at, target, args }) => {
  if (target?.kind !== 'ident' || target.name !== 'cel') return null
  const [name, value, inside] = args as [Expr, Expr, Expr]
  if (name.kind !== 'ident') throw new SyntaxFailure(name.at, 'cel.bind() variable names must be simple identifiers')
  return bind(at, name.name, value, inside)
}

const optMap =
  (flat: boolean): Macro =>
  ({ at, target, args }) => {
    const [variable, inside] = args as [Expr, Expr]
    if (variable.kind !== 'ident')
      throw new SyntaxFailure(variable.at, `opt${flat ? 'Flat' : ''}Map() variable name must be a simple identifier`)
    const subject = '@target'
    const named = ident(at, subject)
    const value = bind(at, variable.name, call(at, 'value', [], named), inside)
    const some = flat ? value : call(at, 'optional.of', [value])
    const chosen = call(at, '_?_:_', [call(at, 'hasValue', [], named), some, call(at, 'optional.none', [])])
    // So what it is called on is evaluated once.
    return bind(at, subject, target as Expr, chosen)
  }

const sortBy: Macro = (expr) => {
  const { names, rest } = split(expr, 1)
  const { at, target } = expr
  const input = ident(at, '@sorted')
  const map = transformList(1)({ ...call(at, 'map', [ident(at, names[0] ?? ''), first(rest)], input) }) as Expr
  return bind(at, '@sorted', target as Expr, call(at, '@sortByAssociatedKeys', [map], input))
}

export const LIST_MACROS: Macros = new Map<string, Macro>([['.sortBy:2', sortBy]])

export const STANDARD_MACROS: Macros = new Map<string, Macro>([
  ['has:1', has],
  ['.all:2', all(1)],
  ['.exists:2', exists(1)],
  ['.exists_one:2', existsOne(1)],
  ['.existsOne:2', existsOne(1)],
  ['.map:2', transformList(1)],
  ['.map:3', transformList(1)],
  ['.filter:2', filter],
])

export const TWO_VARIABLE_MACROS: Macros = new Map<string, Macro>([
  ['.all:3', all(2)],
  ['.exists:3', exists(2)],
  ['.existsOne:3', existsOne(2)],
  ['.exists_one:3', existsOne(2)],
  ['.transformList:3', transformList(2)],
  ['.transformList:4', transformList(2)],
  ['.transformMap:3', transformMap(false)],
  ['.transformMap:4', transformMap(false)],
  ['.transformMapEntry:3', transformMap(true)],
  ['.transformMapEntry:4', transformMap(true)],
])

export const BINDING_MACROS: Macros = new Map<string, Macro>([['.bind:3', celBind]])

export const OPTIONAL_MACROS: Macros = new Map<string, Macro>([
  ['.optMap:2', optMap(false)],
  ['.optFlatMap:2', optMap(true)],
])
