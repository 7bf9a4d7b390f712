/** Regular expressions. Sources: CEL `matches`, apiserver `cel/library/regex.go`. */
import { goRegExp, type GoRegExp } from '../../../api/values/go-regexp.ts'
import { CelError } from '../errors.ts'
import { define, method, type FunctionDeclaration } from '../functions.ts'
import { INT, STRING, listOf } from '../types.ts'
import { ValueList } from '../values.ts'

/** Throws CelError with Go's words. */
export function regexp(pattern: string): GoRegExp {
  try {
    return goRegExp(pattern)
  } catch (error) {
    throw new CelError((error as Error).message)
  }
}

const findAll = (text: string, pattern: string, limit = -1n) =>
  new ValueList(regexp(pattern).find(text, limit < 0n ? Infinity : Number(limit)))

export const REGEX_FUNCTIONS: readonly FunctionDeclaration[] = [
  define(
    'find',
    method('string_find_string', [STRING, STRING], STRING, (text: string, pattern: string) => regexp(pattern).find(text, 1)[0] ?? ''),
  ),
  define(
    'findAll',
    method('string_find_all_string', [STRING, STRING], listOf(STRING), (text: string, pattern: string) => findAll(text, pattern)),
    method('string_find_all_string_int', [STRING, STRING, INT], listOf(STRING), findAll),
  ),
]
