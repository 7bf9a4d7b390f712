/**
 * Between text and objects of one type: what arrives is checked, normalised, defaulted and pruned; what leaves is canonical JSON.
 * `decode(encode(object))` gives the object again.
 */
import type { StructType } from '../schema/type.ts'
import { Compiler, type Run, type Step } from './compile.ts'
import { explain } from './explain.ts'
import { scanJson } from './json-scan.ts'
import { JsonSyntaxError, MAX_DEPTH, parseJsonTree, treeOf } from './json-tree.ts'

export interface DecodeOptions {
  /** Collect what strict decoding objects to. Default: yes. */
  readonly strict?: boolean
  /** Fill in the defaults of the schema. Default: yes. */
  readonly defaults?: boolean
}

export interface Decoded<T> {
  /** Belongs to the caller; shares nothing with what was decoded. */
  readonly object: T
  /** Unknown fields, which were dropped, and duplicate ones, of which the last counts: `unknown field "spec.foo"`. */
  readonly strict: readonly string[]
}

/** A value that is no object of the type. The message is the one that Kubernetes' clients know. */
export class DecodeError extends Error {
  override readonly name = 'DecodeError'
}

export interface Codec<T = unknown> {
  readonly type: StructType
  /** From JSON in UTF-8. Throws DecodeError. */
  parse(bytes: Uint8Array, options?: DecodeOptions): Decoded<T>
  /** From a parsed value, e.g. after a patch or from a caller in this process. Throws DecodeError. */
  decode(value: unknown, options?: DecodeOptions): Decoded<T>
  /** Canonical JSON: fields in order, no empty optional values. Throws an Error if the object is none of the type. */
  encode(object: T): string
}

/** Codecs by type, each made once. */
export class Codecs {
  readonly #compiler = new Compiler()
  readonly #codecs = new WeakMap<StructType, Codec>()

  for<T>(type: StructType): Codec<T> {
    let codec = this.#codecs.get(type)
    if (!codec) {
      codec = new TypeCodec<unknown>(type, this.#compiler.struct(type))
      this.#codecs.set(type, codec)
    }
    return codec as Codec<T>
  }
}

class TypeCodec<T> implements Codec<T> {
  readonly type: StructType
  readonly #step: Step

  constructor(type: StructType, step: Step) {
    this.type = type
    this.#step = step
  }

  parse(bytes: Uint8Array, options: DecodeOptions = {}): Decoded<T> {
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')
    let value: unknown
    try {
      value = JSON.parse(text)
    } catch (cause) {
      throw new DecodeError(syntaxFault(text, cause), { cause })
    }
    const traits = scanJson(bytes)
    if (traits.depth > MAX_DEPTH) throw new DecodeError('exceeded max depth')
    const run = newRun(options)
    const object = this.#step(value ?? {}, run) as T
    const suspicious = run.unknown > 0 || run.keys !== traits.keys
    if (!run.fault && !traits.inexact && !(suspicious && options.strict !== false)) return { object, strict: [] }
    const { fault, strict } = explain(parseJsonTree(text), this.type)
    return this.#result(object, run, fault, options.strict === false ? [] : strict)
  }

  decode(value: unknown, options: DecodeOptions = {}): Decoded<T> {
    const run = newRun(options)
    const object = this.#step(value ?? {}, run) as T
    if (!run.fault && (run.unknown === 0 || options.strict === false)) return { object, strict: [] }
    const { fault, strict } = explain(treeOf(value), this.type)
    return this.#result(object, run, fault, strict)
  }

  encode(object: T): string {
    const run = newRun({})
    const canonical = this.#step(object, run)
    if (run.fault) throw new Error(`not a ${this.type.name}: ${explain(treeOf(object), this.type).fault}`)
    return JSON.stringify(canonical)
  }

  #result(object: T, run: Run, fault: string | undefined, strict: readonly string[]): Decoded<T> {
    if (fault !== undefined) throw new DecodeError(fault)
    if (run.fault) throw new DecodeError(`json: cannot unmarshal object into Go value of type ${this.type.go}`)
    return { object, strict }
  }
}

function newRun({ defaults = true }: DecodeOptions): Run {
  return { keys: 0, unknown: 0, fault: false, defaults }
}

function syntaxFault(text: string, cause: unknown): string {
  try {
    parseJsonTree(text)
  } catch (error) {
    if (error instanceof JsonSyntaxError) return error.message
    throw error
  }
  return String(cause)
}
