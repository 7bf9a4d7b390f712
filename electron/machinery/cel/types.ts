/** The types of CEL expressions. Source: CEL language definition, "Types"; their text is cel-go's. */
export type TypeKind =
  | 'dyn'
  | 'error'
  | 'null'
  | 'bool'
  | 'int'
  | 'uint'
  | 'double'
  | 'string'
  | 'bytes'
  | 'timestamp'
  | 'duration'
  | 'list'
  | 'map'
  | 'type'
  | 'object'
  | 'opaque'
  | 'param'

export interface CelType {
  readonly kind: TypeKind
  /** Of objects, opaque types and type parameters; of others the name that `type(x)` shows. */
  readonly name: string
  /** Of lists: of their items; of maps: of keys and values; of types and opaque types: what they are made of. */
  readonly params: readonly CelType[]
  /** Of objects whose fields are declared, by the name under which an expression selects them. */
  readonly field?: (name: string) => FieldType | undefined
  /** How large a value is at most (items, entries, code points or bytes); for estimates. */
  readonly maxSize?: number
}

export interface FieldType {
  readonly type: CelType
  /** Its name in the JSON object. */
  readonly property: string
}

const plain = (kind: TypeKind, name: string): CelType => ({ kind, name, params: [] })

export const DYN = plain('dyn', 'dyn')
export const ERROR = plain('error', '!error!')
export const NULL = plain('null', 'null_type')
export const BOOL = plain('bool', 'bool')
export const INT = plain('int', 'int')
export const UINT = plain('uint', 'uint')
export const DOUBLE = plain('double', 'double')
export const STRING = plain('string', 'string')
export const BYTES = plain('bytes', 'bytes')
export const TIMESTAMP = plain('timestamp', 'google.protobuf.Timestamp')
export const DURATION = plain('duration', 'google.protobuf.Duration')
export const TYPE: CelType = { kind: 'type', name: 'type', params: [] }

export const OPTIONAL_NAME = 'optional_type'

export const listOf = (item: CelType): CelType => ({ kind: 'list', name: 'list', params: [item] })
export const mapOf = (key: CelType, value: CelType): CelType => ({ kind: 'map', name: 'map', params: [key, value] })
export const typeOf = (type: CelType): CelType => ({ kind: 'type', name: 'type', params: [type] })
export const optionalOf = (type: CelType): CelType => ({ kind: 'opaque', name: OPTIONAL_NAME, params: [type] })
export const opaque = (name: string): CelType => plain('opaque', name)
export const param = (name: string): CelType => plain('param', name)

export const LIST_DYN = listOf(DYN)
export const MAP_DYN = mapOf(DYN, DYN)

/** An object type; one without `field` takes any field as `dyn`. */
export function objectType(name: string, field: (name: string) => FieldType | undefined): CelType {
  return { kind: 'object', name, params: [], field }
}

export const isOptional = (type: CelType): boolean => type.kind === 'opaque' && type.name === OPTIONAL_NAME
export const isDynOrError = (type: CelType): boolean => type.kind === 'dyn' || type.kind === 'error'

/** The item of a list, the value of a map, what an optional holds; `dyn` of what holds nothing. */
export function parameter(type: CelType, index: number): CelType {
  return type.params[index] ?? DYN
}

/** As errors name it: `list(int)`, `map(string, dyn)`, `timestamp`. */
export function formatType(type: CelType): string {
  switch (type.kind) {
    case 'timestamp':
    case 'duration':
      return type.kind
    case 'null':
      return 'null'
    case 'param':
      return type.name
    default:
      return type.params.length > 0 ? `${type.name}(${type.params.map(formatType).join(', ')})` : type.name
  }
}

export function sameType(a: CelType, b: CelType): boolean {
  if (a === b) return true
  if (a.kind !== b.kind || a.name !== b.name || a.params.length !== b.params.length) return false
  return a.params.every((one, i) => sameType(one, parameter(b, i)))
}

/** A type with these fields and no other, each by its own name in the object. */
export function recordType(name: string, fields: Readonly<Record<string, CelType>>): CelType {
  return objectType(name, (property): FieldType | undefined => {
    const type = Object.hasOwn(fields, property) ? fields[property] : undefined
    return type && { type, property }
  })
}
