import { describe, expect, it } from 'vitest'
import { fieldCause } from './field-cause.ts'

const DNS =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"

describe('what is wrong with a field', () => {
  it('is the rule in plain words, where it is a rule for names', () => {
    expect(fieldCause(`Invalid value: "Not A Name": ${DNS}`)).toMatch(/^Lower case letters/)
    expect(fieldCause('Invalid value: "1a": a DNS-1035 label must consist of lower case…')).toMatch(/begins with a letter/)
  })

  it('is the message without the value that is in the field', () => {
    expect(fieldCause('Invalid value: 70000: must be between 1 and 65535, inclusive')).toBe('must be between 1 and 65535, inclusive')
    expect(fieldCause('Invalid value: "a: \\"b": must be no more than 63 characters')).toBe('must be no more than 63 characters')
  })

  it('is the message as it is otherwise', () => {
    expect(fieldCause('Required value')).toBe('Required value')
    expect(fieldCause('Duplicate value: "http"')).toBe('Duplicate value: "http"')
  })
})
