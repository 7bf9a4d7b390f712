import { describe, expect, it } from 'vitest'
import * as names from './names.ts'

const checks = { ...names }

const LABEL =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
const SUBDOMAIN =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
const NAME_PART =
  "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"

describe('valid names', () => {
  it.each<[keyof typeof checks, string]>([
    ['dns1123Label', 'a'],
    ['dns1123Label', '1-a'],
    ['dns1123Label', 'a'.repeat(63)],
    ['dns1123Subdomain', 'a.b-c.d'],
    ['dns1123SubdomainWithUnderscore', '_tcp.a_b.example'],
    ['wildcardDns1123Subdomain', '*.example.com'],
    ['qualifiedName', 'example.com/My_Name.1'],
    ['qualifiedName', 'app'],
    ['labelValueErrors', ''],
    ['labelValueErrors', 'A_b-1.c'],
    ['envVarName', 'a b!{}'],
    ['configMapKey', 'a.b_c-D'],
    ['portName', 'http-2'],
    ['httpHeaderName', 'X-Id'],
    ['percentErrors', '12%'],
    ['nameIsDnsSubdomain', 'web.1'],
    ['pathSegmentName', 'system:node'],
  ])('%s takes %j', (check, value) => {
    const fn = checks[check] as (value: string) => string[]
    expect(fn(value)).toEqual([])
  })
})

describe('messages', () => {
  it.each<[keyof typeof checks, string, string[]]>([
    ['dns1123Label', 'A', [LABEL]],
    ['dns1123Label', 'a.b', ['must not contain dots']],
    ['dns1123Label', 'a'.repeat(64), ['must be no more than 63 characters']],
    ['dns1123Subdomain', '-a', [SUBDOMAIN]],
    ['dns1123Subdomain', '', [SUBDOMAIN]],
    ['qualifiedName', '', ['name part must be non-empty', `name part ${NAME_PART}`]],
    ['qualifiedName', '/a', ['prefix part must be non-empty']],
    ['qualifiedName', 'A/b', [`prefix part ${SUBDOMAIN}`]],
    [
      'qualifiedName',
      'a/b/c',
      [`a valid label key ${NAME_PART} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`],
    ],
    ['qualifiedName', 'a'.repeat(64), ['name part must be no more than 63 bytes']],
    ['labelValueErrors', 'a'.repeat(64), ['must be no more than 63 bytes']],
    ['envVarName', '', ['environment variable name must be non-empty']],
    ['envVarName', 'a=b', ["a valid environment variable name must consist only of printable ASCII characters other than '='"]],
    ['configMapKey', '..', ["must not be '..'"]],
    ['configMapKey', '..a', ["must not start with '..'"]],
    ['portName', '-', ['must contain at least one letter (a-z)', 'must not begin or end with a hyphen']],
    ['portName', 'a--b', ['must not contain consecutive hyphens']],
    ['portName', 'abcdefghijklmnop', ['must be no more than 15 characters']],
    ['pathSegmentName', 'a/b%', ["may not contain '/'", "may not contain '%'"]],
    ['pathSegmentName', '..', ["may not be '..'"]],
  ])('%s of %j', (check, value, messages) => {
    const fn = checks[check] as (value: string) => string[]
    expect(fn(value)).toEqual(messages)
  })

  it('of numbers name the range', () => {
    expect(names.portNumber(70000)).toEqual(['must be between 1 and 65535, inclusive'])
    expect(names.unixId(-1)).toEqual(['must be between 0 and 2147483647, inclusive'])
  })

  it('count bytes, not characters', () => {
    expect(names.byteLength('é')).toBe(2)
    expect(names.labelValueErrors('é'.repeat(32))[0]).toBe('must be no more than 63 bytes')
  })

  it('allow a trailing dash in what a name is generated from', () => {
    expect(names.nameIsDnsSubdomain('web-', true)).toEqual([])
    expect(names.nameIsDnsSubdomain('web-')).not.toEqual([])
    expect(names.pathSegmentName('.', true)).toEqual([])
  })
})
