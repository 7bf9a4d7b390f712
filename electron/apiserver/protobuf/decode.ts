/**
 * Objects that clients send as protocol buffers, as the JSON values that they stand for: kubectl writes built-in kinds so. Types
 * come from the schema facts; the numbers of the fields, which those lack, from `field-numbers.json`: by model without "io.k8s.",
 * a name and number each, ">model=n" where the message's fields lie in the parent in JSON.
 */
import { modelFacts, resolveSchema, type FactSchema, type ResolvedSchema } from '../../api/schema/facts.ts'
import { POINTERS } from '../../machinery/schema/pointers.ts'
import numbers from './field-numbers.json' with { type: 'json' }
import { SCALARS } from './scalars.ts'
import { BYTES, FIXED64, VARINT, WireError, WireReader } from './wire.ts'

/** "k8s" and a zero byte; then `runtime.Unknown`, which says what the object is. */
const MAGIC = Buffer.from('k8s\0')
const FIELD_NUMBERS: Readonly<Record<string, string | undefined>> = numbers
const PREFIX = 'io.k8s.'

const EXTENSIONS = 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.'
const SCHEMA = `${EXTENSIONS}JSONSchemaProps`

/** In JSON either a schema or something else: which fields of the message have them, and what the other is. */
interface Choice {
  readonly schema: number
  readonly other: number
  readonly kind: 'schemas' | 'allows' | 'texts'
}

const CHOICES: Readonly<Record<string, Choice | undefined>> = {
  [`${SCHEMA}OrArray`]: { schema: 1, other: 2, kind: 'schemas' },
  [`${SCHEMA}OrBool`]: { schema: 2, other: 1, kind: 'allows' },
  [`${SCHEMA}OrStringArray`]: { schema: 1, other: 2, kind: 'texts' },
}
/** Keywords whose zero means something; that of others is written in protobuf, and stands for none. */
const MEANT = new Set((POINTERS['apiextensions.v1.JSONSchemaProps'] ?? '').split(' '))
const VALUES = new Set(['default', 'example', 'additionalProperties', 'additionalItems'])

/** Schemas lie within what has no type of its own, where nobody looks for zeros later. */
function dropZeros(schema: JsonObject): void {
  for (const [name, value] of Object.entries(schema))
    if ((value === '' || value === false || value === 0) && !MEANT.has(name) && !VALUES.has(name)) delete schema[name]
}

export interface Envelope {
  readonly apiVersion: string
  readonly kind: string
  readonly raw: Buffer
}

/** Throws WireError. */
export function openEnvelope(bytes: Uint8Array): Envelope {
  const data = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (!data.subarray(0, MAGIC.length).equals(MAGIC)) {
    throw new WireError('provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]')
  }
  const parts = byteFields(data.subarray(MAGIC.length))
  const type = byteFields(parts.get(1) ?? Buffer.alloc(0))
  return {
    apiVersion: type.get(1)?.toString('utf8') ?? '',
    kind: type.get(2)?.toString('utf8') ?? '',
    raw: parts.get(2) ?? Buffer.alloc(0),
  }
}

function byteFields(message: Buffer): Map<number, Buffer> {
  const found = new Map<number, Buffer>()
  const reader = new WireReader(message)
  while (!reader.done) {
    const { field, wire } = reader.tag()
    if (wire === BYTES) found.set(field, reader.bytes())
    else reader.skip(wire)
  }
  return found
}

type JsonObject = Record<string, unknown>
/** Reads one field's value into the object. */
type FieldReader = (reader: WireReader, wire: number, into: JsonObject) => void

/** Decoders of models, each made when it is first needed. */
export class ProtobufDecoder {
  readonly #readers = new Map<string, ReadonlyMap<number, FieldReader>>()

  /** The JSON value of a message of this model ("io.k8s.api.core.v1.Pod"). Throws WireError. */
  decode(model: string, message: Uint8Array): JsonObject {
    const into: JsonObject = {}
    this.#read(this.#readersOf(model), message, into)
    if (model === SCHEMA) dropZeros(into)
    return into
  }

