/** CEL's own conformance tests as far as they are about what Kubernetes has: no protocol buffer messages, no unchecked expressions. */
import { tests } from '@bufbuild/cel-spec/testdata/conformance.js'
import { bytesFromBase64 } from '../../../api/values/base64.ts'
import {
  BOOL,
  BYTES,
  DOUBLE,
  DURATION,
  DYN,
  INT,
  NULL,
  STRING,
  TIMESTAMP,
  UINT,
  listOf,
  mapOf,
  opaque,
  optionalOf,
  typeOf,
  type CelType,
} from '../types.ts'
import { TypeValue, Uint, ValueList, ValueMap, type Value } from '../values.ts'

export interface ConformanceTest {
  readonly name: string
  readonly expr: string
  readonly variables: Readonly<Record<string, CelType>>
  readonly bindings: Readonly<Record<string, Value>>
  /** Absent: the evaluation fails, or does not compile. */
  readonly value?: Value
  readonly fails: boolean
  readonly type?: CelType
  readonly checkOnly: boolean
}

interface Original {
  readonly name: string
  readonly expr: string
  readonly container?: string
  readonly disableCheck?: boolean
  readonly disableMacros?: boolean
  readonly checkOnly?: boolean
  readonly value?: SerializedValue
  readonly typedResult?: { readonly result?: SerializedValue; readonly deducedType: SerializedType }
  readonly evalError?: object
  readonly unknown?: object
  readonly typeEnv?: readonly { readonly name: string; readonly ident?: { readonly type: SerializedType }; readonly function?: object }[]
  readonly bindings?: Readonly<Record<string, { readonly value: SerializedValue }>>
}

type SerializedValue = Readonly<Record<string, unknown>>
type SerializedType = Readonly<Record<string, unknown>>

/** What is about libraries that Kubernetes has not, or about messages only. */
const OTHERS: ReadonlySet<string> = new Set([
  'block_ext',
  'encoders_ext',
  'enums',
  'math_ext',
  'network_ext',
  'proto2',
  'proto2_ext',
  'proto3',
  'wrappers',
  'unknowns',
])
const MESSAGES = /TestAllTypes|google\.protobuf\.(?!Timestamp|Duration)|cel\.expr\.|google\.type|\b(Any|Struct|ListValue)\b/

class Foreign extends Error {}

export function conformanceTests(): ConformanceTest[] {
  const found: ConformanceTest[] = []
  for (const suite of tests.suites ?? []) {
    if (OTHERS.has(suite.name)) continue
    for (const section of suite.suites ?? []) {
      for (const { original } of section.tests ?? []) {
        const test = read(original as unknown as Original, `${suite.name}/${section.name}`)
        if (test) found.push(test)
      }
    }
  }
  return found
}

function read(original: Original, place: string): ConformanceTest | null {
  const { expr, container, disableCheck, disableMacros, unknown, typeEnv = [] } = original
  if (container || disableCheck || disableMacros || unknown || MESSAGES.test(JSON.stringify(original))) return null
  if (typeEnv.some((one) => one.function)) return null
  try {
    const result = original.value ?? original.typedResult?.result
    const deduced = original.typedResult?.deducedType
    return {
      name: `${place}/${original.name}`,
      expr,
      variables: Object.fromEntries(typeEnv.map(({ name, ident }) => [name, typeFrom(ident?.type ?? {})])),
      bindings: Object.fromEntries(Object.entries(original.bindings ?? {}).map(([name, { value }]) => [name, valueFrom(value)])),
      ...(result ? { value: valueFrom(result) } : {}),
      fails: original.evalError !== undefined,
      ...(deduced ? { type: typeFrom(deduced) } : {}),
      checkOnly: original.checkOnly ?? false,
    }
  } catch (error) {
    if (error instanceof Foreign) return null
    throw error
  }
}

const REALS: Readonly<Record<string, number>> = { NaN, Infinity, '-Infinity': -Infinity }

function valueFrom(serialized: SerializedValue): Value {
  const [[kind, value] = ['', null]] = Object.entries(serialized)
  switch (kind) {
    case 'int64Value':
      return BigInt(value as string)
    case 'uint64Value':
      return new Uint(BigInt(value as string))
    case 'doubleValue':
      return typeof value === 'string' ? (REALS[value] ?? Number(value)) : (value as number)
    case 'stringValue':
    case 'boolValue':
      return value as string | boolean
    case 'bytesValue':
      return bytesFromBase64(value as string)
    case 'nullValue':
      return null
    case 'typeValue':
      return new TypeValue(value as string)
    case 'listValue':
      return new ValueList((value as { values?: SerializedValue[] }).values?.map(valueFrom) ?? [])
    case 'mapValue':
      return new ValueMap(
        (value as { entries?: { key: SerializedValue; value: SerializedValue }[] }).entries?.map((entry) => [
          valueFrom(entry.key),
          valueFrom(entry.value),
        ]) ?? [],
      )
    default:
      throw new Foreign(kind)
  }
}

const PRIMITIVES: Readonly<Record<string, CelType>> = { BOOL, INT64: INT, UINT64: UINT, DOUBLE, STRING, BYTES }

function typeFrom(serialized: SerializedType): CelType {
  const [[kind, value] = ['', null]] = Object.entries(serialized)
  switch (kind) {
    case 'primitive':
      return PRIMITIVES[value as string] ?? DYN
    case 'dyn':
      return DYN
    case 'null':
      return NULL
    case 'wellKnown':
      return value === 'TIMESTAMP' ? TIMESTAMP : value === 'DURATION' ? DURATION : DYN
    case 'listType':
      return listOf(typeFrom((value as { elemType?: SerializedType }).elemType ?? { dyn: {} }))
    case 'mapType': {
      const { keyType = { dyn: {} }, valueType = { dyn: {} } } = value as { keyType?: SerializedType; valueType?: SerializedType }
      return mapOf(typeFrom(keyType), typeFrom(valueType))
    }
    case 'type':
      return typeOf(typeFrom(value as SerializedType))
    case 'abstractType': {
      const { name, parameterTypes = [] } = value as { name: string; parameterTypes?: SerializedType[] }
      return name === 'optional_type' ? optionalOf(typeFrom(parameterTypes[0] ?? { dyn: {} })) : opaque(name)
    }
    default:
      throw new Foreign(kind)
  }
}
