/** Text to expressions, with macros carried out. Source: CEL language definition, "Syntax", and its grammar. */
import { call, ident, list, literal, type Expr, type ListExpr, type MapEntry, type StructField } from './ast.ts'
import type { SourceError } from './errors.ts'
import { SyntaxFailure, tokenize, type Token } from './lexer.ts'
import { expandMacro, type Macros } from './macros.ts'
import { isReserved } from './names.ts'
import { MAX_INT, codePoints } from './values.ts'

export interface ParseOptions {
  readonly macros: Macros
  /** Field names in backticks; Kubernetes has them not. */
  readonly quotedNames?: boolean
}

export type Parsed = { readonly expr: Expr; readonly errors?: undefined } | { readonly errors: readonly SourceError[] }

/** In code points. */
const LONGEST = 100_000
const DEEPEST = 250

export function parse(source: string, options: ParseOptions): Parsed {
  const size = source.length > LONGEST ? codePoints(source) : 0
  if (size > LONGEST) return { errors: [{ at: -1, message: `expression code point size exceeds limit: size: ${size}, limit ${LONGEST}` }] }
  try {
    return { expr: new Parser(tokenize(source), options).whole() }
  } catch (error) {
    if (error instanceof SyntaxFailure) return { errors: [error.error] }
    throw error
  }
}

const RELATIONS: ReadonlySet<string> = new Set(['<', '<=', '>', '>=', '==', '!='])
const ADDITIVE: ReadonlySet<string> = new Set(['+', '-'])
const MULTIPLICATIVE: ReadonlySet<string> = new Set(['*', '/', '%'])

class Parser {
  readonly #tokens: readonly Token[]
  readonly #options: ParseOptions
  #next = 0
  #depth = 0

  constructor(tokens: readonly Token[], options: ParseOptions) {
    this.#tokens = tokens
    this.#options = options
  }

  whole(): Expr {
    const expr = this.#expr()
    if (this.#peek().kind !== 'end') throw this.#unexpected(this.#peek())
    return expr
  }

  #peek(ahead = 0): Token {
    return this.#tokens[Math.min(this.#next + ahead, this.#tokens.length - 1)] as Token
  }

