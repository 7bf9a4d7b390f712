/**
 * The hot path of decoding. A type is compiled once into steps that walk a parsed JSON value, check it, and build the object as
 * this server keeps it: fields in their customary order, values normalised, defaults filled in, unknown fields left out.
 *
 * A step only notes that something is wrong; saying what, where, and in whose words is left to `explain.ts`, which looks at the
 * same value again.
 */
import { canonicalQuantity } from '../../api/values/quantity.ts'
import type { Field, ScalarType, StructType, Type } from '../schema/type.ts'
import { normalizeBase64 } from './base64-text.ts'
import { normalizeMicroTime, normalizeTime } from './time-text.ts'

/** What a walk found out beside its result. */
export interface Run {
  /** Properties met, at all depths; the text had more if some were there twice. */
  keys: number
  /** Properties met that the type does not know. */
  unknown: number
  /** Some value does not fit its type: the result is of no use. */
  fault: boolean
  /** Whether schema defaults are filled in. */
  readonly defaults: boolean
}

export type Step = (value: unknown, run: Run) => unknown
type Properties = Record<string, unknown>

/** Compiles types on demand, each once. */
export class Compiler {
  readonly #structs = new WeakMap<StructType, Step>()

  struct(type: StructType): Step {
    const known = this.#structs.get(type)
    if (known) return known
    let compiled: Step | null = null
    const step: Step = (value, run) => {
      compiled ??= this.#struct(type)
      return compiled(value, run)
    }
    this.#structs.set(type, step)
    return step
  }

  step(type: Type): Step {
    switch (type.kind) {
      case 'struct':
        return this.struct(type)
      case 'map':
        return mapStep(this.step(type.values), zeroOf(type.values), type.custom)
      case 'list':
        return listStep(this.step(type.items), zeroOf(type.items), type.custom)
      case 'scalar':
        return type.custom ? customScalarStep(type) : scalarStep(type)
      case 'union':
        return this.#union(
          type.boolean,
          () => this.step(type.object),
          () => (type.list ? this.step(type.list) : null),
        )
      case 'any':
        return anything
    }
  }

  #union(boolean: boolean, object: () => Step, list: () => Step | null): Step {
    let steps: { object: Step; list: Step | null } | null = null
    return (value, run) => {
      steps ??= { object: object(), list: list() }
      if (boolean && typeof value === 'boolean') return value
      if (Array.isArray(value)) return steps.list ? steps.list(value, run) : mismatch(run)
      return steps.object(value, run)
    }
  }

  #struct(type: StructType): Step {
    const fields = [...type.fields.values()].map((field) => this.#field(field, type.custom))
    const count = fields.length
    const { custom, keepUnknown, fields: known } = type
    return (value, run) => {
      if (typeof value !== 'object' || value === null || Array.isArray(value)) return custom ? anything(value, run) : mismatch(run)
      const input = value as Properties
      const out: Properties = {}
      let met = 0
      for (let i = 0; i < count; i++) {
        const field = fields[i] as CompiledField
        const given = field.inherited && !Object.hasOwn(input, field.name) ? undefined : input[field.name]
        let result: unknown
        if (given !== undefined) {
          met++
          if (given === null) result = field.nullValue
          else {
            result = field.step(given, run)
            if (field.isZero !== null && field.isZero(result)) result = undefined
          }
        }
        if (result === undefined) {
          if (field.absent === null) continue
          result = field.absent(run)
          if (result === undefined) continue
        }
        if (field.inherited) put(out, field.name, result)
        else out[field.name] = result
      }
      run.keys += met
      let given = 0
      for (const key in input) if (input[key] !== undefined) given++
      if (given !== met) {
        for (const key of Object.keys(input)) {
          if (known.has(key) || input[key] === undefined) continue
          run.keys++
          if (keepUnknown) put(out, key, anything(input[key], run))
          else {
            run.unknown++
            countKeys(input[key], run)
          }
        }
      }
      return out
    }
  }

  #field(field: Field, custom: boolean): CompiledField {
    const step = this.step(field.type)
    return {
      name: field.name,
      inherited: field.name in Object.prototype,
      step,
      isZero: field.omitZero ? isZeroOf(field.type) : null,
      nullValue: custom && (field.type.nullable || field.default === undefined) ? null : undefined,
      absent: absentValue(field, step),
    }
  }
}

interface CompiledField {
  readonly name: string
  /** `Object.prototype` has something of that name. */
  readonly inherited: boolean
  readonly step: Step
  /** Tells values that are the same as none; null if there are no such values. */
  readonly isZero: ((value: unknown) => boolean) | null
  /** What null stands for. */
  readonly nullValue: null | undefined
  readonly absent: ((run: Run) => unknown) | null
}

function absentValue(field: Field, step: Step): ((run: Run) => unknown) | null {
  const { default: value } = field
  if (value === undefined)
    return field.required && field.type.kind === 'list' && !field.type.custom ? (run) => (run.defaults ? [] : undefined) : null
  if (typeof value !== 'object' || value === null) return (run) => (run.defaults ? value : undefined)
  return (run) => {
    if (!run.defaults) return undefined
    const { keys } = run
    const result = step(value, run)
    run.keys = keys
    return result
  }
}