  #read(readers: ReadonlyMap<number, FieldReader>, message: Uint8Array, into: JsonObject): void {
    const reader = new WireReader(message)
    while (!reader.done) {
      const { field, wire } = reader.tag()
      const read = readers.get(field)
      if (read) read(reader, wire, into)
      else reader.skip(wire)
    }
  }

  #readersOf(model: string): ReadonlyMap<number, FieldReader> {
    let readers = this.#readers.get(model)
    if (!readers) {
      const made = new Map<number, FieldReader>()
      this.#readers.set(model, made)
      this.#describe(model, modelFacts(model)?.properties ?? {}, made)
      readers = made
    }
    return readers
  }

  #describe(model: string, properties: Readonly<Record<string, FactSchema>>, into: Map<number, FieldReader>): void {
    const described = FIELD_NUMBERS[model.slice(PREFIX.length)]
    if (described === undefined) throw new WireError(`${model} cannot be read as protobuf: send it as JSON`)
    for (const part of described.split(' ')) {
      const [name = '', number = ''] = part.split('=')
      if (name.startsWith('>')) {
        const inner = new Map<number, FieldReader>()
        this.#describe(PREFIX + name.slice(1), properties, inner)
        into.set(Number(number), (reader, wire, object) => this.#read(inner, bytes(reader, wire), object))
        continue
      }
      const schema = properties[name]
      if (schema) into.set(Number(number), this.#field(name, resolveSchema(schema)))
    }
  }

  #field(name: string, schema: ResolvedSchema): FieldReader {
    if (schema.type === 'array' && schema.items) {
      const item = this.#value(resolveSchema(schema.items))
      return (reader, wire, into) => void ((into[name] ??= []) as unknown[]).push(item(reader, wire))
    }
    if (schema.type === 'object' && schema.additionalProperties && !schema.properties) {
      const entry = this.#entry(resolveSchema(schema.additionalProperties))
      return (reader, wire, into) => {
        const [key, value] = entry(bytes(reader, wire))
        ;((into[name] ??= {}) as JsonObject)[key] = value
      }
    }
    const value = this.#value(schema)
    return (reader, wire, into) => {
      const read = value(reader, wire)
      if (read !== undefined) into[name] = read
    }
  }

  /** Maps are lists of messages with a key and a value; a list as value is a message with items. */
  #entry(schema: ResolvedSchema): (message: Buffer) => [string, unknown] {
    const list = schema.type === 'array' && schema.items ? this.#value(resolveSchema(schema.items)) : null
    const value = list ? null : this.#value(schema)
    return (message) => {
      let key = ''
      let found: unknown = list ? [] : undefined
      const reader = new WireReader(message)
      while (!reader.done) {
        const { field, wire } = reader.tag()
        if (field === 1) key = bytes(reader, wire).toString('utf8')
        else if (field === 2 && list) found = this.#items(bytes(reader, wire), list)
        else if (field === 2 && value) found = value(reader, wire)
        else reader.skip(wire)
      }
      return [key, found ?? (schema.type === 'string' ? '' : undefined)]
    }
  }

  #choose({ schema, other, kind }: Choice, message: Buffer): unknown {
    let found: unknown
    let allows = false
    const list: unknown[] = []
    const reader = new WireReader(message)
    while (!reader.done) {
      const { field, wire } = reader.tag()
      if (field === schema) found = this.decode(SCHEMA, bytes(reader, wire))
      else if (field !== other) reader.skip(wire)
      else if (kind === 'allows') allows = number(reader, wire) !== 0
      else list.push(kind === 'schemas' ? this.decode(SCHEMA, bytes(reader, wire)) : bytes(reader, wire).toString('utf8'))
    }
    return list.length > 0 ? list : (found ?? (kind === 'allows' ? allows : undefined))
  }

  #items(message: Buffer, item: (reader: WireReader, wire: number) => unknown): unknown[] {
    const items: unknown[] = []
    const reader = new WireReader(message)
    while (!reader.done) {
      const { field, wire } = reader.tag()
      if (field === 1) items.push(item(reader, wire))
      else reader.skip(wire)
    }
    return items
  }

  #value(schema: ResolvedSchema): (reader: WireReader, wire: number) => unknown {
    const { model, type, format } = schema
    const scalar = model === undefined ? undefined : SCALARS[model]
    if (scalar) return (reader, wire) => scalar(bytes(reader, wire))
    const choice = model === undefined ? undefined : CHOICES[model]
    if (choice) return (reader, wire) => this.#choose(choice, bytes(reader, wire))
    if (model !== undefined && (schema.properties || FIELD_NUMBERS[model.slice(PREFIX.length)] === '')) {
      return (reader, wire) => this.decode(model, bytes(reader, wire))
    }
    if (type === 'string')
      return format === 'byte'
        ? (reader, wire) => bytes(reader, wire).toString('base64')
        : (reader, wire) => bytes(reader, wire).toString('utf8')
    if (type === 'boolean') return (reader, wire) => number(reader, wire) !== 0
    if (type === 'integer' || type === 'number') return number
    throw new WireError(`${model ?? type ?? 'a value of any type'} cannot be read as protobuf: send it as JSON`)
  }
}

function bytes(reader: WireReader, wire: number): Buffer {
  if (wire !== BYTES) throw new WireError(`wire type ${wire} is not that of the field`)
  return reader.bytes()
}

function number(reader: WireReader, wire: number): number {
  if (wire === VARINT) return reader.integer()
  if (wire === FIXED64) return reader.double()
  throw new WireError(`wire type ${wire} is no number`)
}
