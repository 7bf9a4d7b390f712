/**
 * Label selectors as text: "app=web,tier in (front,back),!canary,size>3". Source: apimachinery `labels.Parse`; a fault is worded
 * as there, because clients show it.
 */
import { invalid } from '../../api/values/field-error.ts'
import { badRequest, StatusError } from '../status.ts'
import { qualifiedName } from '../../api/values/names.ts'
import { labelRequirement, type LabelOperator, type LabelRequirement } from './requirement.ts'

type TokenType = 'identifier' | 'keyword' | 'symbol' | 'end'

interface Token {
  readonly type: TokenType
  readonly text: string
}

const SYMBOLS = new Set(['==', '!='])
const SPECIAL = new Set(['=', '!', '(', ')', ',', '>', '<'])
const SPACE = new Set([' ', '\t', '\r', '\n'])
const BINARY: Readonly<Record<string, LabelOperator>> = {
  in: 'in',
  notin: 'notin',
  '=': '=',
  '==': '==',
  '!=': '!=',
  '>': 'gt',
  '<': 'lt',
}
const EXPECTED_OPERATORS = 'in, notin, =, ==, !=, gt, lt'

/** The requirements, sorted by key. Throws StatusError `BadRequest`. */
export function parseLabelRequirements(text: string): LabelRequirement[] {
  const requirements = new Parser(scan(text)).parse()
  return requirements.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
}

function scan(text: string): Token[] {
  const tokens: Token[] = []
  let at = 0
  for (;;) {
    while (SPACE.has(text[at] ?? '')) at++
    const char = text[at]
    if (char === undefined || char === '\0') break
    const start = at
    if (SPECIAL.has(char)) {
      at++
      while (SYMBOLS.has(text.slice(start, at + 1)) && at < text.length) at++
      tokens.push({ type: 'symbol', text: text.slice(start, at) })
      continue
    }
    while (at < text.length && text[at] !== '\0' && !SPECIAL.has(text[at] ?? '') && !SPACE.has(text[at] ?? '')) at++
    const word = text.slice(start, at)
    tokens.push({ type: word === 'in' || word === 'notin' ? 'keyword' : 'identifier', text: word })
  }
  tokens.push({ type: 'end', text: '' })
  return tokens
}

class Parser {
  readonly #tokens: readonly Token[]
  #at = 0

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens
  }

  parse(): LabelRequirement[] {
    const requirements: LabelRequirement[] = []
    if (this.#peek().type === 'end') return requirements
    if (!this.#startsRequirement()) throw badRequest(`found '${this.#peek().text}', expected: !, identifier, or 'end of string'`)
    for (;;) {
      try {
        requirements.push(this.#requirement())
      } catch (error) {
        if (error instanceof StatusError) throw badRequest(`unable to parse requirement: ${error.message}`)
        throw error
      }
      const token = this.#next()
      if (token.type === 'end') return requirements
      if (!isSymbol(token, ',')) throw badRequest(`found '${token.text}', expected: ',' or 'end of string'`)
      if (!this.#startsRequirement()) throw badRequest(`found '${this.#peek().text}', expected: identifier after ','`)
    }
  }

  #peek(): Token {
    return this.#tokens[this.#at] ?? { type: 'end', text: '' }
  }

  #next(): Token {
    const token = this.#peek()
    this.#at++
    return token
  }

  #startsRequirement(): boolean {
    const token = this.#peek()
    return isWord(token) || isSymbol(token, '!')
  }

  #requirement(): LabelRequirement {
    let token = this.#next()
    const absent = isSymbol(token, '!')
    if (absent) token = this.#next()
    if (!isWord(token)) throw badRequest(`found '${token.text}', expected: identifier`)
    const key = token.text
    const faults = qualifiedName(key)
    if (faults.length) throw badRequest(`<nil>: ${invalid('', key, faults.join('; ')).message}`)
    if (absent) return labelRequirement(key, '!', [])
    const next = this.#peek()
    if (next.type === 'end' || isSymbol(next, ',')) return labelRequirement(key, 'exists', [])
    const operator = this.#operator()
    const values = operator === 'in' || operator === 'notin' ? this.#values() : [this.#value()]
    return labelRequirement(key, operator, values)
  }

  #operator(): LabelOperator {
    const token = this.#next()
    const operator = token.type === 'identifier' ? undefined : BINARY[token.text]
    if (!operator) throw badRequest(`found '${token.text}', expected: ${EXPECTED_OPERATORS}`)
    return operator
  }

  #value(): string {
    const next = this.#peek()
    if (next.type === 'end' || isSymbol(next, ',')) return ''
    const token = this.#next()
    if (!isWord(token)) throw badRequest(`found '${token.text}', expected: identifier`)
    return token.text
  }

  /** "(a,b)"; nothing between commas or parentheses is the empty value. */
  #values(): string[] {
    const open = this.#next()
    if (!isSymbol(open, '(')) throw badRequest(`found '${open.text}' expected: '('`)
    const first = this.#peek()
    if (!isWord(first) && !isSymbol(first, ',') && !isSymbol(first, ')'))
      throw badRequest(`found '${first.text}', expected: ',', ')' or identifier`)
    const values = new Set<string>()
    for (;;) {
      const token = this.#peek()
      if (isWord(token)) {
        values.add(token.text)
        this.#at++
        const after = this.#peek()
        if (!isSymbol(after, ',') && !isSymbol(after, ')')) throw badRequest(`found '${after.text}', expected: ',' or ')'`)
      } else if (isSymbol(token, ',') || isSymbol(token, ')')) values.add('')
      else throw badRequest(`found '${token.text}', expected: ',', or identifier`)
      if (isSymbol(this.#next(), ')')) return [...values].sort()
    }
  }
}

const isSymbol = (token: Token, text: string) => token.type === 'symbol' && token.text === text
/** "in" and "notin" are keys and values too where no operator can stand. */
const isWord = (token: Token) => token.type === 'identifier' || token.type === 'keyword'
