/** Checks of references to objects of any kind. Source: kubernetes `apis/networking/validation`. */
import { invalidEach, required, type FieldError } from '../../values/field-error.ts'
import { dns1123Subdomain, pathSegmentName } from '../../values/names.ts'

interface TypedReference {
  readonly apiGroup?: string
  readonly kind: string
  readonly name: string
}

export function validateTypedReference({ apiGroup, kind, name }: TypedReference, field: string): FieldError[] {
  const need = (part: string, value: string) =>
    value ? invalidEach(`${field}.${part}`, value, pathSegmentName(value)) : [required(`${field}.${part}`, `${part} is required`)]
  return [
    ...(apiGroup === undefined ? [] : invalidEach(`${field}.apiGroup`, apiGroup, dns1123Subdomain(apiGroup))),
    ...need('kind', kind),
    ...need('name', name),
  ]
}
