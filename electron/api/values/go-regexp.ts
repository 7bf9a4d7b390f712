/**
 * Regular expressions as Go's RE2 reads them, on JavaScript's engine. What RE2 has not (looking around, references to groups) is
 * refused, so that nothing is stored here that another Kubernetes would not take. Source: Go `regexp/syntax`.
 */
const CLASSES: Readonly<Record<string, string>> = {
  alnum: '0-9A-Za-z',
  alpha: 'A-Za-z',
  ascii: '\\x00-\\x7F',
  blank: '\\t ',
  cntrl: '\\x00-\\x1F\\x7F',
  digit: '0-9',
  graph: '!-~',
  lower: 'a-z',
  print: ' -~',
  punct: '!-\\/:-@\\[-`{-~',
  space: '\\t\\n\\v\\f\\r ',
  upper: 'A-Z',
  word: '0-9A-Za-z_',
  xdigit: '0-9A-Fa-f',
}

const known = new Map<string, RegExp>()
const MOST_KNOWN = 1000

/** The same object for the same pattern. Throws SyntaxError with what is wrong in Go's words, as far as those are known. */
export function goRegExp(pattern: string): RegExp {
  let made = known.get(pattern)
  if (!made) {
    made = compile(pattern)
    if (known.size >= MOST_KNOWN) known.clear()
    known.set(pattern, made)
  }
  return made
}

function compile(pattern: string): RegExp {
  const flags = /^\(\?([ims]+)\)/.exec(pattern)
  const body = flags ? pattern.slice(flags[0].length) : pattern
  try {
    return new RegExp(translate(body), `${flags?.[1] ?? ''}u`)
  } catch (error) {
    throw new SyntaxError(`error parsing regexp: ${(error as Error).message}`, { cause: error })
  }
}

const LOOKS_AROUND = /^\(\?(?:=|!|<=|<!)/

/** Escapes that JavaScript knows by the same name in its unicode mode; others of punctuation stand for themselves. */
const ESCAPES = 'bBdDfnrstSvwWxpP'

function translate(pattern: string): string {
  let out = ''
  let inClass = false
  for (let i = 0; i < pattern.length; i++) {
    const char = pattern.charAt(i)
    const rest = pattern.slice(i)
    if (char === '\\') {
      const next = pattern.charAt(++i)
      if (/[1-9]/.test(next)) throw new SyntaxError(`invalid escape sequence: \`\\${next}\``)
      if (next === 'A') out += '(?<![\\s\\S])'
      else if (next === 'z') out += '(?![\\s\\S])'
      else if (next === 'a') out += '\\x07'
      else if (next === 'Q') {
        const end = pattern.indexOf('\\E', i)
        out += pattern.slice(i + 1, end < 0 ? undefined : end).replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')
        i = end < 0 ? pattern.length : end + 1
      } else if (ESCAPES.includes(next) || /[\\^$.*+?()[\]{}|/]/.test(next) || (next === '-' && inClass)) out += `\\${next}`
      else if (/[A-Za-z]/.test(next) || next === '') throw new SyntaxError(`invalid escape sequence: \`\\${next}\``)
      else out += next
    } else if (inClass) {
      const named = /^\[:(\^?)([a-z]+):\]/.exec(rest)
      if (named) {
        const members = CLASSES[named[2] ?? '']
        if (!members || named[1]) throw new SyntaxError(`invalid character class range: \`${named[0]}\``)
        out += members
        i += named[0].length - 1
        continue
      }
      if (char === ']') inClass = false
      out += char === '[' ? '\\[' : char
    } else if (char === '[') {
      inClass = true
      const head = /^\[\^?\]?/.exec(rest)?.[0] ?? '['
      out += head.replace(']', '\\]')
      i += head.length - 1
    } else if (LOOKS_AROUND.test(rest)) throw new SyntaxError(`invalid or unsupported Perl syntax: \`${rest.slice(0, 3)}\``)
    else if (rest.startsWith('(?P<')) {
      out += '(?<'
      i += 3
    } else if (char === '{' && !/^\{\d+(?:,\d*)?\}/.test(rest)) out += '\\{'
    else if (char === '}' && !/\{\d+(?:,\d*)?$/.test(out)) out += '\\}'
    else out += char
  }
  return out
}
