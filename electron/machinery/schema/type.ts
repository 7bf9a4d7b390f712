/**
 * A schema resolved for walking objects: what decoding, encoding, patches and server-side apply are driven by. Made from the
 * schema facts for built-in kinds and from structural schemas for custom resources (`build.ts`). Types may refer to themselves.
 */
export type Type = StructType | MapType | ListType | ScalarType | UnionType | AnyType

interface Common {
  /** As Go prints the type in errors: "v1.PodSpec", "[]string". */
  readonly go: string
  /** Of a custom resource: nothing is normalised, values of a wrong type stay as they are for validation to find. */
  readonly custom: boolean
  /** Of a custom resource: null is a value of its own. */
  readonly nullable: boolean
}

/** An object with known fields. */
export interface StructType extends Common {
  readonly kind: 'struct'
  /** "PodSpec"; empty where it has no name of its own. */
  readonly name: string
  /** In the order in which they are written: apiVersion, kind, metadata, then as in the schema. */
  readonly fields: ReadonlyMap<string, Field>
  /** Applied and owned as a whole. */
  readonly atomic: boolean
  /** Unknown fields stay. */
  readonly keepUnknown: boolean
}

export interface Field {
  readonly name: string
  readonly type: Type
  readonly required: boolean
  /** What the schema says stands for absence; undefined if nothing does. */
  readonly default: unknown
  /** A zero value ("", 0, false, [], {}) is the same as none and is not written. */
  readonly omitZero: boolean
  /** Go's type, where the field's differs from that of `type`. */
  readonly go: string
  readonly patch: PatchRule
}

/** Strategic merge patch. Source: the `patchStrategy` and `patchMergeKey` tags of Kubernetes' types. */
export interface PatchRule {
  /** Lists are merged, not replaced; objects with `replace` are replaced, not merged. */
  readonly strategy: 'merge' | 'replace' | null
  readonly retainKeys: boolean
  /** Which field tells items apart; absent for lists of scalars. */
  readonly mergeKey: string | undefined
}

/** An object whose keys are data. */
export interface MapType extends Common {
  readonly kind: 'map'
  readonly values: Type
  readonly atomic: boolean
}

export interface ListType extends Common {
  readonly kind: 'list'
  readonly items: Type
  readonly listType: 'atomic' | 'set' | 'map'
  /** With `map`: the fields that tell items apart. */
  readonly keys: readonly string[]
}

export type Scalar =
  'string' | 'boolean' | 'int32' | 'int64' | 'number' | 'bytes' | 'time' | 'microTime' | 'duration' | 'quantity' | 'intOrString'

export interface ScalarType extends Common {
  readonly kind: 'scalar'
  readonly scalar: Scalar
}

/** One of several shapes, told apart by the JSON type. Only in CustomResourceDefinition's schemas. */
export interface UnionType extends Common {
  readonly kind: 'union'
  readonly object: Type
  readonly list: Type | null
  readonly boolean: boolean
}

/** Anything; kept as it is. */
export interface AnyType extends Common {
  readonly kind: 'any'
  /** Owned as a whole; otherwise field by field as found. */
  readonly atomic: boolean
}
