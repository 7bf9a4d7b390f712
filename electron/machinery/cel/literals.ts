/** Literals that would fail each time: times that are none, expressions that are no regular ones. Source: cel-go `cel/validator.go`. */
import { goRegExp } from '../../api/values/go-regexp.ts'
import { children, type Expr } from './ast.ts'
import type { SourceError } from './errors.ts'
import { parseDuration, parseTimestamp } from './time.ts'

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
