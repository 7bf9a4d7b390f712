/**
 * YAML as kubectl and the API server read it (`sigs.k8s.io/yaml` on go-yaml v2): YAML 1.1 scalars, so that `yes` is true and `0777`
 * is 511, turned into what JSON can say. The first document counts.
 */
import { isAlias, isMap, isScalar, isSeq, Lexer, LineCounter, parseDocument, Scalar, type Node } from 'yaml'
import { bytesFromBase64 } from '../../api/values/base64.ts'
import { scanJson } from './json-scan.ts'
import { MAX_DEPTH } from './json-tree.ts'

export class YamlError extends Error {
  override readonly name = 'YamlError'
}

export interface YamlValue {
  readonly value: unknown
  /** What strict decoding objects to: keys that are there twice. */
  readonly strict: readonly string[]
}

const TAG = 'tag:yaml.org,2002:'
const MAX_EXPANDED = 100_000
/** The parser holds the event loop; this much takes it half a second. JSON has no such limit. */
const MAX_TEXT = 512 * 1024
/** How deep lists and maps in brackets and braces may be nested: the parser's time grows with the square of it. */
const MAX_FLOW = 100
const OPEN = 0x5b
const CLOSE = 0x5d
/** Braces differ from brackets by this bit. */
const BRACE = 0x20
const TOO_DEEP = 'yaml: exceeded max depth'
const WORDS: ReadonlyMap<string, boolean | null> = new Map([
  ...['y', 'Y', 'yes', 'Yes', 'YES', 'true', 'True', 'TRUE', 'on', 'On', 'ON'].map((word) => [word, true] as const),
  ...['n', 'N', 'no', 'No', 'NO', 'false', 'False', 'FALSE', 'off', 'Off', 'OFF'].map((word) => [word, false] as const),
  ...['', '~', 'null', 'Null', 'NULL'].map((word) => [word, null] as const),
])

/** Throws YamlError. */
export function parseYaml(text: string): YamlValue {
  const json = plainJson(text)
  if (json !== undefined) return { value: json, strict: [] }
  if (text.length > MAX_TEXT) throw new YamlError(`yaml: the document is larger than ${MAX_TEXT} bytes: send it as JSON`)
  if (opened(text) > MAX_FLOW && flowDepth(text) > MAX_FLOW) throw new YamlError(TOO_DEEP)
  try {
    return parseAny(text)
  } catch (error) {
    // What is nested so deep that the parser has no stack left.
    if (error instanceof RangeError) throw new YamlError(TOO_DEEP, { cause: error })
    throw error
  }
}

