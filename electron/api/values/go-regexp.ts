/**
 * Regular expressions as Go's RE2 has them, in time that grows with the text alone, whatever the pattern: what people store here
 * runs on each write. Source: Go `regexp/syntax`.
 */
import { RE2JS } from 're2js'

export interface GoRegExp {
  /** Whether it is found anywhere. */
  test(text: string): boolean
  /** What it finds, from the left, without overlap; at most `limit`. */
  find(text: string, limit?: number): string[]
}

const known = new Map<string, GoRegExp>()
const MOST_KNOWN = 1000

/** The same object for the same pattern. Throws SyntaxError with what is wrong in Go's words. */
export function goRegExp(pattern: string): GoRegExp {
  let made = known.get(pattern)
  if (!made) {
    made = compile(pattern)
    if (known.size >= MOST_KNOWN) known.clear()
    known.set(pattern, made)
  }
  return made
}

function compile(pattern: string): GoRegExp {
  const regexp = parse(pattern)
  return {
    test: (text) => regexp.test(text),
    find(text, limit = Infinity) {
      const matcher = regexp.matcher(text)
      const found: string[] = []
      while (found.length < limit && matcher.find()) found.push(matcher.group(0) ?? '')
      return found
    },
  }
}

function parse(pattern: string): RE2JS {
  try {
    return RE2JS.compile(pattern)
  } catch (error) {
    throw new SyntaxError((error as Error).message, { cause: error })
  }
}
