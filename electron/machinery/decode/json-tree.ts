/**
 * JSON read with nothing lost: properties that are there twice, numbers as they are written. Malformed text is refused in the
 * words of Go's `encoding/json`, which clients know.
 */
export type JsonNode =
  | { readonly kind: 'object'; readonly entries: readonly (readonly [string, JsonNode])[] }
  | { readonly kind: 'array'; readonly items: readonly JsonNode[] }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'number'; readonly text: string }
  | { readonly kind: 'boolean'; readonly value: boolean }
  | { readonly kind: 'null' }

export class JsonSyntaxError extends Error {
  override readonly name = 'JsonSyntaxError'
}

/** Objects and arrays nested deeper are refused: no Kubernetes object is. */
export const MAX_DEPTH = 1000

export function parseJsonTree(text: string): JsonNode {
  return new Reader(text).document()
}

/** The same form for a value that was never text. Properties that are undefined do not count. */
export function treeOf(value: unknown): JsonNode {
  if (value === null || value === undefined) return { kind: 'null' }
  if (typeof value === 'string') return { kind: 'string', value }
  if (typeof value === 'boolean') return { kind: 'boolean', value }
  if (Array.isArray(value)) return { kind: 'array', items: value.map(treeOf) }
  if (typeof value === 'number' || typeof value === 'bigint') return { kind: 'number', text: String(value) }
  if (typeof value !== 'object') return { kind: 'null' }
  const entries = Object.entries(value).filter(([, item]) => item !== undefined)
  return { kind: 'object', entries: entries.map(([key, item]) => [key, treeOf(item)] as const) }
}

