/** What secrets of Kubernetes' own types must hold. Source: kubernetes `core/validation`, `ValidateSecret`. */
import { bytesFromBase64 } from '../../values/base64.ts'
import { invalid, required, type FieldError } from '../../values/field-error.ts'
import type { Secret } from './types.gen.ts'

export const SERVICE_ACCOUNT_TOKEN = 'kubernetes.io/service-account-token'
export const SERVICE_ACCOUNT_NAME = 'kubernetes.io/service-account.name'
const REDACTED = '<secret contents redacted>'

export function validateSecretType({ type, data = {}, metadata }: Secret): FieldError[] {
  const need = (...keys: string[]) => keys.filter((key) => !(key in data)).map((key) => required(`data[${key}]`))
  switch (type) {
    case SERVICE_ACCOUNT_TOKEN:
      return metadata.annotations?.[SERVICE_ACCOUNT_NAME] ? [] : [required(`metadata.annotations[${SERVICE_ACCOUNT_NAME}]`)]
    case 'kubernetes.io/dockercfg':
      return validateJson(data, '.dockercfg')
    case 'kubernetes.io/dockerconfigjson':
      return validateJson(data, '.dockerconfigjson')
    case 'kubernetes.io/basic-auth':
      return 'username' in data || 'password' in data ? [] : need('username', 'password')
    case 'kubernetes.io/ssh-auth':
      return data['ssh-privatekey'] ? [] : [required('data[ssh-privatekey]')]
    case 'kubernetes.io/tls':
      return need('tls.crt', 'tls.key')
    default:
      return []
  }
}

function validateJson(data: Readonly<Record<string, string>>, key: string): FieldError[] {
  const content = data[key]
  if (content === undefined) return [required(`data[${key}]`)]
  const fault = jsonFault(new TextDecoder().decode(bytesFromBase64(content)))
  return fault ? [invalid(`data[${key}]`, REDACTED, fault)] : []
}

/** Why the text is no JSON object, as Go's decoder says it in the usual cases. */
function jsonFault(text: string): string | null {
  if (text.trim() === '') return 'unexpected end of JSON input'
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    const first = text.trimStart().slice(0, 1)
    const begins = /[{["\d\-tfn]/.test(first)
    return begins ? 'invalid JSON' : `invalid character '${first}' looking for beginning of value`
  }
  if (value === null || (typeof value === 'object' && !Array.isArray(value))) return null
  const found = { string: 'string', number: 'number', boolean: 'bool' }[typeof value as 'string'] ?? 'array'
  return `json: cannot unmarshal ${found} into Go value of type map[string]interface {}`
}
