/** Parameters that only a driver understands. Source: kubernetes `apis/storage/validation`. */
import { invalid, tooLong, type FieldError } from '../../values/field-error.ts'
import { byteLength } from '../../values/names.ts'

const MAX_PARAMETERS = 512
const MAX_PARAMETER_BYTES = 256 * 1024

export function validateParameters(parameters: Readonly<Record<string, string>>): FieldError[] {
  const entries = Object.entries(parameters)
  if (entries.length > MAX_PARAMETERS) return [tooLong('parameters', MAX_PARAMETERS)]
  const out = entries.filter(([key]) => !key).map(([key]) => invalid('parameters', key, 'field can not be empty.'))
  const size = entries.reduce((sum, [key, value]) => sum + byteLength(key) + byteLength(value), 0)
  return size > MAX_PARAMETER_BYTES ? [...out, tooLong('parameters', MAX_PARAMETER_BYTES)] : out
}