const ESCAPES: Readonly<Record<string, string>> = { '"': '"', '\\': '\\', '/': '/', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' }

/** What stands for itself in a string. */
const PLAIN = /[ !#-[\]-\uffff]*/y

class Reader {
  readonly #text: string
  #at = 0
  #depth = 0

  constructor(text: string) {
    this.#text = text
  }

  document(): JsonNode {
    const node = this.#value()
    this.#space()
    if (this.#at < this.#text.length) this.#fail('after top-level value')
    return node
  }

  #space(): void {
    while (' \t\r\n'.includes(this.#text[this.#at] ?? 'x')) this.#at++
  }

  /** The character at the cursor; at the end of the text that is an error. */
  #peek(): string {
    const char = this.#text[this.#at]
    if (char === undefined) throw new JsonSyntaxError('unexpected end of JSON input')
    return char
  }

  #fail(where: string): never {
    throw new JsonSyntaxError(`invalid character ${quoteChar(this.#peek())} ${where}`)
  }

  #value(): JsonNode {
    this.#space()
    const char = this.#peek()
    switch (char) {
      case '{':
        return this.#nested(() => this.#object())
      case '[':
        return this.#nested(() => this.#array())
      case '"':
        return { kind: 'string', value: this.#string() }
      case 't':
        this.#literal('true')
        return { kind: 'boolean', value: true }
      case 'f':
        this.#literal('false')
        return { kind: 'boolean', value: false }
      case 'n':
        this.#literal('null')
        return { kind: 'null' }
      default:
        if (char === '-' || (char >= '0' && char <= '9')) return { kind: 'number', text: this.#number() }
        return this.#fail('looking for beginning of value')
    }
  }

  #nested(read: () => JsonNode): JsonNode {
    if (++this.#depth > MAX_DEPTH) this.#fail('exceeded max depth')
    this.#at++
    this.#space()
    const node = read()
    this.#at++
    this.#depth--
    return node
  }

  #object(): JsonNode {
    const entries: [string, JsonNode][] = []
    if (this.#peek() === '}') return { kind: 'object', entries }
    for (;;) {
      this.#space()
      if (this.#peek() !== '"') this.#fail('looking for beginning of object key string')
      const key = this.#string()
      this.#space()
      if (this.#peek() !== ':') this.#fail('after object key')
      this.#at++
      entries.push([key, this.#value()])
      this.#space()
      const char = this.#peek()
      if (char === '}') return { kind: 'object', entries }
      if (char !== ',') this.#fail('after object key:value pair')
      this.#at++
    }
  }

  #array(): JsonNode {
    const items: JsonNode[] = []
    if (this.#peek() === ']') return { kind: 'array', items }
    for (;;) {
      items.push(this.#value())
      this.#space()
      const char = this.#peek()
      if (char === ']') return { kind: 'array', items }
      if (char !== ',') this.#fail('after array element')
      this.#at++
    }
  }

  #string(): string {
    this.#at++
    let out = ''
    for (;;) {
      PLAIN.lastIndex = this.#at
      PLAIN.test(this.#text)
      out += this.#text.slice(this.#at, PLAIN.lastIndex)
      this.#at = PLAIN.lastIndex
      const char = this.#peek()
      if (char !== '"' && char !== '\\') this.#fail('in string literal')
      this.#at++
      if (char === '"') return out
      const escape = this.#peek()
      const plain = ESCAPES[escape]
      if (plain === undefined && escape !== 'u') this.#fail('in string escape code')
      this.#at++
      out += plain ?? this.#unicode()
    }
  }

  #unicode(): string {
    const start = this.#at
    for (; this.#at < start + 4; this.#at++) if (!/[0-9a-fA-F]/.test(this.#peek())) this.#fail('in \\u hexadecimal character escape')
    return String.fromCharCode(Number.parseInt(this.#text.slice(start, this.#at), 16))
  }

  #number(): string {
    const start = this.#at
    const digits = (where: string) => {
      if (!isDigit(this.#peek())) this.#fail(where)
      while (isDigit(this.#text[this.#at])) this.#at++
    }
    if (this.#peek() === '-') this.#at++
    if (this.#peek() === '0') this.#at++
    else digits('in numeric literal')
    if (this.#text[this.#at] === '.') {
      this.#at++
      digits('after decimal point in numeric literal')
    }
    if (this.#text[this.#at] === 'e' || this.#text[this.#at] === 'E') {
      this.#at++
      if (this.#peek() === '+' || this.#peek() === '-') this.#at++
      digits('in exponent of numeric literal')
    }
    return this.#text.slice(start, this.#at)
  }

  #literal(word: string): void {
    for (const char of word) {
      if (this.#peek() !== char) this.#fail(`in literal ${word} (expecting '${char}')`)
      this.#at++
    }
  }
}

const isDigit = (char: string | undefined) => char !== undefined && char >= '0' && char <= '9'

/** Go reads bytes: of a character beyond ASCII it names the first. */
function quoteChar(char: string): string {
  if (char === "'") return "'\\''"
  if (char === '"') return "'\"'"
  const byte = Buffer.from(char)[0] ?? 0
  if (byte >= 0x7f) return `'${byte < 0xa1 ? `\\u00${byte.toString(16)}` : String.fromCharCode(byte)}'`
  const short = { 7: 'a', 8: 'b', 9: 't', 10: 'n', 11: 'v', 12: 'f', 13: 'r', 92: '\\' }[byte]
  if (short) return `'\\${short}'`
  return byte < 0x20 ? `'\\x${byte.toString(16).padStart(2, '0')}'` : `'${String.fromCharCode(byte)}'`
}

/** `duplicate field "spec.a"` for each property that is there twice, in the order of the text. */
export function duplicateFields(node: JsonNode, path = ''): string[] {
  if (node.kind === 'array') return node.items.flatMap((item, i) => duplicateFields(item, `${path}[${i}]`))
  if (node.kind !== 'object') return []
  const found = new Set<string>()
  const seen = new Set<string>()
  for (const [key, item] of node.entries) {
    const at = path === '' ? key : `${path}.${key}`
    if (seen.has(key)) found.add(`duplicate field ${JSON.stringify(at)}`)
    seen.add(key)
    for (const inner of duplicateFields(item, at)) found.add(inner)
  }
  return [...found]
}
