/** Formats with names, and what is wrong with text that has not that form. Source: apiserver `cel/library/format.go`. */
import { dns1035Label, labelValueErrors, nameIsDnsLabel, nameIsDnsSubdomain, qualifiedName } from '../../../../api/values/names.ts'
import { hasFormat } from '../../../schema/formats.ts'
import { define, global, method, type FunctionDeclaration } from '../../functions.ts'
import { STRING, listOf, opaque, optionalOf } from '../../types.ts'
import { NONE, Opaque, Optional, ValueList } from '../../values.ts'

export const FORMAT_TYPE = opaque('kubernetes.NamedFormat')

type Check = (text: string) => readonly string[]

class NamedFormat extends Opaque {
  readonly type = FORMAT_TYPE
  readonly name: string
  readonly check: Check
  constructor(name: string, check: Check) {
    super()
    this.name = name
    this.check = check
  }
  equals(other: Opaque): boolean {
    return other instanceof NamedFormat && other.name === this.name
  }
}

const known =
  (format: string, failure: string): Check =>
  (text) =>
    hasFormat(format, text) ? [] : [failure]

/** What a name is made from may end in a dash. */
const withoutDash = (text: string) => (text.length > 1 && text.endsWith('-') ? `${text.slice(0, -2)}a` : text)

const CHECKS: Readonly<Record<string, Check>> = {
  dns1123Label: (text) => nameIsDnsLabel(text, false),
  dns1123Subdomain: (text) => nameIsDnsSubdomain(text, false),
  dns1035Label: (text) => dns1035Label(text),
  qualifiedName,
  dns1123LabelPrefix: (text) => nameIsDnsLabel(text, true),
  dns1123SubdomainPrefix: (text) => nameIsDnsSubdomain(text, true),
  dns1035LabelPrefix: (text) => dns1035Label(withoutDash(text)),
  labelValue: labelValueErrors,
  uri: known('uri', 'invalid URI for request'),
  uuid: known('uuid', 'does not match the UUID format'),
  byte: known('byte', 'invalid base64'),
  date: known('date', 'invalid date'),
  datetime: known('date-time', 'invalid datetime'),
}

const FORMATS: ReadonlyMap<string, NamedFormat> = new Map(
  Object.entries(CHECKS).map(([name, check]) => [name, new NamedFormat(name, check)]),
)

function validate(format: NamedFormat, text: string): Optional {
  const wrong = format.check(text)
  return wrong.length === 0 ? NONE : new Optional(new ValueList(wrong))
}

export const FORMAT_FUNCTIONS: readonly FunctionDeclaration[] = [
  ...[...FORMATS].map(([name, format]) =>
    define(
      `format.${name}`,
      global(`format.${name}`, [], FORMAT_TYPE, () => format),
    ),
  ),
  define(
    'format.named',
    global('format-named', [STRING], optionalOf(FORMAT_TYPE), (name: string) => {
      const format = FORMATS.get(name)
      return format ? new Optional(format) : NONE
    }),
  ),
  define('validate', method('format-validate', [FORMAT_TYPE, STRING], optionalOf(listOf(STRING)), validate)),
]
