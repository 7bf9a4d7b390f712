/**
 * What a label's key and value may look like. Each function returns the reasons why a text is refused, in Kubernetes' words;
 * none if it is fine. Source: apimachinery `api/validate/content`.
 */
const NAME = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]'
const SUBDOMAIN = '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*'
const NAME_RULE = `must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '${NAME}')`
const VALUE_RULE = `a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(${NAME})?')`
const SUBDOMAIN_RULE = `a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '${SUBDOMAIN}')`

const NAME_PATTERN = new RegExp(`^${NAME}$`)
const SUBDOMAIN_PATTERN = new RegExp(`^${SUBDOMAIN}$`)
const MAX_NAME = 63
const MAX_SUBDOMAIN = 253

const tooLong = (max: number) => `must be no more than ${max} bytes`

/** A label's key: a name, optionally after a DNS subdomain and a slash. */
export function labelKeyFaults(key: string): string[] {
  const parts = key.split('/')
  if (parts.length > 2) return [`a valid label key ${NAME_RULE} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`]
  const faults: string[] = []
  const name = parts.at(-1) ?? ''
  if (parts.length === 2) {
    const prefix = parts[0] ?? ''
    if (prefix === '') faults.push('prefix part must be non-empty')
    else {
      if (Buffer.byteLength(prefix) > MAX_SUBDOMAIN) faults.push(`prefix part ${tooLong(MAX_SUBDOMAIN)}`)
      if (!SUBDOMAIN_PATTERN.test(prefix)) faults.push(`prefix part ${SUBDOMAIN_RULE}`)
    }
  }
  if (name === '') faults.push('name part must be non-empty')
  else if (Buffer.byteLength(name) > MAX_NAME) faults.push(`name part ${tooLong(MAX_NAME)}`)
  if (!NAME_PATTERN.test(name)) faults.push(`name part ${NAME_RULE}`)
  return faults
}

export function labelValueFaults(value: string): string[] {
  const faults: string[] = []
  if (Buffer.byteLength(value) > MAX_NAME) faults.push(tooLong(MAX_NAME))
  if (value !== '' && !NAME_PATTERN.test(value)) faults.push(VALUE_RULE)
  return faults
}
