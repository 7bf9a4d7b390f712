/** What needs no evaluation, and so costs nothing: lists, maps and conversions of literals. Source: cel-go `interpreter/decorators.go`. */
import type { Call, Expr } from './ast.ts'
import { CelError } from './errors.ts'
import { CelList, Uint, keyOf, type Value } from './values.ts'

const CONVERSIONS: ReadonlySet<string> = new Set([
  'bool',
  'bytes',
  'double',
  'duration',
  'dyn',
  'int',
  'string',
  'timestamp',
  'type',
  'uint',
])

/** Whether the expression is one, by its form. */
export function isConstant(expr: Expr): boolean {
  switch (expr.kind) {
    case 'literal':
      return true
    case 'list':
      return expr.optional.size === 0 && expr.items.every(isConstant)
    case 'map':
      return expr.entries.every(({ key, value, optional }) => !optional && isConstant(key) && isConstant(value))
    case 'call': {
      const [arg, ...others] = expr.args
      return !expr.target && CONVERSIONS.has(expr.name) && arg !== undefined && others.length === 0 && isConstant(arg)
    }
    default:
      return false
  }
}

/** Undefined if it fails: then it fails each time that it is evaluated. */
export function constantOf(evaluate: () => Value): Value | undefined {
  try {
    return evaluate()
  } catch (error) {
    if (error instanceof CelError) return undefined
    throw error
  }
}

/** The members of `x in [1, 2]`; null if they must be compared one by one. */
export function membersOf({ name, args, overloads }: Call, list: Value | undefined): ReadonlySet<string> | null {
  if (name !== '@in' || args.length !== 2 || overloads?.join() !== 'in_list' || !(list instanceof CelList)) return null
  const members = new Set<string>()
  for (const item of list) {
    const key = keyOf(item)
    if (key === null || (typeof item === 'object' && !(item instanceof Uint))) return null
    members.add(key)
  }
  return members
}
