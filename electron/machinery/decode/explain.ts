/**
 * What is wrong with a value of a type, in Kubernetes' words: the first fault as Go's JSON decoding would report it, and what
 * strict decoding objects to (unknown and duplicate fields, with their paths). Sources: `sigs.k8s.io/json`, Go `encoding/json`.
 */
import { canonicalQuantity } from '../../api/values/quantity.ts'
import type { Scalar, StructType, Type } from '../schema/type.ts'
import { normalizeBase64 } from './base64-text.ts'
import type { JsonNode } from './json-tree.ts'
import { normalizeMicroTime, normalizeTime } from './time-text.ts'

export interface Explanation {
  /** Why the value cannot be decoded; undefined if it can. */
  readonly fault: string | undefined
  /** `unknown field "spec.foo"`, `duplicate field "spec.bar"`; at most 100, in the order of the text. */
  readonly strict: readonly string[]
}

const MAX_STRICT = 100
const INT64_MIN = -(2n ** 63n)
const INT64_MAX = 2n ** 63n - 1n

export function explain(node: JsonNode, type: StructType): Explanation {
  const walk = new Walk()
  try {
    walk.value(node, type, type.go)
  } catch (error) {
    if (!(error instanceof Fatal)) throw error
    return { fault: error.message, strict: [] }
  }
  return { fault: walk.fault, strict: [...walk.strict] }
}

/** Types that decode themselves end the whole decoding when they fail. */
class Fatal extends Error {}

class Walk {
  fault: string | undefined
  readonly strict = new Set<string>()
  /** Names of struct fields only, as Go shows them. */
  readonly #fields: string[] = []
  /** With indices and map keys, as strict errors show them. */
  #path = ''
  #struct = ''

  value(node: JsonNode, type: Type, go: string): void {
    if (type.custom && !fits(node, type)) return this.#anything(node)
    if (node.kind === 'null') return
    switch (type.kind) {
      case 'struct':
        if (node.kind === 'object') this.#structValue(node.entries, type)
        else this.#mismatch(node, go)
        return
      case 'map':
        if (node.kind !== 'object') return this.#mismatch(node, go)
        this.#entries(node.entries, (_key, item) => this.value(item, type.values, type.values.go))
        return
      case 'list':
        if (node.kind === 'array') this.#items(node.items, (item) => this.value(item, type.items, type.items.go))
        else this.#mismatch(node, go)
        return
      case 'scalar':
        return type.custom ? undefined : this.#scalar(node, type.scalar, go)
      case 'union':
        if (type.boolean && node.kind === 'boolean') return
        return this.value(node, node.kind === 'array' && type.list ? type.list : type.object, go)
      case 'any':
        return this.#anything(node)
    }
  }

  #structValue(entries: readonly (readonly [string, JsonNode])[], type: StructType): void {
    const owner = this.#struct
    this.#entries(
      entries,
      (key, item) => {
        const field = type.fields.get(key)
        if (!field) {
          if (type.keepUnknown) this.#anything(item)
          return
        }
        this.#fields.push(key)
        this.#struct = type.name
        this.value(item, field.type, field.go)
        this.#fields.pop()
        this.#struct = owner
      },
      (key) => type.keepUnknown || type.fields.has(key),
    )
  }

  /** Values that no type describes: only what is there twice can be wrong. */
  #anything(node: JsonNode): void {
    if (node.kind === 'array') this.#items(node.items, (item) => this.#anything(item))
    else if (node.kind === 'object') this.#entries(node.entries, (_key, item) => this.#anything(item))
  }

  #entries(
    entries: readonly (readonly [string, JsonNode])[],
    visit: (key: string, item: JsonNode) => void,
    known: (key: string) => boolean = () => true,
  ): void {
    const path = this.#path
    const seen = new Set<string>()
    for (const [key, item] of entries) {
      this.#path = path === '' ? key : `${path}.${key}`
      if (!known(key)) this.#object('unknown field')
      else if (seen.has(key)) this.#object('duplicate field')
      seen.add(key)
      visit(key, item)
    }
    this.#path = path
  }

  #items(items: readonly JsonNode[], visit: (item: JsonNode) => void): void {
    const path = this.#path
    for (const [i, item] of items.entries()) {
      this.#path = `${path}[${i}]`
      visit(item)
    }
    this.#path = path
  }

  #object(what: string): void {
    if (this.strict.size < MAX_STRICT) this.strict.add(`${what} ${JSON.stringify(this.#path)}`)
  }

  #mismatch(node: JsonNode, go: string): void {
    const found = node.kind === 'boolean' ? 'bool' : node.kind
    this.#typeFault(found, go)
  }

  #typeFault(found: string, go: string): void {
    const where = this.#fields.length > 0 ? `Go struct field ${this.#struct}.${this.#fields.join('.')}` : 'Go value'
    this.fault ??= `json: cannot unmarshal ${found} into ${where} of type ${go}`
  }

  #scalar(node: JsonNode, scalar: Scalar, go: string): void {
    switch (scalar) {
      case 'string':
        if (node.kind !== 'string') this.#mismatch(node, go)
        return
      case 'boolean':
        if (node.kind !== 'boolean') this.#mismatch(node, go)
        return
      case 'number':
        if (node.kind !== 'number') this.#mismatch(node, go)
        else if (!Number.isFinite(Number(node.text))) this.#typeFault(`number ${node.text}`, go)
        return
      case 'int32':
      case 'int64':
        if (node.kind !== 'number') this.#mismatch(node, go)
        else if (!isInteger(node.text, scalar)) this.#typeFault(`number ${node.text}`, go)
        return
      case 'bytes':
        if (node.kind !== 'string') return this.#mismatch(node, go)
        try {
          normalizeBase64(node.value)
        } catch (error) {
          this.fault ??= (error as Error).message
        }
        return
      case 'time':
        return own(node, normalizeTime)
      case 'microTime':
        return own(node, normalizeMicroTime)
      case 'duration':
        return own(node, (text) => text)
      case 'quantity':
        return fatally(() => canonicalQuantity(node.kind === 'string' ? node.value : node.kind === 'number' ? node.text : node.kind))
      case 'intOrString':
        if (node.kind === 'string') return
        if (node.kind !== 'number')
          throw new Fatal(`json: cannot unmarshal ${node.kind === 'boolean' ? 'bool' : node.kind} into Go value of type int32`)
        if (!isInteger(node.text, 'int32')) throw new Fatal(`json: cannot unmarshal number ${node.text} into Go value of type int32`)
        return
    }
  }
}

function own(node: JsonNode, normalize: (text: string) => unknown): void {
  if (node.kind !== 'string')
    throw new Fatal(`json: cannot unmarshal ${node.kind === 'boolean' ? 'bool' : node.kind} into Go value of type string`)
  fatally(() => normalize(node.value))
}

function fatally(work: () => unknown): void {
  try {
    work()
  } catch (error) {
    throw new Fatal((error as Error).message)
  }
}

export function isInteger(text: string, scalar: 'int32' | 'int64'): boolean {
  if (!/^-?[0-9]+$/.test(text)) return false
  const value = BigInt(text)
  return scalar === 'int32' ? value >= -(2n ** 31n) && value < 2n ** 31n : value >= INT64_MIN && value <= INT64_MAX
}

/** Whether a custom resource's value has the shape to be walked by its type. */
function fits(node: JsonNode, type: Type): boolean {
  if (type.kind === 'struct' || type.kind === 'map') return node.kind === 'object'
  if (type.kind === 'list') return node.kind === 'array'
  return node.kind !== 'object' && node.kind !== 'array'
}
