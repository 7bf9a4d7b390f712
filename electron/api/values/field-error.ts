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

export interface FieldError {
  readonly type: FieldErrorType
  /** Path from the object's root: `spec.containers[0].name`. */
  readonly field: string
  /** What a person reads after the field, e.g. `Required value: must not be empty`. */
  readonly message: string
}

/** As a Go string literal (`strconv.Quote`), which is how upstream shows strings. */
export function goQuote(text: string): string {
  return JSON.stringify(text)
    .replace(/\\u00([01][0-9a-f])/g, (_, hex: string) => GO_ESCAPES[hex] ?? `\\x${hex}`)
    .replaceAll('\u007f', '\\x7f')
}
const GO_ESCAPES: Record<string, string> = { '07': '\\a', '0b': '\\v' }

/** Go's encoder of structured values escapes what HTML could mistake. */
const HTML: Record<string, string> = { '<': '\\u003c', '>': '\\u003e', '&': '\\u0026' }

const shown = (value: unknown) =>
  typeof value === 'string' ? goQuote(value) : (JSON.stringify(value) ?? 'null').replace(/[<>&]/g, (c) => HTML[c] ?? c)
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

/** A value of another JSON type than the field's. */
export const typeInvalid = (field: string, value: unknown, detail = ''): FieldError => ({
  ...invalid(field, value, detail),
  type: 'FieldValueTypeInvalid',
})

/** `supported` in the order in which a person should read them. */
export const notSupported = (field: string, value: unknown, supported: readonly string[]): FieldError => ({
  type: 'FieldValueNotSupported',
  field,
  message: withDetail(
    `Unsupported value: ${shown(value)}`,
    supported.length ? `supported values: ${supported.map(goQuote).join(', ')}` : '',
  ),
})

export const duplicate = (field: string, value: unknown, detail = ''): FieldError => ({
  type: 'FieldValueDuplicate',
  field,
  message: withDetail(`Duplicate value: ${shown(value)}`, detail),
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
  message: `Too long: may not be more than ${max} ${max === 1 ? 'byte' : 'bytes'}`,
})

export const tooMany = (field: string, actual: number, max: number): FieldError => ({
  type: 'FieldValueTooMany',
  field,
  message: `Too many: ${actual}: must have at most ${max} ${max === 1 ? 'item' : 'items'}`,
})

export const notFound = (field: string, value: unknown, detail = ''): FieldError => ({
  type: 'FieldValueNotFound',
  field,
  message: withDetail(`Not found: ${shown(value)}`, detail),
})

/** One `invalid` per message of a format check such as those in `names.ts`. */
export const invalidEach = (field: string, value: unknown, messages: readonly string[]): FieldError[] =>
  messages.map((message) => invalid(field, value, message))