function isZeroOf(type: Type): (value: unknown) => boolean {
  if (type.kind === 'list') return (value) => Array.isArray(value) && value.length === 0
  if (type.kind === 'map') {
    return (value) => {
      for (const _key in value as Properties) return false
      return true
    }
  }
  return (value) => value === '' || value === 0 || value === false
}

/** What null in a list or map becomes: Go's zero value of the type. */
function zeroOf(type: Type): unknown {
  if (type.kind === 'struct' || type.kind === 'map') return {}
  if (type.kind === 'list') return []
  if (type.kind !== 'scalar') return null
  switch (type.scalar) {
    case 'boolean':
      return false
    case 'int32':
    case 'int64':
    case 'number':
    case 'intOrString':
      return 0
    case 'quantity':
      return '0'
    case 'string':
    case 'bytes':
      return ''
    case 'time':
    case 'microTime':
      return null
    case 'duration':
      return '0s'
  }
}

function mapStep(step: Step, zero: unknown, custom: boolean): Step {
  return (value, run) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return custom ? anything(value, run) : mismatch(run)
    const input = value as Properties
    const out: Properties = {}
    for (const key in input) {
      const given = input[key]
      if (given === undefined) continue
      run.keys++
      const result = given !== null ? step(given, run) : custom || zero === null ? null : step(zero, run)
      if (key === '__proto__') put(out, key, result)
      else out[key] = result
    }
    return out
  }
}

function listStep(step: Step, zero: unknown, custom: boolean): Step {
  return (value, run) => {
    if (!Array.isArray(value)) return custom ? anything(value, run) : mismatch(run)
    const out = new Array<unknown>(value.length)
    for (let i = 0; i < value.length; i++) {
      const given: unknown = value[i]
      out[i] = given != null ? step(given, run) : custom || zero === null ? null : step(zero, run)
    }
    return out
  }
}

function scalarStep({ scalar }: ScalarType): Step {
  switch (scalar) {
    case 'string':
      return (value, run) => (typeof value === 'string' ? value : mismatch(run))
    case 'boolean':
      return (value, run) => (typeof value === 'boolean' ? value : mismatch(run))
    case 'number':
      return (value, run) => (typeof value === 'number' && Number.isFinite(value) ? value : mismatch(run))
    case 'int32':
      return (value, run) => (typeof value === 'number' && (value | 0) === value ? value : mismatch(run))
    case 'int64':
      return (value, run) => {
        if (typeof value !== 'number' || !Number.isInteger(value)) return mismatch(run)
        if (value >= -INT64_LIMIT && value < INT64_LIMIT) return value
        return value === INT64_LIMIT ? BELOW_INT64_LIMIT : mismatch(run)
      }
    case 'bytes':
      return normalized(normalizeBase64)
    case 'time':
      return normalized(normalizeTime)
    case 'microTime':
      return normalized(normalizeMicroTime)
    case 'duration':
      return (value, run) => (typeof value === 'string' ? value : mismatch(run))
    case 'quantity': {
      const step = normalized(canonicalQuantity)
      return (value, run) => {
        if (typeof value === 'string' && SIMPLE_QUANTITY.test(value)) return value
        return step(typeof value === 'number' ? String(value) : value, run)
      }
    }
    case 'intOrString':
      return (value, run) => (typeof value === 'string' || (typeof value === 'number' && (value | 0) === value) ? value : mismatch(run))
  }
}

/** Quantities that are their own canonical form. */
const SIMPLE_QUANTITY = /^(?:0|[1-9][0-9]{0,2}(?:m|k|M|G|T|Ki|Mi|Gi|Ti)?)$/

const INT64_LIMIT = 2 ** 63
/** The largest double that is an int64. What is written as something between the two rounds up to the limit. */
const BELOW_INT64_LIMIT = 2 ** 63 - 1024

function normalized(normalize: (text: string) => string | undefined): Step {
  return (value, run) => {
    if (typeof value !== 'string') return mismatch(run)
    try {
      return normalize(value)
    } catch {
      return mismatch(run)
    }
  }
}

/** Values of custom resources are checked by validation. */
function customScalarStep(type: ScalarType): Step {
  return (value, run) => (typeof value === 'object' && type.custom ? anything(value, run) : value)
}

function mismatch(run: Run): undefined {
  run.fault = true
  return undefined
}

/** A copy, so that nothing that the caller may still change becomes part of an object. */
const anything: Step = (value, run) => {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map((item) => anything(item, run))
  const out: Properties = {}
  for (const [key, item] of Object.entries(value)) {
    if (item === undefined) continue
    run.keys++
    if (key === '__proto__') put(out, key, anything(item, run))
    else out[key] = anything(item, run)
  }
  return out
}

function countKeys(value: unknown, run: Run): void {
  if (typeof value !== 'object' || value === null) return
  if (Array.isArray(value)) for (const item of value) countKeys(item, run)
  else {
    for (const item of Object.values(value)) {
      run.keys++
      countKeys(item, run)
    }
  }
}

/** Sets an own property, whatever its name. */
function put(object: Properties, key: string, value: unknown): void {
  Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true })
}