  #take(): Token {
    const token = this.#peek()
    if (token.kind !== 'end') this.#next++
    return token
  }

  #is(text: string): boolean {
    const { kind, text: found } = this.#peek()
    return (kind === 'op' || kind === 'ident') && found === text
  }

  #accept(text: string): Token | null {
    return this.#is(text) ? this.#take() : null
  }

  #expect(text: string): Token {
    const token = this.#accept(text)
    if (token) return token
    const found = this.#peek()
    throw new SyntaxFailure(found.at, `Syntax error: mismatched input '${found.text}' expecting '${text}'`)
  }

  #unexpected({ at, text, kind }: Token): SyntaxFailure {
    if (kind === 'end') return new SyntaxFailure(at, "Syntax error: mismatched input '<EOF>' expecting an expression")
    return new SyntaxFailure(at, `Syntax error: extraneous input '${text}' expecting <EOF>`)
  }

  #deeper<T>(at: number, parse: () => T): T {
    if (++this.#depth > DEEPEST) throw new SyntaxFailure(at, `expression recursion limit exceeded: ${DEEPEST}`)
    const result = parse()
    this.#depth--
    return result
  }

  #expr(): Expr {
    return this.#deeper(this.#peek().at, () => {
      const condition = this.#logical('||', '_||_', () => this.#logical('&&', '_&&_', () => this.#relation()))
      const question = this.#accept('?')
      if (!question) return condition
      const yes = this.#logical('||', '_||_', () => this.#logical('&&', '_&&_', () => this.#relation()))
      this.#expect(':')
      return call(question.at, '_?_:_', [condition, yes, this.#expr()])
    })
  }

  /** A tree of terms that is as flat as it can be. */
  #logical(operator: string, name: string, term: () => Expr): Expr {
    const terms = [term()]
    const at: number[] = []
    for (let token = this.#accept(operator); token; token = this.#accept(operator)) {
      at.push(token.at)
      terms.push(term())
    }
    const balanced = (from: number, to: number): Expr => {
      if (from === to) return terms[from] as Expr
      const middle = Math.floor((from + to) / 2)
      return call(at[middle] ?? 0, name, [balanced(from, middle), balanced(middle + 1, to)])
    }
    return balanced(0, terms.length - 1)
  }

  #chain(term: () => Expr, operator: () => string | null): Expr {
    const depth = this.#depth
    let left = term()
    for (let name = operator(); name !== null; name = operator()) {
      const { at } = this.#take()
      if (++this.#depth > DEEPEST) throw new SyntaxFailure(at, `expression recursion limit exceeded: ${DEEPEST}`)
      left = call(at, name, [left, term()])
    }
    this.#depth = depth
    return left
  }

  readonly #operatorOf = (among: ReadonlySet<string>) => (): string | null => {
    const { kind, text } = this.#peek()
    return kind === 'op' && among.has(text) ? `_${text}_` : null
  }

  #relation(): Expr {
    const relation = this.#operatorOf(RELATIONS)
    return this.#chain(
      () => this.#sum(),
      () => (this.#is('in') ? '@in' : relation()),
    )
  }

  #sum(): Expr {
    return this.#chain(() => this.#product(), this.#operatorOf(ADDITIVE))
  }

  #product(): Expr {
    return this.#chain(() => this.#unary(), this.#operatorOf(MULTIPLICATIVE))
  }

  #unary(): Expr {
    const first = this.#peek()
    if (!this.#is('!') && !this.#is('-')) return this.#member()
    let count = 0
    // The last minus before a number is the number's.
    while (this.#is(first.text) && !this.#isNegativeNumber()) {
      this.#take()
      count++
    }
    if (count === 0) return this.#member()
    const operand = this.#is('!') || (this.#is('-') && !this.#isNegativeNumber()) ? this.#unary() : this.#member()
    return count % 2 === 0 ? operand : call(first.at, first.text === '!' ? '!_' : '-_', [operand])
  }

  #isNegativeNumber(): boolean {
    const { kind, value } = this.#peek(1)
    return this.#is('-') && kind === 'literal' && (typeof value === 'bigint' || typeof value === 'number')
  }

  #member(): Expr {
    const depth = this.#depth
    let expr = this.#primary()
    for (;;) {
      const { at } = this.#peek()
      if (this.#is('.') || this.#is('[')) {
        if (++this.#depth > DEEPEST) throw new SyntaxFailure(at, `expression recursion limit exceeded: ${DEEPEST}`)
      }
      if (this.#accept('.')) expr = this.#selection(expr, at)
      else if (this.#accept('[')) {
        const optional = this.#accept('?') !== null
        const index = this.#expr()
        this.#expect(']')
        expr = call(at, optional ? '_[?_]' : '_[_]', [expr, index])
      } else if (this.#is('{')) {
        const name = qualifiedName(expr)
        if (name === null) break
        expr = this.#struct(name)
      } else break
    }
    this.#depth = depth
    return expr
  }

  #selection(operand: Expr, at: number): Expr {
    const optional = this.#accept('?') !== null
    const field = this.#fieldName()
    if (optional) return call(at, '_?._', [operand, literal(at, field)])
    if (!this.#is('(')) return { kind: 'select', at, operand, field, test: false }
    const open = this.#take()
    return this.#call(open.at, field, operand)
  }

  #fieldName(): string {
    const token = this.#take()
    if (token.kind === 'quoted') {
      if (!this.#options.quotedNames) throw new SyntaxFailure(token.at, "unsupported syntax: '`'")
      return token.text
    }
    if (token.kind !== 'ident' || KEYWORDS.has(token.text))
      throw new SyntaxFailure(token.at, `Syntax error: no viable alternative at input '.${token.kind === 'end' ? '' : token.text}'`)
    return token.text
  }

  #primary(): Expr {
    const token = this.#take()
    if (token.kind === 'literal') return literal(token.at, this.#fitting(token, 1n))
    if (token.kind === 'ident') return this.#identOrCall(token, '')
    if (token.kind === 'op') {
      switch (token.text) {
        case '-': {
          const number = this.#peek()
          if (number.kind !== 'literal') break
          this.#take()
          const value = this.#fitting(number, -1n)
          return literal(token.at, typeof value === 'bigint' || typeof value === 'number' ? -value : value)
        }
        case '.':
          return this.#identOrCall(this.#take(), '.')
        case '(': {
          const inner = this.#expr()
          this.#expect(')')
          return inner
        }
        case '[':
          return this.#list(token.at)
        case '{':
          return this.#map(token.at)
        default:
      }
    }
    throw token.kind === 'end'
      ? this.#unexpected(token)
      : new SyntaxFailure(token.at, `Syntax error: extraneous input '${token.text}' expecting an expression`)
  }

  /** The least int has one more than the largest. */
  #fitting({ value = null, at }: Token, sign: bigint) {
    if (typeof value === 'bigint' && sign > 0n && value > MAX_INT) throw new SyntaxFailure(at, 'invalid int literal')
    return value
  }

  #identOrCall({ kind, text, at }: Token, dot: string): Expr {
    if (kind !== 'ident') throw new SyntaxFailure(at, `Syntax error: mismatched input '${text}' expecting IDENTIFIER`)
    const constant = dot === '' ? CONSTANTS.get(text) : undefined
    if (constant !== undefined) return literal(at, constant)
    if (KEYWORDS.has(text)) throw new SyntaxFailure(at, `Syntax error: mismatched input '${text}' expecting an expression`)
    if (isReserved(text)) throw new SyntaxFailure(at, `reserved identifier: ${text}`)
    if (!this.#is('(')) return ident(at, dot + text)
    return this.#call(this.#take().at, dot + text, null)
  }

  #call(at: number, name: string, target: Expr | null): Expr {
    const args = this.#until(')', () => this.#expr(), false)
    return expandMacro(this.#options.macros, call(at, name, args, target)) ?? call(at, name, args, target)
  }

  /** Items with commas between them, up to and with the closing bracket. */
  #until<T>(close: string, item: () => T, trailing = true): T[] {
    const items: T[] = []
    while (!this.#accept(close)) {
      if (items.length > 0) {
        this.#expect(',')
        if (trailing && this.#accept(close)) break
      } else if (trailing && this.#accept(',')) {
        this.#expect(close)
        break
      }
      items.push(item())
    }
    return items
  }

  #list(at: number): ListExpr {
    const optional = new Set<number>()
    let count = 0
    const items = this.#until(']', () => {
      if (this.#accept('?')) optional.add(count)
      count++
      return this.#expr()
    })
    return { ...list(at, items), optional }
  }

  #map(at: number): Expr {
    const entries = this.#until('}', (): MapEntry => {
      const optional = this.#accept('?') !== null
      const key = this.#expr()
      this.#expect(':')
      return { key, value: this.#expr(), optional }
    })
    return { kind: 'map', at, entries }
  }

  #struct(name: string): Expr {
    const { at } = this.#take()
    const fields = this.#until('}', (): StructField => {
      const optional = this.#accept('?') !== null
      const field = this.#fieldName()
      const colon = this.#expect(':')
      return { name: field, at: colon.at, value: this.#expr(), optional }
    })
    return { kind: 'struct', at, name, fields }
  }
}

const KEYWORDS: ReadonlySet<string> = new Set(['true', 'false', 'null', 'in'])
const CONSTANTS: ReadonlyMap<string, boolean | null> = new Map([
  ['true', true],
  ['false', false],
  ['null', null],
])

/** `a.b.c` of an expression that is only names; null if it is more. */
export function qualifiedName(expr: Expr): string | null {
  if (expr.kind === 'ident') return expr.name
  if (expr.kind !== 'select' || expr.test) return null
  const operand = qualifiedName(expr.operand)
  return operand === null ? null : `${operand}.${expr.field}`
}
