/** Literals that would fail each time (times that are none, expressions that are no regular ones), and lists of different things. Source: cel-go `cel/validator.go`. */
import { goRegExp } from '../../api/values/go-regexp.ts'
import { children, type Expr } from './ast.ts'
import type { SourceError } from './errors.ts'
import { parseDuration, parseTimestamp } from './time.ts'
import { formatType, isDynOrError, parameter, sameType, type CelType } from './types.ts'

const READ: Readonly<Record<string, (text: string) => unknown>> = {
  duration: parseDuration,
  timestamp: parseTimestamp,
  matches: goRegExp,
}

export function checkLiterals(expr: Expr): SourceError[] {
  const errors: SourceError[] = []
  const look = (one: Expr) => {
    const read = one.kind === 'call' && Object.hasOwn(READ, one.name) ? READ[one.name] : undefined
    const last = one.kind === 'call' ? one.args.at(-1) : undefined
    if (read && one.kind === 'call' && last?.kind === 'literal' && typeof last.value === 'string') {
      try {
        read(last.value)
      } catch {
        errors.push({ at: last.at, message: `invalid ${one.name} argument` })
      }
    }
    for (const child of children(one)) look(child)
  }
  look(expr)
  return errors
}

/** Lists and maps that are written out hold one type, but for what is to be formatted. */
export function checkUniform(expr: Expr): SourceError[] {
  if (expr.kind === 'call' && expr.name === 'format') return []
  const own =
    expr.kind === 'list'
      ? firstOther(expr.items.map((item, i) => ({ item, optional: expr.optional.has(i) })))
      : expr.kind === 'map'
        ? [
            ...firstOther(expr.entries.map(({ key }) => ({ item: key, optional: false }))),
            ...firstOther(expr.entries.map(({ value, optional }) => ({ item: value, optional }))),
          ]
        : []
  return [...own, ...children(expr).flatMap(checkUniform)]
}

function firstOther(items: readonly { readonly item: Expr; readonly optional: boolean }[]): SourceError[] {
  const typeOf = ({ item, optional }: (typeof items)[number]) => (optional ? parameter(item.type as CelType, 0) : (item.type as CelType))
  const [first] = items
  const wanted = first && typeOf(first)
  for (const one of items) {
    const found = typeOf(one)
    if (!wanted || isDynOrError(wanted) || isDynOrError(found) || sameType(wanted, found)) continue
    return [{ at: one.item.at, message: `expected type '${formatType(wanted)}' but found '${formatType(found)}'` }]
  }
  return []
}
