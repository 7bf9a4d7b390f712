/** What is wrong with one field of an object. Source: apimachinery `util/validation/field`. */
export type FieldErrorType =
  | 'FieldValueRequired'
  | 'FieldValueInvalid'
  | 'FieldValueNotSupported'
  | 'FieldValueDuplicate'
  | 'FieldValueForbidden'
  | 'FieldValueTooLong'
  | 'FieldValueTooMany'
  | 'FieldValueNotFound'
  | 'FieldValueTypeInvalid'
  | 'InternalError'

export interface FieldError {
  readonly type: FieldErrorType
  /** Path from the object's root: `spec.containers[0].name`. */
  readonly field: string
  /** What a person reads after the field, e.g. `Required value: must not be empty`. */
  readonly message: string
}

const shown = (value: unknown) => (typeof value === 'string' ? JSON.stringify(value) : (JSON.stringify(value) ?? 'null'))
const withDetail = (head: string, detail?: string) => (detail ? `${head}: ${detail}` : head)

export const required = (field: string, detail = ''): FieldError => ({
  type: 'FieldValueRequired',
  field,
  message: withDetail('Required value', detail),
})

export const invalid = (field: string, value: unknown, detail = ''): FieldError => ({
  type: 'FieldValueInvalid',
  field,
  message: withDetail(`Invalid value: ${shown(value)}`, detail),
})

export const typeInvalid = (field: string, value: unknown, detail = ''): FieldError => ({
  type: 'FieldValueTypeInvalid',
  field,
  message: withDetail(`Invalid value: ${shown(value)}`, detail),
})

export const notSupported = (field: string, value: unknown, supported: readonly string[]): FieldError => ({
  type: 'FieldValueNotSupported',
  field,
  message: withDetail(
    `Unsupported value: ${shown(value)}`,
    `supported values: ${[...supported]
      .sort()
      .map((s) => JSON.stringify(s))
      .join(', ')}`,
  ),
})

export const duplicate = (field: string, value: unknown): FieldError => ({
  type: 'FieldValueDuplicate',
  field,
  message: `Duplicate value: ${shown(value)}`,
})

export const forbidden = (field: string, detail = ''): FieldError => ({
  type: 'FieldValueForbidden',
  field,
  message: withDetail('Forbidden', detail),
})

/** `max` in bytes. */
export const tooLong = (field: string, max: number): FieldError => ({
  type: 'FieldValueTooLong',
  field,
  message: `Too long: may not be more than ${max} bytes`,
})

export const tooMany = (field: string, actual: number, max: number): FieldError => ({
  type: 'FieldValueTooMany',
  field,
  message: `Too many: ${actual}: must have at most ${max} items`,
})

export const notFound = (field: string, value: unknown): FieldError => ({
  type: 'FieldValueNotFound',
  field,
  message: `Not found: ${shown(value)}`,
})
