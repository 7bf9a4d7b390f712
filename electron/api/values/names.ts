/**
 * The formats of names in the Kubernetes API. Each check returns what is wrong, in upstream's words, or an empty list.
 * Source: apimachinery `util/validation` and `api/validate/content`; RFC 1123, RFC 6335.
 */

/** Says whether a name may be given to an object of some kind; `prefix` if it is a generateName, which may end in "-". */
export type NameCheck = (name: string, prefix?: boolean) => string[]

const LABEL = '[a-z0-9]([-a-z0-9]*[a-z0-9])?'
const LABEL_1035 = '[a-z]([-a-z0-9]*[a-z0-9])?'
const LABEL_UNDERSCORE = '_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?'
const SUBDOMAIN = `${LABEL}(\\.${LABEL})*`
const SUBDOMAIN_UNDERSCORE = `${LABEL_UNDERSCORE}(\\.${LABEL_UNDERSCORE})*`
const WILDCARD = `\\*\\.${SUBDOMAIN}`
const LABEL_KEY = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]'
const LABEL_VALUE = `(${LABEL_KEY})?`
const CONFIG_KEY = '[-._a-zA-Z0-9]+'
const HEADER_NAME = '[-A-Za-z0-9]+'
const PERCENT = '[0-9]+%'
const HTTP_PATH = "[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+"

const whole = (pattern: string) => new RegExp(`^${pattern}$`)
const label = whole(LABEL)
const label1035 = whole(LABEL_1035)
const subdomain = whole(SUBDOMAIN)
const subdomainUnderscore = whole(SUBDOMAIN_UNDERSCORE)
const wildcard = whole(WILDCARD)
const labelKey = whole(LABEL_KEY)
const labelValue = whole(LABEL_VALUE)
const configKey = whole(CONFIG_KEY)
const headerName = whole(HEADER_NAME)
const percent = whole(PERCENT)
const httpPath = whole(HTTP_PATH)

const SUBDOMAIN_MESSAGE =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character"

const encoder = new TextEncoder()
/** Length in UTF-8, which is what upstream counts. */
export const byteLength = (text: string) => (/^[\x20-\x7e]*$/.test(text) ? text.length : encoder.encode(text).length)

const tooManyCharacters = (max: number) => `must be no more than ${max} characters`
const tooManyBytes = (max: number) => `must be no more than ${max} bytes`
export const MUST_BE_NON_EMPTY = 'must be non-empty'
export const betweenInclusive = (low: number, high: number) => `must be between ${low} and ${high}, inclusive`

export function regexMessage(message: string, pattern: string, ...examples: string[]): string {
  if (!examples.length) return `${message} (regex used for validation is '${pattern}')`
  return `${message} (e.g. ${examples.map((e) => `'${e}', `).join(' or ')}regex used for validation is '${pattern}')`
}

function check(value: string, max: number, pattern: RegExp, message: () => string): string[] {
  const out: string[] = []
  if (byteLength(value) > max) out.push(tooManyCharacters(max))
  if (!pattern.test(value)) out.push(message())
  return out
}

export function dns1123Label(value: string): string[] {
  return check(value, 63, label, () =>
    subdomain.test(value)
      ? 'must not contain dots'
      : regexMessage(
          "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character",
          LABEL,
          'my-name',
          '123-abc',
        ),
  )
}

/** As `dns1123Label`, but begins with a letter: RFC 1035. */
export function dns1035Label(value: string): string[] {
  return check(value, 63, label1035, () =>
    regexMessage(
      "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character",
      LABEL_1035,
      'my-name',
      'abc-123',
    ),
  )
}

export function dns1123Subdomain(value: string): string[] {
  return check(value, 253, subdomain, () => regexMessage(SUBDOMAIN_MESSAGE, SUBDOMAIN, 'example.com'))
}

/** Labels may also hold and begin with "_", as in DNS search paths. */
export function dns1123SubdomainWithUnderscore(value: string): string[] {
  return check(value, 253, subdomainUnderscore, () =>
    regexMessage(SUBDOMAIN_MESSAGE.replace("characters, '-'", "characters, '_', '-'"), SUBDOMAIN_UNDERSCORE, 'example.com'),
  )
}

/** `*.example.com`. */
export function wildcardDns1123Subdomain(value: string): string[] {
  return check(value, 253, wildcard, () =>
    regexMessage(
      "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character",
      WILDCARD,
      '*.example.com',
    ),
  )
}