/** JSON, which is YAML too and much quicker to read, where it means the same: kubectl sends what it applies so. Undefined for all else. */
function plainJson(text: string): unknown {
  if (!/^\s*\{/.test(text)) return undefined
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  const { depth, keys, inexact } = scanJson(Buffer.from(text))
  if (depth > MAX_DEPTH) throw new YamlError(TOO_DEEP)
  return inexact || keys !== countProperties(value) ? undefined : value
}

function countProperties(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  let count = Array.isArray(value) ? 0 : Object.keys(value).length
  for (const item of Object.values(value)) count += countProperties(item)
  return count
}

/** The most brackets and braces that are open at once, those in texts and comments among them. */
function opened(text: string): number {
  let [open, most] = [0, 0]
  for (let i = 0; i < text.length; i++) {
    const char = text.charCodeAt(i) & ~BRACE
    if (char === OPEN) most = Math.max(most, ++open)
    else if (char === CLOSE && open > 0) open--
  }
  return most
}

/** The same without texts and comments. */
function flowDepth(text: string): number {
  let [open, most] = [0, 0]
  for (const token of new Lexer().lex(text)) {
    if (token === '[' || token === '{') most = Math.max(most, ++open)
    else if (token === ']' || token === '}') open--
    if (most > MAX_FLOW) break
  }
  return most
}

function parseAny(text: string): YamlValue {
  const lines = new LineCounter()
  const document = parseDocument(text, {
    schema: 'failsafe',
    version: '1.1',
    merge: false,
    uniqueKeys: false,
    prettyErrors: false,
    logLevel: 'silent',
    lineCounter: lines,
  })
  const error = document.errors.find(({ code }) => code !== 'MULTIPLE_DOCS')
  if (error?.message.startsWith('Maximum call stack')) throw new YamlError(TOO_DEEP)
  if (error) throw new YamlError(`yaml: line ${lines.linePos(error.pos[0]).line}: ${error.message}`)
  const reader = new Reader(lines)
  const value = document.contents === null ? null : reader.read(document.contents)
  const strict = reader.duplicates.length > 0 ? [`yaml: unmarshal errors:\n${reader.duplicates.join('\n')}`] : []
  return { value, strict }
}

class Reader {
  readonly duplicates: string[] = []
  readonly #lines: LineCounter
  /** As read so far; the library would look through the whole document for each. */
  readonly #anchors = new Map<string, Node>()
  /** Aliases being expanded: one inside itself would never end. */
  readonly #open = new Set<Node>()
  #expanded = 0
  #depth = 0

  constructor(lines: LineCounter) {
    this.#lines = lines
  }

  read(node: Node): unknown {
    if (++this.#depth > MAX_DEPTH) throw new YamlError(TOO_DEEP)
    const value = this.#read(node)
    this.#depth--
    return value
  }

  #read(node: Node): unknown {
    if (this.#open.size > 0 && ++this.#expanded > MAX_EXPANDED) throw new YamlError('yaml: document contains excessive aliasing')
    if (isAlias(node)) return this.#alias(node.source)
    if (node.anchor !== undefined) this.#anchors.set(node.anchor, node)
    if (isScalar(node)) return scalarValue(node)
    if (isSeq(node)) return node.items.map((item) => this.#readAny(item))
    if (isMap(node)) return this.#map(node.items)
    throw new YamlError('yaml: unsupported node')
  }

  #readAny(item: unknown): unknown {
    return item === null || item === undefined ? null : this.read(item as Node)
  }

  #alias(name: string): unknown {
    const target = this.#anchors.get(name)
    if (!target) throw new YamlError(`yaml: unknown anchor '${name}' referenced`)
    if (this.#open.has(target)) throw new YamlError(`yaml: anchor '${name}' value contains itself`)
    this.#open.add(target)
    try {
      return this.read(target)
    } finally {
      this.#open.delete(target)
    }
  }

  #map(items: readonly { key: unknown; value: unknown }[]): Record<string, unknown> {
    const out: Record<string, unknown> = {}
    for (const { key, value } of items) {
      if (isMergeKey(key)) {
        this.#merge(out, value)
        continue
      }
      const name = keyText(this.#readAny(key))
      if (Object.hasOwn(out, name)) {
        const line = this.#lines.linePos((key as Node).range?.[0] ?? 0).line
        this.duplicates.push(`  line ${line}: key ${JSON.stringify(name)} already set in map`)
      }
      put(out, name, this.#readAny(value))
    }
    return out
  }

  /** `<<: *base` and `<<: [*a, *b]`, of which the first wins. */
  #merge(out: Record<string, unknown>, source: unknown): void {
    const value = this.#readAny(source)
    for (const part of Array.isArray(value) ? value.toReversed() : [value]) {
      if (typeof part !== 'object' || part === null || Array.isArray(part))
        throw new YamlError('yaml: map merge requires map or sequence of maps as the value')
      for (const [name, item] of Object.entries(part)) put(out, name, item)
    }
  }
}

function isMergeKey(key: unknown): boolean {
  return isScalar(key) && key.value === '<<' && (key.type === Scalar.PLAIN || key.tag === `${TAG}merge`)
}

function scalarValue(node: Scalar): unknown {
  const text = typeof node.value === 'string' ? node.value : ''
  const tag = node.tag
  if (tag === `${TAG}binary`) {
    try {
      return Buffer.from(bytesFromBase64(text.replace(/\s/g, ''))).toString('utf8')
    } catch {
      throw new YamlError('yaml: !!binary value contains invalid base64 data')
    }
  }
  if (tag !== undefined && ![`${TAG}bool`, `${TAG}int`, `${TAG}float`, `${TAG}null`].includes(tag)) return text
  if (tag === undefined && node.type !== Scalar.PLAIN) return text
  const value = resolvePlain(text)
  if (tag === undefined) return value
  const found = value === null ? 'null' : typeof value === 'boolean' ? 'bool' : typeof value === 'number' ? numberTag(text, value) : 'str'
  const wanted = tag.slice(TAG.length)
  if (found === wanted || (wanted === 'float' && found === 'int')) return value
  throw new YamlError(`yaml: cannot decode !!${found} \`${text}\` as a !!${wanted}`)
}

/** The value of a plain scalar by go-yaml's rules; what is nothing else is text. */
function resolvePlain(text: string): unknown {
  const word = WORDS.get(text)
  if (word !== undefined) return word
  if (/^[+-]?\.(inf|Inf|INF|nan|NaN|NAN)$/.test(text)) {
    const not = /^\.nan$/i.test(text)
    if (not || !/nan/i.test(text)) throw new YamlError(`json: unsupported value: ${not ? 'NaN' : text.startsWith('-') ? '-Inf' : '+Inf'}`)
  }
  if (!/^[-+.0-9]/.test(text)) return text
  const plain = text.startsWith('.') ? text : text.replaceAll('_', '')
  const integer = parseInteger(plain)
  if (integer !== null) return integer
  if (/^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$/.test(plain)) {
    const value = Number(plain)
    if (Number.isFinite(value)) return value
  }
  return text
}

/** Go's ParseInt with base 0: "0x1f", "0b11", "0o17" and "017" too. Null for what is no integer of 64 bits. */
function parseInteger(text: string): number | null {
  const found = /^([-+]?)(?:0[xX]([0-9a-fA-F]+)|0[bB]([01]+)|0[oO]?([0-7]+)|(0|[1-9][0-9]*))$/.exec(text)
  if (!found) return null
  const [, sign, hex, binary, octal, decimal] = found
  const value = hex ? BigInt(`0x${hex}`) : binary ? BigInt(`0b${binary}`) : octal ? BigInt(`0o${octal}`) : BigInt(decimal ?? '0')
  if (sign === '-' ? value > 2n ** 63n : value >= 2n ** 64n) return null
  return Number(sign === '-' ? -value : value) + 0
}

function numberTag(text: string, value: number): 'int' | 'float' {
  return Number.isInteger(value) && parseInteger(text.replaceAll('_', '')) !== null ? 'int' : 'float'
}

function keyText(key: unknown): string {
  if (typeof key === 'string') return key
  if (typeof key === 'number' || typeof key === 'boolean') return String(key)
  throw new YamlError(`unsupported map key of type: ${key === null ? '%!s(<nil>)' : Array.isArray(key) ? 'list' : 'map'}`)
}

function put(object: Record<string, unknown>, key: string, value: unknown): void {
  Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true })
}
