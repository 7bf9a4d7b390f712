/** The tokens of CEL. Source: CEL language definition, "Syntax". */
import { Uint, type Value, MAX_INT, MAX_UINT } from './values.ts'
import type { SourceError } from './errors.ts'

export interface Token {
  readonly kind: 'ident' | 'quoted' | 'literal' | 'op' | 'end'
  /** As written; of a quoted identifier what is between the backticks. */
  readonly text: string
  readonly at: number
  /** Of literals; a whole number that is one too large for an int is only fit for a sign before it. */
  readonly value?: Value
}

export class SyntaxFailure extends Error {
  readonly error: SourceError
  constructor(at: number, message: string) {
    super(message)
    this.error = { at, message }
  }
}

const SPACE = /(?:[ \t\r\n\f]+|\/\/[^\n]*)+/y
const NUMBER = /(?:0x[0-9a-fA-F]+|\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)[uU]?/y
const IDENT = /[A-Za-z_][A-Za-z0-9_]*/y
const QUOTED = /`([A-Za-z0-9_.\-/ ]+)`/y
const STRING_START = /(?:[rR][bB]?|[bB][rR]?)?(?:"""|'''|"|')/y
const OPERATOR = /\|\||&&|==|!=|<=|>=|[?:<>+\-*/%!()[\]{}.,]/y

/** Throws SyntaxFailure. The last token is `end`. */
export function tokenize(source: string): Token[] {
  const tokens: Token[] = []
  let at = 0
  const match = (pattern: RegExp) => {
    pattern.lastIndex = at
    return pattern.exec(source)
  }
  while (at < source.length) {
    const space = match(SPACE)
    if (space) at += space[0].length
    if (at >= source.length) break
    const start = match(STRING_START)
    if (start) {
      const [end, value] = stringLiteral(source, at, start[0])
      tokens.push({ kind: 'literal', text: source.slice(at, end), at, value })
      at = end
      continue
    }
    const number = match(NUMBER)
    if (number) {
      tokens.push({ kind: 'literal', text: number[0], at, value: numberLiteral(number[0], at) })
      at += number[0].length
      continue
    }
    const name = match(IDENT)
    const quoted = name ? null : match(QUOTED)
    const operator = name || quoted ? null : match(OPERATOR)
    if (name) tokens.push({ kind: 'ident', text: name[0], at })
    else if (quoted) tokens.push({ kind: 'quoted', text: quoted[1] ?? '', at })
    else if (operator) tokens.push({ kind: 'op', text: operator[0], at })
    else throw new SyntaxFailure(at, `Syntax error: token recognition error at: '${String.fromCodePoint(source.codePointAt(at) ?? 0)}'`)
    at += (name ?? quoted ?? operator)?.[0].length ?? 1
  }
  tokens.push({ kind: 'end', text: '<EOF>', at: source.length })
  return tokens
}

function numberLiteral(text: string, at: number): Value {
  if (/[uU]$/.test(text)) {
    const digits = text.slice(0, -1)
    const value = /^(0x[0-9a-fA-F]+|\d+)$/.test(digits) ? BigInt(digits) : MAX_UINT + 1n
    if (value > MAX_UINT) throw new SyntaxFailure(at, 'invalid uint literal')
    return new Uint(value)
  }
  if (/^(0x[0-9a-fA-F]+|\d+)$/.test(text)) {
    const value = BigInt(text)
    if (value > MAX_INT + 1n) throw new SyntaxFailure(at, 'invalid int literal')
    return value
  }
  const value = Number(text)
  if (!Number.isFinite(value)) throw new SyntaxFailure(at, 'invalid double literal')
  return value
}

/** The offset after the literal, and what it stands for. */
function stringLiteral(source: string, at: number, start: string): [number, Value] {
  const quote = /['"]+$/.exec(start)?.[0] ?? '"'
  const prefix = start.slice(0, start.length - quote.length).toLowerCase()
  const [raw, bytes] = [prefix.includes('r'), prefix.includes('b')]
  let end = at + start.length
  while (!source.startsWith(quote, end)) {
    const char = source.charAt(end)
    if (char === '' || (quote.length === 1 && (char === '\n' || char === '\r')))
      throw new SyntaxFailure(at, `Syntax error: token recognition error at: '${source.slice(at, end)}'`)
    end += !raw && char === '\\' ? 2 : 1
  }
  const body = source.slice(at + start.length, end).replace(/\r\n?/g, '\n')
  const value = raw ? (bytes ? utf8(body) : body) : unescape(body, at, bytes)
  return [end + quote.length, value]
}

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text)

const SIMPLE: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  "'": "'",
  '"': '"',
  '`': '`',
  '?': '?',
}
const CODED = /^(?:[xX]([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-3][0-7]{2}))/

/** In strings, a coded escape is a code point; in bytes, one octet. */
function unescape(body: string, at: number, asBytes: boolean): Value {
  const octets: number[] = []
  let text = ''
  const put = (part: string) => {
    if (asBytes) octets.push(...utf8(part))
    else text += part
  }
  const wrong = (what: string) => new SyntaxFailure(at, `Syntax error: ${what}`)
  for (let i = 0; i < body.length;) {
    const next = body.indexOf('\\', i)
    if (next < 0) {
      put(body.slice(i))
      break
    }
    put(body.slice(i, next))
    const rest = body.slice(next + 1)
    const simple = SIMPLE[rest.charAt(0)]
    const coded = simple === undefined ? CODED.exec(rest) : null
    if (simple !== undefined) put(simple)
    else if (!coded) throw wrong(`token recognition error at: '\\${rest.charAt(0)}'`)
    else {
      const [whole, hex, four, eight, octal] = coded
      const code = octal === undefined ? Number.parseInt(hex ?? four ?? eight ?? '', 16) : Number.parseInt(octal, 8)
      if (asBytes) {
        if (four !== undefined || eight !== undefined) throw wrong(`invalid escape in bytes: '\\${whole}'`)
        octets.push(code)
      } else {
        if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) throw wrong(`invalid unicode code point: '\\${whole}'`)
        text += String.fromCodePoint(code)
      }
    }
    i = next + 1 + (coded ? coded[0].length : 1)
  }
  return asBytes ? Uint8Array.from(octets) : text
}