/** `[prefix/]name`: label keys, annotation keys, condition types, finalizers, resource names. */
export function qualifiedName(value: string): string[] {
  const pattern = () =>
    regexMessage(
      "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
      LABEL_KEY,
      'MyName',
      'my.name',
      '123-abc',
    )
  const parts = value.split('/')
  if (parts.length > 2) {
    return [`a valid label key ${pattern()} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`]
  }
  const out: string[] = []
  const name = parts.at(-1) ?? ''
  if (parts.length === 2) {
    const prefix = parts[0] ?? ''
    if (prefix === '') out.push(`prefix part ${MUST_BE_NON_EMPTY}`)
    else out.push(...dns1123SubdomainBytes(prefix).map((m) => `prefix part ${m}`))
  }
  if (name === '') out.push(`name part ${MUST_BE_NON_EMPTY}`)
  else if (byteLength(name) > 63) out.push(`name part ${tooManyBytes(63)}`)
  if (!labelKey.test(name)) out.push(`name part ${pattern()}`)
  return out
}

/** The same rule with the newer word for its length, as upstream uses it inside qualified names. */
function dns1123SubdomainBytes(value: string): string[] {
  return dns1123Subdomain(value).map((m) => (m === tooManyCharacters(253) ? tooManyBytes(253) : m))
}

export function labelValueErrors(value: string): string[] {
  const out: string[] = []
  if (byteLength(value) > 63) out.push(tooManyBytes(63))
  if (!labelValue.test(value)) {
    out.push(
      regexMessage(
        "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
        LABEL_VALUE,
        'MyValue',
        'my_value',
        '12345',
      ),
    )
  }
  return out
}

/** Any printable ASCII but "=". */
export function envVarName(value: string): string[] {
  if (value === '') return [`environment variable name ${MUST_BE_NON_EMPTY}`]
  return /^[\x20-\x3c\x3e-\x7e]+$/.test(value)
    ? []
    : ["a valid environment variable name must consist only of printable ASCII characters other than '='"]
}

export function configMapKey(value: string): string[] {
  return [
    ...check(value, 253, configKey, () =>
      regexMessage(
        "a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
        CONFIG_KEY,
        'key.name',
        'KEY_NAME',
        'key-name',
      ),
    ),
    ...relativeDirectory(value),
  ]
}

function relativeDirectory(value: string): string[] {
  if (value === '.' || value === '..') return [`must not be '${value}'`]
  return value.startsWith('..') ? ["must not start with '..'"] : []
}

export function portNumber(port: number): string[] {
  return port >= 1 && port <= 65535 && Number.isInteger(port) ? [] : [betweenInclusive(1, 65535)]
}

/** IANA service names, RFC 6335, in lower case. */
export function portName(port: string): string[] {
  const out: string[] = []
  if (port.length > 15) out.push(tooManyCharacters(15))
  if (!/^[-a-z0-9]+$/.test(port)) out.push('must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)')
  if (!/[a-z]/.test(port)) out.push('must contain at least one letter (a-z)')
  if (port.includes('--')) out.push('must not contain consecutive hyphens')
  if (port.startsWith('-') || port.endsWith('-')) out.push('must not begin or end with a hyphen')
  return out
}

/** Both user and group ids. */
export function unixId(id: number): string[] {
  return id >= 0 && id <= 2 ** 31 - 1 ? [] : [betweenInclusive(0, 2 ** 31 - 1)]
}

export function httpHeaderName(value: string): string[] {
  return headerName.test(value)
    ? []
    : [regexMessage("a valid HTTP header must consist of alphanumeric characters or '-'", HEADER_NAME, 'X-Header-Name')]
}

/** "25%". */
export function percentErrors(value: string): string[] {
  return percent.test(value)
    ? []
    : [regexMessage("a valid percent string must be a numeric string followed by an ending '%'", PERCENT, '1%', '93%')]
}

/** The part after the "/" of a domain-prefixed path such as "acme.io/foo". */
export function httpPathErrors(value: string): string[] {
  return httpPath.test(value) ? [] : [regexMessage('Invalid path', HTTP_PATH)]
}

/** For names that only have to fit into a path, such as those of RBAC objects. */
export const pathSegmentName: NameCheck = (name, prefix = false) => {
  if (!prefix && (name === '.' || name === '..')) return [`may not be '${name}'`]
  return ['/', '%'].filter((c) => name.includes(c)).map((c) => `may not contain '${c}'`)
}

const forObjects =
  (rule: (value: string) => string[]): NameCheck =>
  (name, prefix = false) =>
    rule(prefix && name.length > 1 && name.endsWith('-') ? `${name.slice(0, -2)}a` : name)

/** Names of most objects. */
export const nameIsDnsSubdomain = forObjects(dns1123Subdomain)
export const nameIsDnsLabel = forObjects(dns1123Label)
